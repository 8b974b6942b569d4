use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::routes::UpstreamId;

/// Backends to which a connection failed to open a moment ago. They are chosen only when there is no
/// other, so that one dead replica of many costs one request in a while and not one in n.
pub(super) struct Aside {
    until: HashMap<UpstreamId, Instant>,
    period: Duration,
}

impl Aside {
    pub(super) fn new(period: Duration) -> Self {
        Self { until: HashMap::new(), period }
    }

    pub(super) fn put(&mut self, id: UpstreamId, now: Instant) {
        self.until.insert(id, now + self.period);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.until.is_empty()
    }

    pub(super) fn holds(&self, id: UpstreamId, now: Instant) -> bool {
        self.until.get(&id).is_some_and(|until| now < *until)
    }

    pub(super) fn reap(&mut self, now: Instant) {
        self.until.retain(|_, until| now < *until);
    }
}
