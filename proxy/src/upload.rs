//! A request's body on its way to a backend in frames: streamed, counted, never gathered.

mod pipe;
mod stream;

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use h2::RecvStream;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

pub(crate) use pipe::{Feed, Piped, pipe};
use stream::Streamed;

use crate::upstream::Early;

/// A request's body on its way to a backend.
pub(crate) enum Upload {
    /// None, or nothing left: such a request can be sent twice.
    Empty,
    /// The client's.
    Client {
        /// What comes from the client. Most requests bring none, and shall not carry the room for one.
        body: Box<Source>,
        /// How far it came.
        progress: Rc<Progress>,
    },
}

/// Who reads a body from its client.
pub(crate) enum Source {
    /// h2, from a stream of HTTP/2.
    Stream(Streamed),
    /// The client's own task, from HTTP/1.1.
    Piped(Piped),
}

/// A body that broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokenOff {
    /// On HTTP/2. An HTTP/2 backend is told the same reason, which hyper finds by `source`.
    #[error("the client took its request back")]
    Stream(#[from] h2::Error),
    /// On HTTP/1.1.
    #[error(transparent)]
    Piped(#[from] pipe::BrokenOff),
}

/// How far an upload came, for those who wait for the answer.
pub(crate) struct Progress {
    /// Bytes taken from the client.
    pub(crate) bytes: Cell<u64>,
    /// When the last frame was taken.
    pub(crate) last: Cell<Instant>,
    /// Whether more was asked of the client than it has sent.
    pub(crate) waits_for_client: Cell<bool>,
    /// Whether it was said how long the body is. If not it may be one half of a conversation.
    pub(crate) has_length: bool,
}

impl Upload {
    /// What comes over `stream` behind a head that said `length`. A client that waits for a word before it sends
    /// is invited by `early` once something is wanted of it.
    pub(crate) fn stream(stream: RecvStream, length: Option<u64>, early: Option<Early>) -> Self {
        if stream.is_end_stream() {
            return Self::Empty;
        }
        Self::of(Source::Stream(Streamed::new(stream, length, early)))
    }

    pub(crate) fn piped(body: Piped) -> Self {
        Self::of(Source::Piped(body))
    }

    fn of(body: Source) -> Self {
        let has_length = match &body {
            Source::Stream(body) => body.size_hint().exact(),
            Source::Piped(body) => body.size_hint().exact(),
        };
        let progress = Progress {
            has_length: has_length.is_some(),
            bytes: Cell::new(0),
            last: Cell::new(Instant::now()),
            waits_for_client: Cell::new(false),
        };
        Self::Client { body: Box::new(body), progress: Rc::new(progress) }
    }

    pub(crate) fn progress(&self) -> Option<Rc<Progress>> {
        match self {
            Self::Empty => None,
            Self::Client { progress, .. } => Some(progress.clone()),
        }
    }
}

/// Nobody waits for it any more.
impl Drop for Upload {
    fn drop(&mut self) {
        if let Self::Client { progress, .. } = self {
            progress.waits_for_client.set(false);
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let Self::Client { body, progress } = &mut *self else { return Poll::Ready(None) };
        let polled = match &mut **body {
            Source::Stream(body) => Pin::new(body).poll_frame(cx).map_err(BrokenOff::from),
            Source::Piped(body) => Pin::new(body).poll_frame(cx).map_err(BrokenOff::from),
        };
        progress.waits_for_client.set(polled.is_pending());
        let frame = ready!(polled);
        progress.last.set(Instant::now());
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            progress.bytes.set(progress.bytes.get() + data.remaining() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Client { body, .. } => match &**body {
                Source::Stream(body) => body.is_end_stream(),
                Source::Piped(body) => body.is_end_stream(),
            },
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Client { body, .. } => match &**body {
                Source::Stream(body) => body.size_hint(),
                Source::Piped(body) => body.size_hint(),
            },
        }
    }
}
