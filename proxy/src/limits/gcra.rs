//! The generic cell rate algorithm (ITU-T I.371): a token bucket kept in one number.
//!
//! The number is the *theoretical arrival time* (TAT): the instant at which all that was let through would
//! have come had it come evenly. A request is let through while the TAT is at most a burst ahead of now, and
//! moves it on by the time between two requests. A TAT that has passed says the same as none at all.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::config::Rate;

/// A rate as it is judged by. All times are nanoseconds since one fixed instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gcra {
    /// Between two requests that come evenly.
    interval: u64,
    /// How far ahead of now the TAT may be.
    ahead: u64,
}

impl Gcra {
    pub(super) fn new(rate: Rate) -> Self {
        // Rounded up: never more than the rate says.
        let interval = 1_000_000_000_u64.div_ceil(u64::from(rate.per_second().get()));
        Self { interval, ahead: interval * u64::from(rate.burst().get() - 1) }
    }

    /// The TAT after a request that comes at `now`; none if it may not.
    pub(super) fn take(self, tat: u64, now: u64) -> Option<u64> {
        (tat.saturating_sub(now) <= self.ahead).then(|| tat.max(now).saturating_add(self.interval))
    }

    /// The same where workers share the TAT.
    ///
    /// A route has one, not one for each worker with the rate divided among them: the kernel spreads
    /// connections, not requests, and one HTTP/2 connection may bring all there are. Where a limit is set that
    /// is one compare-and-swap for a request, on a line that holds nothing else; without one nothing is touched.
    pub(super) fn take_shared(self, tat: &AtomicU64, now: u64) -> bool {
        tat.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tat| self.take(tat, now)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    /// A bucket of tokens as one would write it first: in billionths of a token, so that a nanosecond adds
    /// exactly `per_second` of them.
    struct Bucket {
        per_second: u128,
        most: u128,
        level: u128,
        at: u64,
    }

    const TOKEN: u128 = 1_000_000_000;

    impl Bucket {
        fn new(rate: Rate) -> Self {
            let number = |n: NonZeroU32| u128::from(n.get());
            let most = number(rate.burst()) * TOKEN;
            Self { per_second: number(rate.per_second()), most, level: most, at: 0 }
        }

        fn take(&mut self, now: u64) -> bool {
            self.level = self.most.min(self.level + u128::from(now - self.at) * self.per_second);
            self.at = now;
            let has = self.level >= TOKEN;
            if has {
                self.level -= TOKEN;
            }
            has
        }
    }

    /// Rates whose interval is a whole number of nanoseconds, so that both count the same.
    fn even_rate() -> impl Strategy<Value = Rate> {
        let rates = prop::sample::select(vec![1, 2, 4, 5, 8, 10, 100, 1000, 62_500, 1_000_000]);
        (rates, 1_u32..50).prop_map(|(n, burst)| Rate::new(n, burst).unwrap())
    }

    /// Pauses around the interval, short ones and long ones.
    fn arrivals() -> impl Strategy<Value = Vec<u64>> {
        let pause = prop_oneof![Just(0), 0..2_000_u64, 0..2_000_000_u64, 0..3_000_000_000_u64];
        prop::collection::vec(pause, 1..100)
    }

    proptest! {
        #[test]
        fn it_is_a_token_bucket(rate in even_rate(), pauses in arrivals()) {
            let (gcra, mut bucket) = (Gcra::new(rate), Bucket::new(rate));
            let (mut tat, mut now) = (0, 0);
            for pause in pauses {
                now += pause;
                let taken = gcra.take(tat, now);
                prop_assert_eq!(taken.is_some(), bucket.take(now), "at {}", now);
                tat = taken.unwrap_or(tat);
            }
        }

        #[test]
        fn no_stretch_of_time_has_more_than_its_share(
            (n, burst) in (1_u32..=Rate::MOST, 1_u32..100), pauses in arrivals(),
        ) {
            let gcra = Gcra::new(Rate::new(n, burst).unwrap());
            let (mut tat, mut now, mut passed) = (0, 0_u64, Vec::new());
            for pause in pauses {
                now += pause;
                if let Some(next) = gcra.take(tat, now) {
                    tat = next;
                    passed.push(now);
                }
            }
            for (i, from) in passed.iter().enumerate() {
                for (j, to) in passed.iter().enumerate().skip(i) {
                    let fits = u128::from(burst) + u128::from(to - from) * u128::from(n) / TOKEN;
                    prop_assert!((j - i + 1) as u128 <= fits, "{} requests from {} to {}", j - i + 1, from, to);
                }
            }
        }
    }

    #[test]
    fn what_is_shared_is_counted_once() {
        let gcra = Gcra::new(Rate::new(10, 1000).unwrap());
        let tat = AtomicU64::new(0);
        let passed = |_| (0..600).filter(|_| gcra.take_shared(&tat, 5)).count();
        let sum: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..3).map(|n| scope.spawn(move || passed(n))).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        assert_eq!(sum, 1000);
    }

    #[test]
    fn the_end_of_time_is_no_overflow() {
        let gcra = Gcra::new(Rate::new(1, Rate::MOST).unwrap());
        assert_eq!(gcra.take(u64::MAX, u64::MAX), Some(u64::MAX));
        assert_eq!(gcra.take(0, u64::MAX), Some(u64::MAX));
    }
}
