//! What every worker keeps for itself, so that counting never makes two cores fight for a line.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// One of the workers: which, and of how many.
///
/// Knowing how many lets whatever is counted per worker be made at its first use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WorkerId {
    index: u16,
    of: u16,
}

impl WorkerId {
    /// Every worker of `count`; at least one, at most 65,535.
    pub fn all(count: usize) -> impl ExactSizeIterator<Item = Self> + use<> {
        let of = u16::try_from(count.max(1)).unwrap_or(u16::MAX);
        (0..of).map(move |index| Self { index, of })
    }

    /// Counted from 0.
    pub fn index(self) -> usize {
        usize::from(self.index)
    }

    /// How many there are.
    pub fn of(self) -> usize {
        usize::from(self.of)
    }
}

/// A value for each worker, made for all of them when the first one asks.
///
/// What nobody has touched costs 24 bytes.
#[derive(Debug)]
pub struct PerWorker<T>(OnceLock<Box<[Padded<T>]>>);

/// Alone on its cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Padded<T>(T);

impl<T> Default for PerWorker<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T: Default> PerWorker<T> {
    /// The value of `worker`.
    #[allow(clippy::indexing_slicing, reason = "there is one worker at least")]
    pub fn get(&self, worker: WorkerId) -> &T {
        let all = self.0.get_or_init(|| (0..worker.of()).map(|_| Padded::default()).collect());
        // Within bounds unless workers of two proxies were mixed up; counting with another worker is then
        // better than a panic.
        &all.get(worker.index()).unwrap_or(&all[0]).0
    }

    /// The values of all workers; none before the first was asked for.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.get().into_iter().flat_map(|all| all.iter().map(|padded| &padded.0))
    }
}

/// A number that only its worker raises, and anyone may read.
///
/// Having one writer, it needs no locked instruction.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Raises it by one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Raises it by `n`.
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    /// What it is now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that only its worker raises and lowers, and anyone may read.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU32);

impl Gauge {
    /// Raises it by one.
    pub fn up(&self) {
        self.0.store(self.get().wrapping_add(1), Ordering::Relaxed);
    }

    /// Lowers it by one.
    pub fn down(&self) {
        self.0.store(self.get().wrapping_sub(1), Ordering::Relaxed);
    }

    /// What it is now.
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whether `all` workers together count less than `most`, where `worker` counts `own`.
///
/// Up to a quarter of its fair share a worker does not look at the others, whose numbers lie in lines that
/// they are writing to. Beyond, it counts all. So nothing is kept out below `most`, and as much as a quarter
/// above it may be let in when the others came first; besides, one for each worker that looks at the same
/// instant.
pub(crate) fn is_below(most: u32, own: u32, worker: WorkerId, all: impl FnOnce() -> u64) -> bool {
    let unasked = most / (4 * u32::from(worker.of));
    own < unasked || all() < u64::from(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_worker_has_its_own() {
        let counts = PerWorker::<Count>::default();
        assert_eq!(counts.iter().count(), 0, "nothing is made before the first use");
        let workers: Vec<_> = WorkerId::all(3).collect();
        counts.get(workers[2]).add(5);
        counts.get(workers[0]).inc();
        assert_eq!(counts.iter().map(Count::get).collect::<Vec<_>>(), [1, 0, 5]);
    }

    #[test]
    fn a_worker_asks_the_others_once_it_has_a_quarter_of_its_share() {
        let worker = WorkerId::all(2).next().unwrap();
        let unasked = || -> u64 { panic!("asked the others") };
        assert!(is_below(80, 9, worker, unasked));
        assert!(is_below(80, 10, worker, || 79) && !is_below(80, 10, worker, || 80));
        assert!(!is_below(1, 0, worker, || 1) && is_below(1, 0, worker, || 0));
    }

    #[test]
    fn there_is_always_one_worker() {
        assert_eq!(WorkerId::all(0).len(), 1);
        assert_eq!(WorkerId::all(1 << 20).len(), usize::from(u16::MAX));
    }
}
