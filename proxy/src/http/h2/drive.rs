use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio::time::{Instant, sleep, sleep_until};

use super::pulse::{Due, Pulse};
use crate::config::Timeouts;
use crate::drain::Signal;

/// How an HTTP connection ended.
pub(super) enum Ended {
    /// As HTTP ends, or by an upgrade.
    Whole,
    /// By silence.
    Lapsed,
    /// By an error of the protocol or the connection.
    Broke,
}

/// Runs a connection to its end: has it `finish` when a drain begins, and closes it when its client is
/// silent for too long.
///
/// To hyper a connection on which nothing was asked yet is idle. But who came through the queue as the
/// drain began has asked, or is just about to: such a one is left a moment to.
pub(super) async fn drive<C: Future<Output = hyper::Result<()>>>(
    mut connection: Pin<&mut C>,
    finish: impl Fn(Pin<&mut C>),
    pulse: &Pulse,
    timeouts: &Timeouts,
    mut drain: Signal,
) -> Ended {
    let mut armed = due_at(pulse, Instant::now(), timeouts);
    let mut timer = pin!(sleep_until(armed));
    let begun = Cell::new(false);
    let mut moment_over = pin!(async {
        drain.draining().await;
        begun.set(true);
        if pulse.is_fresh() {
            sleep(timeouts.linger).await;
        }
    });
    let mut told = false;
    poll_fn(|cx| {
        if !told && (moment_over.as_mut().poll(cx).is_ready() || (begun.get() && !pulse.is_fresh())) {
            told = true;
            finish(connection.as_mut());
        }
        match connection.as_mut().poll(cx) {
            Poll::Ready(Ok(())) => return Poll::Ready(Ended::Whole),
            Poll::Ready(Err(_)) => return Poll::Ready(Ended::Broke),
            Poll::Pending if !told && begun.get() && !pulse.is_fresh() => cx.waker().wake_by_ref(),
            Poll::Pending => {}
        }
        if let Some(sooner) = pulse.sooner_than(armed, timeouts) {
            armed = sooner;
            timer.as_mut().reset(armed);
        }
        while timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if pulse.lapse(now, timeouts).is_some() {
                return Poll::Ready(Ended::Lapsed);
            }
            armed = due_at(pulse, now, timeouts);
            timer.as_mut().reset(armed);
        }
        Poll::Pending
    })
    .await
}

fn due_at(pulse: &Pulse, now: Instant, timeouts: &Timeouts) -> Instant {
    match pulse.due(now, timeouts) {
        Due::At(when) | Due::Look(when) => when,
    }
}
