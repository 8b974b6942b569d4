//! The time of day, handed in from outside: only `main` and tests say which clock it is.

use std::sync::Arc;
use std::time::SystemTime;

/// Tells the time of day. Spans are measured with `tokio::time::Instant` instead.
pub type WallClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The clock of this machine.
pub fn system() -> WallClock {
    Arc::new(SystemTime::now)
}
