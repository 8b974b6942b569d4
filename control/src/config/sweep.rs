use std::time::Duration;

/// Every number of the removal of what is kept for a time only.
#[derive(Debug, Clone)]
pub struct SweepLimits {
    /// How long the label of a random route is kept from being given again after its deployment gave it up.
    pub tombstone: Duration,
    /// Between two rounds.
    pub every: Duration,
    /// Things looked at before others have a turn.
    pub portion: usize,
}

impl Default for SweepLimits {
    fn default() -> Self {
        Self {
            tombstone: Duration::from_secs(30 * 24 * 60 * 60),
            every: Duration::from_secs(60),
            portion: 100,
        }
    }
}
