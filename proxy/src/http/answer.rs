//! A response's body on its way to a client: streamed, counted, never gathered.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::meter::Meter;
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
    Backend(UpstreamBody<Upload>),
}

impl Answer {
    pub(super) fn text(text: Bytes, meter: Meter) -> Self {
        Self { source: Source::Text(text), meter }
    }

    pub(super) fn backend(body: UpstreamBody<Upload>, meter: Meter) -> Self {
        Self { source: Source::Backend(body), meter }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let frame = match &mut this.source {
            Source::Text(text) if text.is_empty() => None,
            Source::Text(text) => Some(Ok(Frame::data(std::mem::take(text)))),
            Source::Backend(body) => ready!(Pin::new(body).poll_frame(cx)),
        };
        match &frame {
            Some(Ok(frame)) => this.meter.sent(frame.data_ref().map_or(0, Bytes::len)),
            Some(Err(_)) => this.meter.cut_short(),
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Text(text) => text.is_empty(),
            Source::Backend(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Text(text) => SizeHint::with_exact(text.len() as u64),
            Source::Backend(body) => body.size_hint(),
        }
    }
}
