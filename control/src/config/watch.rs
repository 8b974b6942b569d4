use std::time::Duration;

/// Every number of the watches of runtimes.
#[derive(Debug, Clone)]
pub struct WatchLimits {
    /// Watches open at once.
    pub watches: usize,
    /// Longest silence on a watch.
    pub heartbeat: Duration,
    /// Messages that wait for their runtime to read them.
    pub queue: usize,
    /// Deployments that have changed and are still to be told of. Who leaves more waiting is cut off.
    pub pending: usize,
    /// How long a runtime may read nothing while there is something to tell.
    pub stalled: Duration,
    /// How long a watch may last. What its caller may do is judged anew with the next one.
    pub longest: Duration,
    /// Records listed at once when a watch begins.
    pub portion: usize,
}

impl Default for WatchLimits {
    fn default() -> Self {
        Self {
            watches: 256,
            heartbeat: Duration::from_secs(5),
            queue: 16,
            pending: 10_000,
            stalled: Duration::from_secs(60),
            longest: Duration::from_secs(3600),
            portion: 256,
        }
    }
}
