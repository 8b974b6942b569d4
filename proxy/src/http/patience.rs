use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// How long a body may stand still. Costs nothing until it does, and no clock is read while it moves.
pub(super) struct Patience {
    idle: Duration,
    long: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    seen: u64,
    is_long: bool,
}

impl Patience {
    /// For a body that may stand still for `idle`, and counts as a long one after `long`.
    pub(super) fn new(idle: Duration, long: Duration) -> Self {
        Self { idle, long, timer: None, seen: 0, is_long: false }
    }

    /// Whether nothing has moved for too long, at most twice `idle`. To be asked whenever there is
    /// nothing to pass on, with a count of what has moved so far; wakes the task to be asked again.
    pub(super) fn is_over(&mut self, cx: &mut Context<'_>, moved: u64) -> bool {
        let timer = self.timer.get_or_insert_with(|| {
            self.seen = moved;
            Box::pin(sleep(self.idle.min(self.long)))
        });
        while timer.as_mut().poll(cx).is_ready() {
            if !std::mem::replace(&mut self.is_long, true) && self.long < self.idle {
                timer.as_mut().reset(Instant::now() + (self.idle - self.long));
                continue;
            }
            if moved == self.seen {
                return true;
            }
            self.seen = moved;
            timer.as_mut().reset(Instant::now() + self.idle);
        }
        false
    }

    /// Whether it counts as a long one: enough time has passed since it stood still first.
    pub(super) fn is_long(&self) -> bool {
        self.is_long
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_moves_is_waited_for_and_what_stands_is_not() {
        let began = Instant::now();
        let mut patience = Patience::new(Duration::from_secs(10), Duration::from_secs(1));
        let mut asked = 0;
        poll_fn(|cx| {
            asked += 1;
            // Asked at 0 s, and by the timer when it is over: it moves until 20 s.
            if patience.is_over(cx, asked.min(4)) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        assert_eq!((asked, began.elapsed()), (5, Duration::from_secs(30)));
        assert!(patience.is_long());
    }
}
