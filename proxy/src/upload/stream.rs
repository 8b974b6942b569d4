use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, RecvStream};
use http_body::{Body, Frame, SizeHint};

use crate::http1::{is_trimmed, may_trail};
use crate::upstream::Early;

/// A request's body that comes over a stream of HTTP/2. Its window opens as the backend takes it.
pub(crate) struct Streamed {
    stream: RecvStream,
    /// As its head says, which h2 holds it to (RFC 9113 8.1.1).
    length: Option<u64>,
    /// Only trailers are still to come.
    is_data_over: bool,
    /// Where to say that the client may send, if it waits for that.
    invitation: Option<Early>,
}

impl Streamed {
    pub(super) fn new(stream: RecvStream, length: Option<u64>, invitation: Option<Early>) -> Self {
        Self { stream, length, is_data_over: false, invitation }
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, h2::Error>>> {
        let data = self.stream.poll_data(cx);
        if let Some(early) = self.invitation.take()
            && data.is_pending()
        {
            early.invite();
        }
        data
    }
}

/// What a backend is to hear of a stream that was reset. Told that nothing is wrong it might take what it has for
/// all there was.
fn broken_off(error: h2::Error) -> h2::Error {
    match error.reason() {
        Some(Reason::NO_ERROR) => Reason::CANCEL.into(),
        _ => error,
    }
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = h2::Error;

    /// A stream that is reset, for whatever reason, was not ended: its body is no whole one.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if !self.is_data_over {
            if let Some(data) = ready!(self.poll_data(cx)) {
                let data = data.map_err(broken_off)?;
                self.stream.flow_control().release_capacity(data.len())?;
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            self.is_data_over = true;
        }
        let trailers = ready!(self.stream.poll_trailers(cx)).map_err(broken_off)?;
        if !trailers
            .iter()
            .flatten()
            .all(|(name, value)| may_trail(name.as_str().as_bytes()) && is_trimmed(value.as_bytes()))
        {
            return Poll::Ready(Some(Err(Reason::PROTOCOL_ERROR.into())));
        }
        Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
