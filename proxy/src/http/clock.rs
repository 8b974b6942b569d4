use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::config::Config;
use crate::limits::pace::Pace;
use crate::refusal::Refusal;

/// A connection's one timer. It is set anew only when it would fire too late, never because something went
/// well: a request costs it nothing but a look.
pub(crate) struct Clock {
    alarm: Pin<Box<Sleep>>,
    armed: Instant,
    /// Whom the alarm wakes. A look at it is dear, so there is one only when it has gone off or wakes another.
    wakes: Option<Waker>,
}

impl Clock {
    /// Fires first at `first`.
    pub(crate) fn new(first: Instant) -> Self {
        Self { alarm: Box::pin(sleep_until(first)), armed: first, wakes: None }
    }

    /// Whether `due` has come; else the task is woken when it has.
    pub(crate) fn is_past(&mut self, cx: &mut Context<'_>, due: Instant) -> bool {
        if due < self.armed {
            self.arm(due);
        }
        if !self.alarm.is_elapsed() && self.wakes.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            return false;
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            if due <= Instant::now() {
                self.wakes = None;
                return true;
            }
            self.arm(due);
        }
        self.wakes = Some(cx.waker().clone());
        false
    }

    fn arm(&mut self, at: Instant) {
        self.armed = at;
        self.alarm.as_mut().reset(at);
    }
}

/// Whom everyone waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Awaited {
    /// A client that has yet to send.
    Sender,
    /// A client that has yet to take what is said to it.
    Reader,
    /// The backend, for so long.
    Backend(Duration),
}

/// Sees that something moves. A clock is read when somebody is waited for after something has.
pub(crate) struct Watch {
    /// Of what begins when it is first waited for, none before.
    since: Option<Instant>,
    seen: u64,
    pace: Option<Pace>,
}

impl Watch {
    /// From `now` on.
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: Some(now), seen: 0, pace: None }
    }

    /// From the first wait on: what never waits needs no clock.
    pub(crate) const fn from_first_wait() -> Self {
        Self { since: None, seen: 0, pace: None }
    }

    /// Whether `awaited`, of whose bytes `moved` have moved so far, may be waited for any longer.
    ///
    /// # Errors
    /// Under which name it ends.
    pub(crate) fn judge(
        &mut self,
        cx: &mut Context<'_>,
        clock: &mut Clock,
        awaited: Awaited,
        moved: u64,
        config: &Config,
    ) -> Result<(), Refusal> {
        let stalled = config.timeouts.stalled;
        let (is_over, refusal) = match awaited {
            Awaited::Sender => (
                self.is_over(cx, clock, moved, stalled) || self.sends_too_slowly(cx, clock, moved, config),
                Refusal::BodyTimeout,
            ),
            Awaited::Reader => (
                self.is_over(cx, clock, moved, stalled) || self.takes_too_slowly(cx, clock, moved, config),
                Refusal::SlowReader,
            ),
            Awaited::Backend(limit) => {
                self.rests(moved);
                (self.is_over(cx, clock, moved, limit), Refusal::BackendTimeout)
            }
        };
        if is_over { Err(refusal) } else { Ok(()) }
    }

    /// Whether nothing has moved for `limit`; `moved` counts what has so far.
    pub(crate) fn is_over(
        &mut self,
        cx: &mut Context<'_>,
        clock: &mut Clock,
        moved: u64,
        limit: Duration,
    ) -> bool {
        let since = match self.since {
            Some(since) if moved == self.seen => since,
            _ => {
                let now = Instant::now();
                self.resumes(now, moved);
                now
            }
        };
        clock.is_past(cx, since + limit)
    }

    /// Whether the client, whose body is waited for, is slower than it may be.
    pub(crate) fn sends_too_slowly(
        &mut self,
        cx: &mut Context<'_>,
        clock: &mut Clock,
        moved: u64,
        config: &Config,
    ) -> bool {
        let begun = || Pace::new(config.limits.body_rate, config.timeouts.body_grace);
        is_too_slow(self.pace.get_or_insert_with(begun), cx, clock, moved)
    }

    /// Whether the client, who has yet to take what is said to it, is slower than it may be. What moves is seen as the
    /// kernel makes room: half of what it holds, or more, at once.
    pub(crate) fn takes_too_slowly(
        &mut self,
        cx: &mut Context<'_>,
        clock: &mut Clock,
        moved: u64,
        config: &Config,
    ) -> bool {
        let (limits, grace) = (&config.limits, config.timeouts.body_grace);
        let begun = || Pace::unseen(limits.body_rate, grace, limits.unsent);
        is_too_slow(self.pace.get_or_insert_with(begun), cx, clock, moved)
    }

    /// The client is waited for again, from `now` on; what it does not take counts from here.
    pub(crate) fn resumes(&mut self, now: Instant, moved: u64) {
        (self.since, self.seen) = (Some(now), moved);
    }

    /// Somebody else is waited for; the time for the client begins anew with the next wait.
    pub(crate) fn pauses(&mut self, moved: u64) {
        self.rests(moved);
        self.since = None;
    }

    /// It is not the client who is waited for.
    pub(crate) fn rests(&mut self, moved: u64) {
        if let Some(pace) = &mut self.pace {
            pace.rests(Instant::now(), moved);
        }
    }
}

fn is_too_slow(pace: &mut Pace, cx: &mut Context<'_>, clock: &mut Clock, moved: u64) -> bool {
    pace.waits(Instant::now(), moved);
    while let Some(due) = pace.due() {
        if !clock.is_past(cx, due) {
            break;
        }
        if pace.is_too_slow(Instant::now(), moved) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_fires_when_due_however_due_moves() {
        let began = Instant::now();
        let mut clock = Clock::new(began + 5 * SECOND);
        for due in [3, 7, 8, 20] {
            let due = began + due * SECOND;
            poll_fn(|cx| if clock.is_past(cx, due) { Poll::Ready(()) } else { Poll::Pending }).await;
            assert_eq!(Instant::now(), due);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_moves_is_waited_for_and_what_stands_is_not() {
        let began = Instant::now();
        let (mut clock, mut watch) = (Clock::new(began + 60 * SECOND), Watch::new(began));
        let mut asked = 0;
        poll_fn(|cx| {
            asked += 1;
            if watch.is_over(cx, &mut clock, asked.min(4), 10 * SECOND) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        assert_eq!((asked, began.elapsed()), (5, 40 * SECOND));
    }
}
