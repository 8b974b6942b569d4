//! How many frames a client may send that do not move its requests on.

use tokio::time::Instant;

use super::frames::Kind;
use crate::config::{Limits, Rate};

/// What a client has left of such frames. It costs it nothing to send them and us little to read one, which is
/// why there are no other bounds to them: not windows, nor streams, nor bytes.
#[derive(Debug)]
pub(super) struct Budget {
    resets: Bucket,
    idle: Bucket,
    /// Frames that answer DATA of ours and did not come yet.
    awaited: u32,
}

/// For each DATA frame we send: the windows of the stream and the connection, a probe of the round trip, and
/// one to spare.
const ANSWERS: u32 = 4;
/// No more than a window could be opened by at once.
const MOST_AWAITED: u32 = 65_536;

impl Budget {
    /// Of a connection that is opened at `now`.
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        let bucket = |rate| Bucket::new(rate, now);
        Self { resets: bucket(limits.h2_resets), idle: bucket(limits.h2_idle_frames), awaited: 0 }
    }

    /// Bytes of an answer were sent in one frame or more.
    pub(super) fn sent(&mut self, bytes: usize) {
        let windows = u32::try_from(bytes / 1024).unwrap_or(MOST_AWAITED);
        self.awaited = self.awaited.saturating_add(ANSWERS).saturating_add(windows).min(MOST_AWAITED);
    }

    /// Whether one more frame of this kind may come.
    pub(super) fn take(&mut self, kind: Kind) -> bool {
        match kind {
            Kind::Work => true,
            Kind::Reset => self.resets.take(),
            Kind::Response if self.awaited > 0 => {
                self.awaited -= 1;
                true
            }
            Kind::Response | Kind::Idle => self.idle.take(),
        }
    }
}

/// Tokens that are filled up again only when there are none left, so that the clock is read once in a burst.
#[derive(Debug)]
struct Bucket {
    rate: Rate,
    left: u32,
    filled: Instant,
}

impl Bucket {
    fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, left: rate.burst().get(), filled: now }
    }

    fn take(&mut self) -> bool {
        if self.left == 0 {
            self.fill(Instant::now());
        }
        let has = self.left > 0;
        self.left = self.left.saturating_sub(1);
        has
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.filled).as_millis();
        let gained = passed * u128::from(self.rate.per_second().get()) / 1000;
        if gained > 0 {
            self.left = u32::try_from(gained).unwrap_or(u32::MAX).min(self.rate.burst().get());
            self.filled = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn budget() -> Budget {
        let limits = Limits {
            h2_resets: Rate::new(10, 5).unwrap(),
            h2_idle_frames: Rate::new(1, 3).unwrap(),
            ..Limits::default()
        };
        Budget::new(&limits, Instant::now())
    }

    fn taken(budget: &mut Budget, kind: Kind) -> usize {
        (0..100).take_while(|_| budget.take(kind)).count()
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_at_once_and_then_so_many_a_second() {
        let mut budget = budget();
        assert_eq!((taken(&mut budget, Kind::Reset), taken(&mut budget, Kind::Idle)), (5, 3));
        assert_eq!(taken(&mut budget, Kind::Work), 100);
        tokio::time::advance(Duration::from_millis(200)).await;
        assert_eq!((taken(&mut budget, Kind::Reset), taken(&mut budget, Kind::Idle)), (2, 0));
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!((taken(&mut budget, Kind::Reset), taken(&mut budget, Kind::Idle)), (5, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn what_answers_our_data_is_free() {
        let mut budget = budget();
        budget.sent(10);
        budget.sent(16_384);
        assert_eq!(taken(&mut budget, Kind::Response), 4 + 4 + 16 + 3);
        assert_eq!(taken(&mut budget, Kind::Response), 0);
    }
}
