use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Connection, Handshake, SendResponse};
use h2::{Reason, RecvStream};
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::pulse::{Lapse, Pulse};
use crate::config::{Limits, Timeouts};
use crate::drain::Signal;
use crate::http::clock::Clock;
use crate::limits::idle::{self, IdleGuard, Registry};
use crate::refusal::Refusal;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// As HTTP/2 ends, or with the connection below.
    Whole,
    /// The client broke the rules of HTTP/2, and was told so.
    Broke,
    /// It sent too much of what is of no use, and was told so.
    Flooded,
    /// It was silent for too long.
    Lapsed(Lapse),
}

impl Ended {
    /// Under which name that is counted; none where nothing was refused.
    pub(super) fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Flooded => Some(Refusal::Http2Flood),
            Self::Lapsed(Lapse::Head) => Some(Refusal::HeadTimeout),
            Self::Lapsed(Lapse::Stalled) => Some(Refusal::SlowReader),
            Self::Whole | Self::Broke | Self::Lapsed(Lapse::Idle) => None,
        }
    }

    /// How long the client is heard out when the connection is over, for what it still sends would have it reset
    /// before the client has all that is on its way; nothing where that is what shall happen.
    pub(super) fn heard_out(self, timeouts: &Timeouts) -> Option<Duration> {
        match self {
            // A slow reader has as long for the last answer as one that takes nothing has for any other.
            Self::Whole => Some(timeouts.stalled),
            Self::Broke | Self::Flooded | Self::Lapsed(Lapse::Head | Lapse::Idle) => Some(timeouts.linger),
            Self::Lapsed(Lapse::Stalled) => None,
        }
    }
}

/// A connection on its way from the first byte to the last.
pub(super) struct Drive<T> {
    state: State<T>,
    pulse: Pulse,
    clock: Clock,
    seat: Seat,
    quota: Quota,
    /// The client was told that no new requests are taken.
    is_told: bool,
    /// It was told to go, why, and until when that may take.
    ending: Option<(Ended, Instant)>,
}

/// How many requests a connection brings.
struct Quota {
    asked: u32,
    /// When so many were asked the client is told to open another one.
    most: u32,
    /// Those it may have sent before it heard.
    spare: u32,
}

enum State<T> {
    Greeting(Box<Handshake<T, Bytes>>),
    Open(Box<Connection<T, Bytes>>),
}

impl<T: AsyncRead + AsyncWrite + Unpin> Drive<T> {
    pub(super) fn new(
        handshake: Handshake<T, Bytes>,
        pulse: Pulse,
        timeouts: &Timeouts,
        limits: &Limits,
    ) -> Self {
        let clock = Clock::new(Instant::now() + timeouts.head);
        let state = State::Greeting(Box::new(handshake));
        let quota = Quota { asked: 0, most: limits.requests_per_connection.get(), spare: limits.h2_streams };
        Self { state, pulse, clock, seat: Seat::Busy, quota, is_told: false, ending: None }
    }

    /// Runs the connection to its end, and has `begin` serve the requests that come.
    ///
    /// When a drain begins, its place is needed by others while nothing is asked on it, or it has brought as many
    /// requests as it may, it is told that no new ones are taken (RFC 9113 6.8); those that are under way are
    /// answered.
    pub(super) async fn run(
        &mut self,
        mut begin: impl FnMut(Request<RecvStream>, SendResponse<Bytes>),
        timeouts: &Timeouts,
        mut drain: Signal,
        registry: &Rc<Registry>,
    ) -> Ended {
        let mut draining = pin!(drain.draining());
        let mut is_draining = false;
        poll_fn(|cx| {
            self.pulse.driven_by(cx);
            is_draining = is_draining || draining.as_mut().poll(cx).is_ready();
            if is_draining {
                self.finish();
            }
            if let Poll::Ready(ended) = self.poll_requests(cx, &mut begin) {
                return Poll::Ready(ended);
            }
            self.pulse.has_turned();
            let has_to_go = self.seat.has_to_go(cx, self.pulse.is_idle(), registry, timeouts);
            if (has_to_go || self.quota.is_used_up()) && self.finish() {
                cx.waker().wake_by_ref();
            }
            if (self.pulse.has_enough() || self.quota.is_overdrawn()) && self.ending.is_none() {
                self.end(cx, Ended::Flooded, Reason::ENHANCE_YOUR_CALM, timeouts.linger);
            }
            self.poll_time(cx, timeouts)
        })
        .await
    }

    /// Tells the client once that no new requests are taken; whether that was now.
    fn finish(&mut self) -> bool {
        let State::Open(connection) = &mut self.state else { return false };
        let is_news = !std::mem::replace(&mut self.is_told, true);
        if is_news {
            connection.graceful_shutdown();
        }
        is_news
    }

    /// Tells the client that the connection ends now, whatever is under way on it.
    fn end(&mut self, cx: &Context<'_>, why: Ended, reason: Reason, linger: Duration) {
        self.ending = Some((why, Instant::now() + linger));
        self.pulse.stop_hearing();
        if let State::Open(connection) = &mut self.state {
            connection.abrupt_shutdown(reason);
            cx.waker().wake_by_ref();
        }
    }

    fn poll_requests(
        &mut self,
        cx: &mut Context<'_>,
        begin: &mut impl FnMut(Request<RecvStream>, SendResponse<Bytes>),
    ) -> Poll<Ended> {
        if let State::Greeting(handshake) = &mut self.state {
            match ready!(Pin::new(&mut **handshake).poll(cx)) {
                Ok(connection) => self.state = State::Open(Box::new(connection)),
                Err(error) => return Poll::Ready(self.ended(Some(&error))),
            }
        }
        let State::Open(connection) = &mut self.state else { return Poll::Pending };
        loop {
            let accepted = pin!(connection.accept()).poll(cx);
            match ready!(accepted) {
                Some(Ok((request, respond))) => {
                    self.quota.asked = self.quota.asked.saturating_add(1);
                    begin(request, respond);
                }
                Some(Err(error)) => return Poll::Ready(self.ended(Some(&error))),
                None => return Poll::Ready(self.ended(None)),
            }
        }
    }

    fn ended(&self, error: Option<&h2::Error>) -> Ended {
        let calmed = |error: &h2::Error| error.reason() == Some(Reason::ENHANCE_YOUR_CALM);
        match (self.ending, error) {
            (Some((why, _)), _) => why,
            (None, Some(error)) if error.is_library() && calmed(error) => Ended::Flooded,
            (None, Some(error)) if error.is_library() => Ended::Broke,
            // Whoever resets the connection, or says what is wrong with us, waits for no word of ours.
            (None, _) => Ended::Whole,
        }
    }

    fn poll_time(&mut self, cx: &mut Context<'_>, timeouts: &Timeouts) -> Poll<Ended> {
        loop {
            if let Some((why, until)) = self.ending {
                return if self.clock.is_past(cx, until) { Poll::Ready(why) } else { Poll::Pending };
            }
            let lapse = self.pulse.due(timeouts);
            let leaves = self.seat.leaves_at().map(|at| (at, Lapse::Idle));
            let next = lapse.into_iter().chain(leaves).min_by_key(|(due, _)| *due);
            let Some((_, lapse)) = next.filter(|(due, _)| self.clock.is_past(cx, *due)) else {
                return Poll::Pending;
            };
            let why = Ended::Lapsed(lapse);
            if lapse == Lapse::Stalled || matches!(self.state, State::Greeting(_)) {
                // Who reads nothing, or speaks no HTTP/2 yet, cannot be told.
                return Poll::Ready(why);
            }
            self.end(cx, why, Reason::NO_ERROR, timeouts.linger);
        }
    }
}

impl Quota {
    fn is_used_up(&self) -> bool {
        self.asked >= self.most
    }

    /// Whether the client goes on asking although it was told.
    fn is_overdrawn(&self) -> bool {
        self.asked > self.most.saturating_add(self.spare)
    }
}

/// A connection's place among the idle ones.
enum Seat {
    /// Something is asked on it.
    Busy,
    /// Nothing is.
    Idle(IdleGuard),
    /// It was told to go, and has until then to ask what it had sent before it heard.
    Leaving(#[expect(dead_code, reason = "it counts as leaving as long as this lives")] IdleGuard, Instant),
    /// It was told, and had asked: it goes when that is answered.
    Told,
}

/// The part of the time for which a newcomer waits for a place that a connection has to leave one.
const LEAVES_WITHIN: u32 = 4;

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
            Self::Leaving(..) | Self::Told if !is_idle => {
                *self = Self::Told;
                return false;
            }
            told @ (Self::Leaving(..) | Self::Told) => {
                *self = told;
                return false;
            }
            Self::Busy | Self::Idle(_) if !is_idle => return false,
            Self::Busy => Self::Idle(idle::enter(registry)),
            idle @ Self::Idle(_) => idle,
        };
        let Self::Idle(guard) = self else { return false };
        let has_to_go = guard.poll_shed(cx).is_ready();
        if has_to_go && let Self::Idle(guard) = std::mem::replace(self, Self::Busy) {
            *self = Self::Leaving(guard, Instant::now() + timeouts.place / LEAVES_WITHIN);
        }
        has_to_go
    }

    fn leaves_at(&self) -> Option<Instant> {
        match self {
            Self::Busy | Self::Idle(_) | Self::Told => None,
            Self::Leaving(_, at) => Some(*at),
        }
    }
}
