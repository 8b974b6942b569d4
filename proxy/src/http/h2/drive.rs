use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::time::{Instant, sleep, sleep_until};

use super::pulse::{Due, Pulse};
use crate::config::Timeouts;
use crate::drain::Signal;
use crate::limits::idle::{self, IdleGuard, Registry};

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
///
/// While nothing is asked on it, it stands in `idle`. One that has to go is told so too, and has `linger` to
/// ask what it had sent before it heard.
pub(super) async fn drive<C: Future<Output = hyper::Result<()>>>(
    mut connection: Pin<&mut C>,
    finish: impl Fn(Pin<&mut C>),
    pulse: &Pulse,
    timeouts: &Timeouts,
    mut drain: Signal,
    idle: &Rc<Registry>,
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
    let mut seat = Seat::Busy;
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
        if seat.has_to_go(cx, pulse.is_idle(), idle, timeouts) && !told {
            told = true;
            finish(connection.as_mut());
            cx.waker().wake_by_ref();
        }
        if let Some(sooner) = seat.leaves_at().filter(|at| *at < armed) {
            armed = sooner;
            timer.as_mut().reset(armed);
        }
        if let Some(sooner) = pulse.sooner_than(armed, timeouts) {
            armed = sooner;
            timer.as_mut().reset(armed);
        }
        while timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let has_lingered = seat.leaves_at().is_some_and(|at| at <= now) && pulse.is_idle();
            if has_lingered || pulse.lapse(now, timeouts).is_some() {
                return Poll::Ready(Ended::Lapsed);
            }
            armed = due_at(pulse, now, timeouts);
            timer.as_mut().reset(armed);
        }
        Poll::Pending
    })
    .await
}

/// A connection's place among the idle ones.
enum Seat {
    /// Something is asked on it.
    Busy,
    /// Nothing is.
    Idle(IdleGuard),
    /// It was told to go, and has until then.
    Leaving(#[expect(dead_code, reason = "it counts as leaving as long as this lives")] IdleGuard, Instant),
}

impl Seat {
    /// Whether the connection has to go; told once.
    fn has_to_go(
        &mut self,
        cx: &Context<'_>,
        is_idle: bool,
        registry: &Rc<Registry>,
        timeouts: &Timeouts,
    ) -> bool {
        *self = match std::mem::replace(self, Self::Busy) {
            leaving @ Self::Leaving(..) => {
                *self = leaving;
                return false;
            }
            Self::Busy | Self::Idle(_) if !is_idle => return false,
            Self::Busy => Self::Idle(idle::enter(registry)),
            idle @ Self::Idle(_) => idle,
        };
        let Self::Idle(guard) = self else { return false };
        let has_to_go = guard.poll_shed(cx).is_ready();
        if has_to_go && let Self::Idle(guard) = std::mem::replace(self, Self::Busy) {
            *self = Self::Leaving(guard, Instant::now() + timeouts.linger);
        }
        has_to_go
    }

    fn leaves_at(&self) -> Option<Instant> {
        match self {
            Self::Busy | Self::Idle(_) => None,
            Self::Leaving(_, at) => Some(*at),
        }
    }
}

fn due_at(pulse: &Pulse, now: Instant, timeouts: &Timeouts) -> Instant {
    match pulse.due(now, timeouts) {
        Due::At(when) | Due::Look(when) => when,
    }
}
