//! Runs the streams of HTTP/2 clients, and ends those nothing happens on.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::config::Timeouts;
use crate::tasks::Tasks;

/// What hyper runs the streams of HTTP/2 connections with.
#[derive(Clone)]
pub(crate) struct Streams {
    tasks: Tasks,
    patience: Duration,
}

impl Streams {
    /// Streams as tasks among `tasks`.
    pub(crate) fn new(tasks: Tasks, timeouts: &Timeouts) -> Self {
        // Whoever waits for a backend looks at the clock at least this often.
        Self { tasks, patience: timeouts.body_idle.max(timeouts.first_byte).max(timeouts.stalled) }
    }
}

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Streams {
    fn execute(&self, stream: F) {
        self.tasks.spawn_local(while_alive(stream, self.patience));
    }
}

/// Runs `stream` until it ends, or nothing has woken it for `patience`.
///
/// A client that grants its stream no window while its connection is well would otherwise hold the
/// answer, and the backend's connection, for ever: hyper waits for the window and asks nothing else.
/// Dropping the stream resets it.
async fn while_alive(stream: impl Future<Output = ()>, patience: Duration) {
    let (mut stream, mut timer) = (pin!(stream), pin!(sleep(patience)));
    let mut woken = false;
    poll_fn(|cx| {
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if timer.as_mut().poll(cx).is_pending() {
            woken = true;
            return Poll::Pending;
        }
        if !std::mem::take(&mut woken) {
            return Poll::Ready(());
        }
        timer.as_mut().reset(Instant::now() + patience);
        // Registers the timer; it is not due yet.
        let _ = timer.as_mut().poll(cx);
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn what_nothing_wakes_is_ended_and_what_lives_is_not() {
        let began = Instant::now();
        while_alive(std::future::pending(), PATIENCE).await;
        assert_eq!(began.elapsed(), 2 * PATIENCE);
        let began = Instant::now();
        let lively = async {
            for _ in 0..10 {
                sleep(PATIENCE * 9 / 10).await;
            }
        };
        while_alive(lively, PATIENCE).await;
        assert_eq!(began.elapsed(), 9 * PATIENCE);
    }
}
