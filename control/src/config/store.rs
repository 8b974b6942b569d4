/// Every number of an embedded store.
#[derive(Debug, Clone, Copy)]
pub struct StoreLimits {
    /// Memory for cached pages, in bytes.
    pub cache_bytes: usize,
    /// Commits remembered for those who watch.
    pub history_commits: usize,
    /// Bytes of keys and values in these commits; the last commit is remembered whatever its size.
    pub history_bytes: usize,
    /// Batches that may wait for the writer before those who commit have to wait to queue.
    pub queue: usize,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20, history_commits: 16_384, history_bytes: 32 << 20, queue: 256 }
    }
}
