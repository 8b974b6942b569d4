//! A request's body on its way to a backend: streamed, counted, never gathered.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

/// A request's body on its way to a backend.
pub(crate) enum Upload {
    /// None, or nothing left: such a request can be sent twice.
    Empty,
    /// The client's.
    Client {
        /// What comes from the client.
        body: Incoming,
        /// How far it came.
        progress: Rc<Progress>,
    },
}

/// How far an upload came, for those who wait for the answer.
pub(crate) struct Progress {
    /// Bytes taken from the client.
    pub(crate) bytes: Cell<u64>,
    /// When the last frame was taken.
    pub(crate) last: Cell<Instant>,
    /// Whether more was asked of the client than it has sent.
    pub(crate) waits_for_client: Cell<bool>,
}

impl Upload {
    pub(crate) fn new(body: Incoming) -> Self {
        if body.is_end_stream() {
            return Self::Empty;
        }
        let progress = Progress {
            bytes: Cell::new(0),
            last: Cell::new(Instant::now()),
            waits_for_client: Cell::new(false),
        };
        Self::Client { body, progress: Rc::new(progress) }
    }

    pub(crate) fn progress(&self) -> Option<Rc<Progress>> {
        match self {
            Self::Empty => None,
            Self::Client { progress, .. } => Some(progress.clone()),
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Self::Client { body, progress } = &mut *self else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
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
            Self::Client { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Client { body, .. } => body.size_hint(),
        }
    }
}
