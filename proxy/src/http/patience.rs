use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// How long a body may stand still. Costs nothing until it does, and no clock is read while it moves.
pub(super) struct Patience {
    idle: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    seen: u64,
}

impl Patience {
    pub(super) fn new(idle: Duration) -> Self {
        Self { idle, timer: None, seen: 0 }
    }

    /// Whether nothing has moved for too long, at most twice `idle`. To be asked whenever there is
    /// nothing to pass on, with a count of what has moved so far; wakes the task to be asked again.
    pub(super) fn is_over(&mut self, cx: &mut Context<'_>, moved: u64) -> bool {
        let timer = self.timer.get_or_insert_with(|| {
            self.seen = moved;
            Box::pin(sleep(self.idle))
        });
        while timer.as_mut().poll(cx).is_ready() {
            if moved == self.seen {
                return true;
            }
            self.seen = moved;
            timer.as_mut().reset(Instant::now() + self.idle);
        }
        false
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
        let mut patience = Patience::new(Duration::from_secs(10));
        let mut asked = 0;
        poll_fn(|cx| {
            asked += 1;
            // Asked at 0 s, and by the timer at 10 s, 20 s and 30 s: it moves until 20 s.
            if patience.is_over(cx, asked.min(3)) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        assert_eq!((asked, began.elapsed()), (4, Duration::from_secs(30)));
    }
}
