use std::ops::RangeInclusive;
use std::time::Duration;

/// Every number of the leases of runtimes.
#[derive(Debug, Clone)]
pub struct LeaseLimits {
    /// Seconds a lease lives without being kept alive, when its runtime names no number.
    pub ttl_default: u32,
    /// What it may name instead, in seconds.
    pub ttl: RangeInclusive<u32>,
    /// Leases that may be open at once, lapsed ones among them: these make room when there is none.
    pub open: usize,
    /// Bytes of what a runtime calls itself.
    pub runtime_bytes: usize,
    /// Wait before a lapse is written again after the store failed.
    pub retry: Duration,
}

impl Default for LeaseLimits {
    fn default() -> Self {
        Self {
            ttl_default: 30,
            ttl: 5..=3_600,
            open: 10_000,
            runtime_bytes: 128,
            retry: Duration::from_secs(1),
        }
    }
}
