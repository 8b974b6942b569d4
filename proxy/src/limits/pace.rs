//! How fast a peer has to be while it is waited for.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

/// The patience one has with a peer that sends or takes a body, as time: waiting for it spends it, each byte that
/// moves gives a little back, and there is never more than at the beginning. So a peer may pause now and then
/// for that long, and one that is always slower than the rate runs out of it however it spreads its bytes; what
/// it moved fast before does not buy it more. Time in which the other side is waited for does not count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// What a byte gives back, in nanoseconds.
    byte: u64,
    /// All there may be, in nanoseconds.
    most: u64,
    left: u64,
    /// Since when the peer has been waited for and nothing was spent yet.
    since: Option<Instant>,
    seen: u64,
}

impl Pace {
    /// For a peer that has to move `least` bytes a second, apart from pauses of `grace` in all.
    pub(crate) fn new(least: NonZeroU32, grace: Duration) -> Self {
        let byte = 1_000_000_000 / u64::from(least.get());
        let most = nanoseconds(grace);
        Self { byte, most, left: most, since: None, seen: 0 }
    }

    /// For a peer of whose last `unseen` bytes one cannot tell whether they moved: it is too slow only when these
    /// would not make up for it either. As long as there were fewer, fewer may have moved unseen.
    pub(crate) fn unseen(least: NonZeroU32, grace: Duration, unseen: u32) -> Self {
        let exact = Self::new(least, grace);
        Self { most: exact.most.saturating_add(exact.byte.saturating_mul(u64::from(unseen))), ..exact }
    }

    /// From `now` on it is the peer who is waited for, who has moved `moved` bytes so far. Does nothing if it was
    /// already.
    pub(crate) fn waits(&mut self, now: Instant, moved: u64) {
        if self.since.is_none() {
            self.gain(moved);
            self.since = Some(now);
        }
    }

    /// From `now` on somebody else is waited for.
    pub(crate) fn rests(&mut self, now: Instant, moved: u64) {
        self.spend(now, moved);
        self.since = None;
    }

    /// Whether patience has run out at `now`, when the peer has moved `moved` bytes.
    pub(crate) fn is_too_slow(&mut self, now: Instant, moved: u64) -> bool {
        self.spend(now, moved);
        self.since.is_some() && self.left == 0
    }

    /// When it runs out if nothing moves until then; none while the peer is not waited for.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + Duration::from_nanos(self.left))
    }

    /// What moved counts before the time it took: bytes that come in one piece took all of it.
    fn spend(&mut self, now: Instant, moved: u64) {
        let Some(since) = self.since else { return self.gain(moved) };
        let spent = nanoseconds(now.saturating_duration_since(since));
        let back = moved.saturating_sub(self.seen).saturating_mul(self.byte);
        self.left = self.left.saturating_add(back).saturating_sub(spent).min(self.most);
        (self.since, self.seen) = (Some(now), moved);
    }

    fn gain(&mut self, moved: u64) {
        let back = moved.saturating_sub(self.seen).saturating_mul(self.byte);
        self.left = self.left.saturating_add(back).min(self.most);
        self.seen = moved;
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace(least: u32, grace: u32) -> Pace {
        Pace::new(NonZeroU32::new(least).unwrap(), grace * SECOND)
    }

    /// What the kernel may hold.
    const UNSEEN: u32 = 128 * 1024;

    /// When a peer that moves `bytes` every `pause` is found too slow, looked at as often.
    fn cut_after(mut pace: Pace, pause: Duration, bytes: u64, looks: u32) -> Option<Duration> {
        let began = Instant::now();
        pace.waits(began, 0);
        (1..=looks)
            .map(|n| (n * pause, u64::from(n) * bytes))
            .find_map(|(after, moved)| pace.is_too_slow(began + after, moved).then_some(after))
    }

    #[test]
    fn a_byte_every_five_seconds_is_cut_and_a_slow_line_is_not() {
        assert_eq!(cut_after(pace(240, 30), 5 * SECOND, 1, 100), Some(35 * SECOND));
        assert_eq!(cut_after(pace(240, 30), 5 * SECOND, 1200, 10_000), None, "exactly the rate");
        assert_eq!(cut_after(pace(240, 30), 29 * SECOND, 29 * 240, 10_000), None, "in bursts");
        assert!(cut_after(pace(240, 30), SECOND, 120, 10_000).is_some(), "half the rate, however even");
        assert_eq!(cut_after(pace(240, 30), 30 * SECOND, 0, 2), Some(30 * SECOND), "silence");
    }

    /// The second in which a peer that moves `rate` bytes a second is found too slow in three hours, when one hears
    /// of them by 64 KiB.
    fn cut_in_steps(mut pace: Pace, rate: u64) -> Option<u32> {
        const STEP: u64 = 64 * 1024;
        let began = Instant::now();
        pace.waits(began, UNSEEN.into());
        (1..10_800).find(|&after| {
            let moved = u64::from(UNSEEN) + u64::from(after) * rate / STEP * STEP;
            pace.is_too_slow(began + after * SECOND, moved)
        })
    }

    #[test]
    fn who_is_seen_in_steps_is_not_cut_for_these() {
        let unseen = || Pace::unseen(NonZeroU32::new(240).unwrap(), 30 * SECOND, UNSEEN);
        assert_eq!(cut_in_steps(unseen(), 480), None, "twice the rate");
        assert_eq!(cut_in_steps(unseen(), 240), None, "exactly the rate");
        assert!(cut_in_steps(unseen(), 120).is_some(), "half the rate");
        assert_eq!(cut_in_steps(unseen(), 0), Some(30 + UNSEEN / 240 + 1), "silence");
        assert_eq!(cut_in_steps(pace(240, 30), 480), Some(30), "who is seen to move nothing for so long");
        assert_eq!(
            cut_after(unseen(), 5 * SECOND, 1, 100),
            Some(35 * SECOND),
            "of whom little can be unseen"
        );
    }

    #[test]
    fn what_was_fast_before_buys_no_more_than_the_grace() {
        let (mut pace, began) = (pace(1000, 10), Instant::now());
        pace.waits(began, 0);
        assert!(!pace.is_too_slow(began + SECOND, 1_000_000_000));
        assert_eq!(pace.due(), Some(began + 11 * SECOND));
        assert!(!pace.is_too_slow(began + 10 * SECOND, 1_000_000_000));
        assert!(pace.is_too_slow(began + 11 * SECOND, 1_000_000_000));
    }

    #[test]
    fn waiting_for_the_other_side_never_counts() {
        let (mut pace, began) = (pace(1000, 10), Instant::now());
        assert_eq!(pace.due(), None);
        assert!(!pace.is_too_slow(began + 1000 * SECOND, 0), "nobody waits for it yet");
        pace.waits(began + 1000 * SECOND, 0);
        pace.rests(began + 1009 * SECOND, 0);
        assert!(!pace.is_too_slow(began + 9000 * SECOND, 0));
        pace.waits(began + 9000 * SECOND, 0);
        assert_eq!(pace.due(), Some(began + 9001 * SECOND), "what was spent is not given back by rest");
        pace.rests(began + 9001 * SECOND, 4000);
        pace.waits(began + 9001 * SECOND, 4000);
        assert_eq!(pace.due(), Some(began + 9005 * SECOND), "but by what moves");
    }

    proptest! {
        /// While patience lasts it does not matter how often one looks.
        #[test]
        fn looks_cost_nothing(looks in prop::collection::vec(0_u64..1200, 0..50)) {
            let (mut looked, mut blind, began) = (pace(100, 60), pace(100, 60), Instant::now());
            looked.waits(began, 0);
            blind.waits(began, 0);
            let mut after = Duration::ZERO;
            for pause in looks {
                after += Duration::from_millis(pause);
                looked.is_too_slow(began + after, 0);
            }
            prop_assert_eq!(looked.is_too_slow(began + after, 500), blind.is_too_slow(began + after, 500));
        }
    }
}
