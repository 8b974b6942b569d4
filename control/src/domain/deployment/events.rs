//! What happened to a deployment, for people.

use serde::{Deserialize, Serialize};

use super::Deployment;
use crate::domain::Timestamp;

/// Events that are kept of one deployment.
const KEPT: usize = 20;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What: "bound static route shop to WEB".
    pub message: String,
}

impl Deployment {
    /// Keeps in mind that something happened; what happened long before is forgotten.
    pub(super) fn note(&mut self, now: Timestamp, message: impl Into<String>) {
        self.events.push(Event { at: now, message: message.into() });
        let too_many = self.events.len().saturating_sub(KEPT);
        self.events.drain(..too_many);
    }
}
