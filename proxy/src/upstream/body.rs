use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;

use super::choose::Lease;
use super::h1::Idle;
use super::h2::Stream;

/// The body of a backend's response. Read to its end it gives its connection back to be used again;
/// dropped before, an HTTP/1.1 connection closes and an HTTP/2 stream is reset.
pub struct UpstreamBody<B> {
    body: Incoming,
    lease: Option<Lease>,
    home: Option<(SendRequest<B>, Rc<Idle<B>>)>,
    /// Held for what its end does.
    _stream: Option<Stream>,
}

impl<B> UpstreamBody<B> {
    /// A body that is alone on its connection.
    pub(super) fn own(body: Incoming, lease: Lease, home: Option<(SendRequest<B>, Rc<Idle<B>>)>) -> Self {
        let mut this = Self { body, lease: Some(lease), home, _stream: None };
        this.end_if_over();
        this
    }

    /// The body of a response on a connection shared with others.
    pub(super) fn shared(response: Response<Incoming>, stream: Stream, lease: Lease) -> Response<Self> {
        stream.answered();
        response.map(|body| Self { body, lease: Some(lease), home: None, _stream: Some(stream) })
    }

    /// What counts the backend as busy, for a response that becomes a tunnel. None when the body has
    /// ended already.
    pub fn into_lease(mut self) -> Option<Lease> {
        self.lease.take()
    }

    fn end_if_over(&mut self) {
        if self.body.is_end_stream() && self.home.is_some() {
            self.end();
        }
    }

    fn end(&mut self) {
        let lease = self.lease.take();
        if let (Some((sender, idle)), Some(lease)) = (self.home.take(), lease) {
            idle.keep(lease.upstream().id(), sender);
        }
    }
}

impl<B> Body for UpstreamBody<B> {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(_)) => self.end_if_over(),
            None => self.end(),
            // The connection is of no further use.
            Some(Err(_)) => self.home = None,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> fmt::Debug for UpstreamBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody").field("lease", &self.lease).finish_non_exhaustive()
    }
}
