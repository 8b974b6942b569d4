use std::time::Duration;

/// Every number of the admin listener.
#[derive(Debug, Clone, Copy)]
pub struct AdminLimits {
    /// Connections open at once; more wait in the kernel's queue.
    pub connections: usize,
    /// How long a request's head may take to arrive.
    pub head: Duration,
    /// Without accepting after the process ran out of descriptors.
    pub accept_backoff: Duration,
}

impl Default for AdminLimits {
    fn default() -> Self {
        Self { connections: 64, head: Duration::from_secs(10), accept_backoff: Duration::from_millis(100) }
    }
}
