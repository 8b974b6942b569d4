use std::time::Duration;

/// Every number of who may use which backend address.
#[derive(Debug, Clone)]
pub struct AddressLimits {
    /// From when a project gave an address up until another may use it: what still knows the address of
    /// old has forgotten it by then.
    pub quarantine: Duration,
    /// Addresses new to a deployment that one change of it may name: each takes a place in its commit.
    pub most_new: usize,
    /// How long a change waits until it is known who uses an address.
    pub wait: Duration,
    /// Wait before the store is read again after it failed.
    pub retry: Duration,
}

impl Default for AddressLimits {
    fn default() -> Self {
        Self {
            quarantine: Duration::from_secs(10 * 60),
            most_new: 64,
            wait: Duration::from_secs(10),
            retry: Duration::from_secs(1),
        }
    }
}
