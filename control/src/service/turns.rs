use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};

/// Turns at once; who share one wait for each other without need, which does no harm.
const TURNS: usize = 64;

/// Lets those who would count on the same record go one after the other: otherwise each commit but one
/// would be in vain, and of many at once the last would be tried too often. What is right is seen to by
/// the commits themselves, also where several control planes share a store.
pub(super) struct Turns([Mutex<()>; TURNS]);

impl Turns {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }

    /// Waits for the turn of `whose`.
    pub(super) async fn take(&self, whose: &str) -> Option<MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        whose.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % TURNS as u64).ok()?;
        Some(self.0.get(index)?.lock().await)
    }
}
