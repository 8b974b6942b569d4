use std::time::Duration;

/// Every number of the feed.
#[derive(Debug, Clone)]
pub struct FeedLimits {
    /// Longest silence on a stream.
    pub heartbeat: Duration,
    /// How long a new stream has to say hello.
    pub hello: Duration,
    /// Routes in one chunk of a snapshot.
    pub chunk_routes: usize,
    /// Bytes in one chunk, unless a single route has more. Clients take messages of 4 MiB by default.
    pub chunk_bytes: usize,
    /// Routes that one page of a list looks at, of whatever projects they are.
    pub page_looks_at: usize,
    /// Deltas kept for streams that are behind.
    pub deltas: usize,
    /// Bytes of these.
    pub delta_bytes: usize,
    /// A larger delta is not sent; everyone gets a snapshot instead.
    pub one_delta_bytes: usize,
    /// Commits taken in at once, when that many are waiting.
    pub commits_at_once: usize,
    /// Proxies that may be known at a time.
    pub proxies: usize,
    /// How long a proxy that has gone is remembered.
    pub remembered: Duration,
    /// Wait before the second snapshot to a proxy that refused the first; doubled with each refusal.
    pub resync: Duration,
    /// The longest such wait.
    pub resync_most: Duration,
    /// Reasons kept of a refusal, each cut to `reason_bytes`.
    pub reasons: usize,
    /// Bytes kept of a reason.
    pub reason_bytes: usize,
    /// Wait before the store is read again after it failed.
    pub reload: Duration,
}

impl Default for FeedLimits {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(5),
            hello: Duration::from_secs(10),
            chunk_routes: 1_000,
            chunk_bytes: 1 << 20,
            page_looks_at: 10_000,
            deltas: 4_096,
            delta_bytes: 32 << 20,
            one_delta_bytes: 3 << 20,
            commits_at_once: 256,
            proxies: 4_096,
            remembered: Duration::from_secs(15 * 60),
            resync: Duration::from_secs(1),
            resync_most: Duration::from_secs(15),
            reasons: 8,
            reason_bytes: 512,
            reload: Duration::from_secs(1),
        }
    }
}
