use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio::time::{Instant, sleep_until};

use super::pulse::{Due, Lapse, Pulse};
use crate::config::Timeouts;
use crate::drain::Signal;

/// How an HTTP connection ended.
pub(super) enum Ended {
    /// As HTTP ends, or by an upgrade.
    Whole,
    /// By silence.
    Lapsed(Lapse),
    /// By an error of the protocol or the connection.
    Broke(hyper::Error),
}

/// Runs a connection to its end: has it `finish` when a drain begins, and closes it when its client is
/// silent for too long.
pub(super) async fn drive<C: Future<Output = hyper::Result<()>>>(
    mut connection: Pin<&mut C>,
    finish: impl Fn(Pin<&mut C>),
    pulse: &Pulse,
    timeouts: &Timeouts,
    mut drain: Signal,
) -> Ended {
    let mut armed = due_at(pulse, Instant::now(), timeouts);
    let mut timer = pin!(sleep_until(armed));
    let mut draining = pin!(drain.draining());
    let mut told = false;
    poll_fn(|cx| {
        if !told && draining.as_mut().poll(cx).is_ready() {
            told = true;
            finish(connection.as_mut());
        }
        match connection.as_mut().poll(cx) {
            Poll::Ready(Ok(())) => return Poll::Ready(Ended::Whole),
            Poll::Ready(Err(error)) => return Poll::Ready(Ended::Broke(error)),
            Poll::Pending => {}
        }
        if let Some(sooner) = pulse.sooner_than(armed, timeouts) {
            armed = sooner;
            timer.as_mut().reset(armed);
        }
        while timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if let Some(lapse) = pulse.lapse(now, timeouts) {
                return Poll::Ready(Ended::Lapsed(lapse));
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
