//! Copies bytes both ways between a client and a backend until both have said all.
//!
//! A side that ends its stream has its half closed on the other, and the opposite direction goes on.
//! A side that breaks ends the relay; whoever called decides how the other one is told.

mod direction;
mod leash;
mod meter;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

use direction::{Direction, Step};
pub(crate) use leash::{Cut, leash};
pub(crate) use meter::TunnelMeter;

use crate::splice::Bare;

/// What is told of each byte as it goes: tunnels last for days, and may be cut.
pub(crate) trait Account {
    /// Bytes were written to the backend.
    fn to_backend(&self, bytes: u64);
    /// Bytes were written to the client.
    fn to_client(&self, bytes: u64);
}

/// Why a relay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End<S> {
    /// Both sides had said all.
    Whole,
    /// Neither side said anything for too long.
    Idle,
    /// The client's connection broke.
    ClientBroke,
    /// The backend's connection broke.
    BackendBroke,
    /// `stop` said so.
    Stopped(S),
}

/// Relays until both sides have ended, one breaks, nothing moves for `idle`, or `stop` is done.
///
/// Both connections are to be closed then: of two bare ones the last to end is told so by that alone.
pub(crate) async fn run<C, B, S>(
    client: &mut C,
    backend: &mut B,
    buffer: usize,
    idle: Duration,
    stop: impl Future<Output = S>,
    account: &impl Account,
) -> End<S>
where
    C: AsyncRead + AsyncWrite + Bare + Unpin,
    B: AsyncRead + AsyncWrite + Bare + Unpin,
{
    let mut stop = pin!(stop);
    let mut quiet = pin!(sleep_until(Instant::now() + idle));
    let mut inward = Direction::new(buffer, |bytes| account.to_backend(bytes));
    let mut outward = Direction::new(buffer, |bytes| account.to_client(bytes));
    let mut seen = 0;
    poll_fn(|cx| {
        let there = inward.poll(cx, client, backend, outward.is_done());
        let back = outward.poll(cx, backend, client, inward.is_done());
        match (there, back) {
            (Step::ReadBroke, _) | (_, Step::WriteBroke) => return Poll::Ready(End::ClientBroke),
            (_, Step::ReadBroke) | (Step::WriteBroke, _) => return Poll::Ready(End::BackendBroke),
            (Step::Done, Step::Done) => return Poll::Ready(End::Whole),
            (Step::Waiting | Step::Done, _) => {}
        }
        if let Poll::Ready(why) = stop.as_mut().poll(cx) {
            return Poll::Ready(End::Stopped(why));
        }
        // The timer is set anew only when it fires: bytes cost it nothing.
        while quiet.as_mut().poll(cx).is_ready() {
            let moved = inward.moved() + outward.moved();
            if moved == seen {
                return Poll::Ready(End::Idle);
            }
            seen = moved;
            quiet.as_mut().reset(Instant::now() + idle);
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests;
