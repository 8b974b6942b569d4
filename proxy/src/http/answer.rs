//! A response's body on its way to a client: streamed, counted, never gathered.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::meter::Meter;
use super::patience::Patience;
use crate::refusal::Refusal;
use crate::upload::Upload;
use crate::upstream::UpstreamBody;

/// A response's body on its way to a client, and the account of the whole request.
pub(crate) struct Answer {
    source: Source,
    meter: Meter,
}

enum Source {
    /// Our own words.
    Text(Bytes),
    /// The backend's.
    Backend(UpstreamBody<Upload>, Patience),
}

/// Why an answer ends before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// The backend broke it off.
    #[error(transparent)]
    Backend(#[from] hyper::Error),
    /// The backend fell silent.
    #[error("the backend sent no more of its answer in time")]
    Silent,
}

impl Answer {
    pub(super) fn text(text: Bytes, meter: Meter) -> Self {
        Self { source: Source::Text(text), meter }
    }

    pub(super) fn backend(body: UpstreamBody<Upload>, meter: Meter) -> Self {
        let patience = Patience::new(meter.timeouts().body_idle);
        Self { source: Source::Backend(body, patience), meter }
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
            Source::Backend(body, patience) => match Pin::new(body).poll_frame(cx) {
                Poll::Ready(frame) => frame.map(|frame| frame.map_err(Broken::from)),
                Poll::Pending if patience.is_over(cx, this.meter.moved()) => Some(Err(Broken::Silent)),
                Poll::Pending => return Poll::Pending,
            },
        };
        match &frame {
            Some(Ok(frame)) => this.meter.sent(frame.data_ref().map_or(0, Bytes::len)),
            Some(Err(Broken::Backend(_))) => this.meter.cut_short(Refusal::BackendReset),
            Some(Err(Broken::Silent)) => this.meter.cut_short(Refusal::BackendTimeout),
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Text(text) => text.is_empty(),
            Source::Backend(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Text(text) => SizeHint::with_exact(text.len() as u64),
            Source::Backend(body, _) => body.size_hint(),
        }
    }
}
