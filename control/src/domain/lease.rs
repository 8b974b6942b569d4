//! Leases: how long what a runtime reported counts as alive.

use proto::ProjectId;
use serde::{Deserialize, Serialize};

use super::text::as_project;
use super::{LeaseId, Timestamp};

/// A runtime's lease, as it is stored. When it runs out is not stored: every lease gets its full time
/// after a start, for time without control does not count. That it has run out is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Given by the control plane.
    pub id: LeaseId,
    /// The project whose deployments it may report.
    #[serde(with = "as_project")]
    pub project: ProjectId,
    /// Who holds it, for people.
    pub runtime: String,
    /// How long it lives without being kept alive.
    pub ttl_seconds: u32,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// It ran out, and has not been kept alive since.
    pub lapsed: bool,
}
