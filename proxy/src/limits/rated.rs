use std::hash::BuildHasher;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use foldhash::quality::RandomState;

use super::gcra::Gcra;
use super::source::Source;

/// How much of its rate each source has spent, in memory that never grows.
///
/// A set of eight places for each hash; a source has one of them while what it has spent counts. When all
/// are taken the one that would be free soonest is given away: its source starts afresh, with no more gained
/// than it would have had a moment later. So it takes more sources at once than there are places to have any
/// forgiven, and then the least of it; a sketch of shared counters would instead refuse those who did nothing.
/// Hashes are keyed, so nobody can choose whose places they take. Every worker uses the same table, for a
/// client's connections are spread over them: each request takes one lock of many thousands, and only where
/// there is a limit.
pub(super) struct Rated {
    gcra: Gcra,
    hasher: RandomState,
    sets: Box<[Mutex<Set>]>,
}

type Set = [Place; WAYS];

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// A keyed hash tells sources apart as well as the source itself, in half the space.
    source: u64,
    /// See [`Gcra`]. A past one leaves the place free.
    tat: u64,
}

const WAYS: usize = 8;

impl Rated {
    /// For `places` sources at once, or a few more.
    pub(super) fn new(gcra: Gcra, places: NonZeroUsize) -> Self {
        let sets = places.get().div_ceil(WAYS).next_power_of_two();
        Self { gcra, hasher: RandomState::default(), sets: (0..sets).map(|_| Mutex::default()).collect() }
    }

    /// Whether `source` may have one more request at `now`, in nanoseconds since a fixed instant.
    pub(super) fn take(&self, source: Source, now: u64) -> bool {
        let hash = self.hasher.hash_one(source);
        // There is always a set, but the compiler does not know that.
        let Some(set) = self.sets.get(self.set_of(hash)) else { return true };
        // Each place is whole at any time, whatever became of who held the lock.
        let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = place_for(&mut set, hash) else { return true };
        let spent = if place.source == hash { place.tat } else { 0 };
        let taken = self.gcra.take(spent, now);
        if let Some(tat) = taken {
            *place = Place { source: hash, tat };
        }
        taken.is_some()
    }

    #[allow(clippy::cast_possible_truncation, reason = "cut down to fewer bits right away")]
    fn set_of(&self, hash: u64) -> usize {
        hash as usize & (self.sets.len() - 1)
    }
}

/// The place that is the source's own, else the one that is free for longest or will be soonest.
fn place_for(set: &mut Set, hash: u64) -> Option<&mut Place> {
    let own = set.iter().position(|place| place.source == hash);
    match own {
        Some(own) => set.get_mut(own),
        None => set.iter_mut().min_by_key(|place| place.tat),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;
    use crate::config::{Config, Rate};
    use crate::limits::source::Sorter;

    const SECOND: u64 = 1_000_000_000;

    fn source(n: u32) -> Source {
        Sorter::new(&Config::default()).source(IpAddr::V4(n.into())).unwrap()
    }

    fn rated(rate: &str, places: usize) -> Rated {
        let rate: Rate = rate.parse().unwrap();
        Rated::new(Gcra::new(rate), NonZeroUsize::new(places).unwrap())
    }

    #[test]
    fn each_source_has_a_rate_of_its_own() {
        let rated = rated("2/s:3", 64);
        let passed = |n, at| (0..10).filter(|_| rated.take(source(n), at)).count();
        assert_eq!((passed(1, SECOND), passed(2, SECOND), passed(1, 2 * SECOND)), (3, 3, 2));
        assert_eq!(passed(1, 60 * SECOND), 3, "rested");
    }

    #[test]
    fn of_more_than_there_are_places_for_the_one_that_spent_least_is_forgotten() {
        let rated = rated("1/s:10", 1);
        let passed = |n, count| (0..count).filter(|_| rated.take(source(n), 0)).count();
        assert_eq!(passed(0, 11), 10);
        (1..9).for_each(|n| assert!(rated.take(source(n), 0)));
        assert_eq!(passed(0, 1), 0, "the one that spent most is known still");
        assert_eq!(rated.sets.len() * WAYS, 8);
    }

    proptest! {
        /// As long as there is room it is what a map without bounds would be.
        #[test]
        fn it_is_a_map_of_sources(asked in prop::collection::vec((0_u32..8, 0..SECOND), 1..500)) {
            let rate: Rate = "3/s:4".parse().unwrap();
            let (rated, mut map, mut now) = (rated("3/s:4", 8), HashMap::new(), 0);
            for (n, pause) in asked {
                now += pause;
                let tat = map.entry(n).or_insert(0);
                let expected = Gcra::new(rate).take(*tat, now);
                *tat = expected.unwrap_or(*tat);
                prop_assert_eq!(rated.take(source(n), now), expected.is_some());
            }
        }
    }
}
