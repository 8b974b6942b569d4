//! A response's body on its way to a client: streamed, counted, never gathered.

use std::error::Error as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::Reason;
use http_body::{Body, Frame, SizeHint};

use super::meter::Meter;
use super::patience::Patience;
use super::vigil::Vigil;
use crate::refusal::Refusal;
use crate::upload::Upload;
use crate::upstream::{BodyError, UpstreamBody};

/// A response's body on its way to a client, and the account of the whole request.
pub(crate) struct Answer {
    source: Source,
    meter: Meter,
}

enum Source {
    /// Our own words.
    Text(Bytes),
    /// The backend's.
    Backend(Backend),
}

struct Backend {
    body: UpstreamBody<Upload>,
    patience: Patience,
    vigil: Vigil,
    /// Frames passed on.
    frames: u32,
}

/// After so many frames an answer counts as long, whether or not it ever stood still.
const MANY_FRAMES: u32 = 64;

/// Why an answer ends before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// The backend broke it off.
    #[error(transparent)]
    Backend(#[from] BodyError),
    /// The backend fell silent.
    #[error("the backend sent no more of its answer in time")]
    Silent,
    /// The client's address is not among the route's sources any more.
    #[error("the client may not have the rest of the answer")]
    Forbidden,
}

impl Broken {
    /// Under which name that is counted.
    pub(super) fn refusal(&self) -> Refusal {
        match self {
            Self::Backend(BodyError::Trailers) => Refusal::BackendGarbage,
            Self::Backend(BodyError::Own(_) | BodyError::Shared(_) | BodyError::Unended) => {
                Refusal::BackendReset
            }
            Self::Silent => Refusal::BackendTimeout,
            Self::Forbidden => Refusal::SourceNotAllowed,
        }
    }

    /// How a client that speaks HTTP/2 is told. What the backend said to us by frames is passed on.
    pub(super) fn reason(&self) -> Reason {
        let said = match self {
            Self::Backend(BodyError::Shared(error)) => {
                error.source().and_then(|source| source.downcast_ref::<h2::Error>())
            }
            Self::Backend(_) | Self::Silent | Self::Forbidden => None,
        };
        let reset = said.filter(|error| error.is_reset() && error.is_remote());
        match reset.and_then(h2::Error::reason) {
            // Nothing is wrong, but for the answer's end, which is missing.
            None | Some(Reason::NO_ERROR) => Reason::INTERNAL_ERROR,
            Some(reason) => reason,
        }
    }
}

impl Answer {
    pub(super) fn text(text: Bytes, meter: Meter) -> Self {
        Self { source: Source::Text(text), meter }
    }

    /// Nobody takes the rest of it.
    pub(super) fn cut(&mut self, refusal: Refusal) {
        self.meter.cut_short(refusal);
    }

    pub(super) fn backend(body: UpstreamBody<Upload>, vigil: Vigil, meter: Meter) -> Self {
        let timeouts = meter.timeouts();
        let patience = Patience::new(timeouts.body_idle, timeouts.watched_after);
        Self { source: Source::Backend(Backend { body, patience, vigil, frames: 0 }), meter }
    }
}

impl Backend {
    /// The next frame; `moved` counts what has moved so far, either way.
    fn poll(&mut self, cx: &mut Context<'_>, moved: u64) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if self.vigil.is_forbidden(cx) {
            return Poll::Ready(Some(Err(Broken::Forbidden)));
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.frames = self.frames.saturating_add(1);
            if self.frames == MANY_FRAMES {
                self.vigil.begin();
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Broken::from)));
        }
        if self.patience.is_over(cx, moved) {
            return Poll::Ready(Some(Err(Broken::Silent)));
        }
        if self.patience.is_long() {
            self.vigil.begin();
            if self.vigil.is_forbidden(cx) {
                return Poll::Ready(Some(Err(Broken::Forbidden)));
            }
        }
        Poll::Pending
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        let frame = match &mut this.source {
            Source::Text(text) if text.is_empty() => None,
            Source::Text(text) => Some(Ok(Frame::data(std::mem::take(text)))),
            Source::Backend(backend) => ready!(backend.poll(cx, this.meter.moved())),
        };
        match &frame {
            Some(Ok(frame)) => this.meter.sent(frame.data_ref().map_or(0, Bytes::len)),
            Some(Err(broken)) => this.meter.cut_short(broken.refusal()),
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Text(text) => text.is_empty(),
            Source::Backend(backend) => backend.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Text(text) => SizeHint::with_exact(text.len() as u64),
            Source::Backend(backend) => backend.body.size_hint(),
        }
    }
}
