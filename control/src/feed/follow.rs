//! One proxy's stream: a task that hears it, and the stream of what it is sent.

mod hear;
mod send;

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use proto::Revision;
use proto::wire::FollowRequest;
use tokio::sync::watch;
use tonic::{Request, Status, Streaming};

use self::hear::Hearing;
use self::send::Sending;
use super::Shared;
use super::frame::Frame;
use crate::drain::Signal;
use crate::tasks::Tasks;

/// What the one who hears the proxy lets the one who sends to it know.
#[derive(Debug, Clone, Default)]
struct Heard {
    /// Set once, by the hello.
    hello: Option<Hello>,
    /// Refusals so far.
    nacks: u64,
    /// Refusals since the last acknowledgement.
    nacks_in_a_row: u32,
    /// The revision refused last.
    refused: Option<Revision>,
    /// The stream is over: why, or none when the proxy has just left.
    over: Option<Option<Status>>,
}

#[derive(Debug, Clone, Copy)]
struct Hello {
    /// What the proxy has, if deltas may lead on from it.
    holds: Option<Revision>,
}

/// Answers a call of Follow.
pub(super) fn follow(
    shared: Arc<Shared>,
    tasks: &Tasks,
    signal: Signal,
    request: Request<Streaming<FollowRequest>>,
) -> BoxStream<'static, Result<Frame, Status>> {
    let (heard, hears) = watch::channel(Heard::default());
    let peer = request.remote_addr();
    let hearing = Hearing::new(shared.clone(), request.into_inner(), peer, heard);
    tasks.spawn("route feed stream", hearing.run(signal));
    let sending = Sending::new(shared, hears);
    stream::unfold(sending, |mut sending| async { sending.next().await.map(|frame| (frame, sending)) })
        .boxed()
}
