use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::RequestBody;
use super::choose::Lease;
use super::h1::{Answer, BrokenOff, Connection};
use super::h2::Stream;
use crate::http1::sifted;

/// The body of a backend's response. Read to its end it gives its connection back to be used again;
/// dropped before, an HTTP/1.1 connection closes and an HTTP/2 stream is reset.
pub struct UpstreamBody<B>(Kind<B>);

enum Kind<B> {
    /// Alone on its connection.
    Own(Box<Answer<B>>),
    /// On a connection shared with others. Lease and stream are held for what their ends do.
    Shared(Incoming, #[allow(dead_code, reason = "held for what its end does")] (Lease, Stream)),
}

/// A response that broke off.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// On HTTP/1.1.
    #[error(transparent)]
    Own(#[from] BrokenOff),
    /// On HTTP/2.
    #[error(transparent)]
    Shared(#[from] hyper::Error),
    /// On HTTP/2, by a reset that gave no reason.
    #[error("the backend reset its answer")]
    Unended,
    /// On HTTP/2, by more trailers than a section may have.
    #[error("the backend sent too many trailers")]
    Trailers,
}

impl<B: RequestBody> UpstreamBody<B> {
    pub(super) fn own(answer: Answer<B>) -> Self {
        Self(Kind::Own(Box::new(answer)))
    }

    pub(super) fn shared(response: Response<Incoming>, stream: Stream, lease: Lease) -> Response<Self> {
        stream.answered();
        response.map(|body| Self(Kind::Shared(body, (lease, stream))))
    }

    /// The connection and what counts the backend as busy: for an HTTP/1.1 response after which something
    /// else is spoken.
    pub fn into_tunnel(self) -> Option<(Connection, Lease)> {
        match self.0 {
            Kind::Own(answer) => answer.into_tunnel(),
            Kind::Shared(..) => None,
        }
    }
}

impl<B: RequestBody> Body for UpstreamBody<B> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Kind::Own(answer) => Pin::new(&mut **answer).poll_frame(cx).map_err(BodyError::from),
            Kind::Shared(body, _) => match ready!(Pin::new(&mut *body).poll_frame(cx)) {
                // hyper takes a reset that says that nothing is wrong for the end (RFC 9113 8.1). It is not one
                // unless the backend has said so before.
                None if !body.is_end_stream() => Poll::Ready(Some(Err(BodyError::Unended))),
                None => Poll::Ready(None),
                Some(frame) => Poll::Ready(judged(frame?).transpose()),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Own(answer) => answer.is_end_stream(),
            Kind::Shared(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Own(answer) => answer.size_hint(),
            Kind::Shared(body, _) => body.size_hint(),
        }
    }
}

/// The frame as it may go on. None where it has trailers and none of them may: that is the end, too.
fn judged(frame: Frame<Bytes>) -> Result<Option<Frame<Bytes>>, BodyError> {
    let trailers = match frame.into_trailers() {
        Ok(trailers) => trailers,
        Err(data) => return Ok(Some(data)),
    };
    let trailers = sifted(trailers).map_err(|_| BodyError::Trailers)?;
    Ok((!trailers.is_empty()).then(|| Frame::trailers(trailers)))
}

impl<B> fmt::Debug for UpstreamBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if matches!(self.0, Kind::Own(_)) { "http/1.1" } else { "h2c" };
        f.debug_tuple("UpstreamBody").field(&kind).finish()
    }
}
