use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::super::RequestBody;
use super::super::choose::Lease;
use super::upload::Upload;
use super::{Connection, H1};
use crate::http1::{Body, Chunks, Framing, Step};

/// The body of an answer that comes over a connection of its own.
pub(in super::super) struct Answer<B> {
    connection: Option<Connection>,
    reading: Reading,
    /// What the client still sends: a backend may answer before it has heard all.
    upload: Option<Upload<B>>,
    /// Where the connection goes after the last byte, if it can be used again.
    home: Option<Rc<H1>>,
    lease: Option<Lease>,
}

enum Reading {
    Plain(Body),
    Chunked(Chunks),
    Over,
}

/// The backend closed, or sent what is not HTTP, in the middle of its answer.
#[derive(Debug, thiserror::Error)]
#[error("the backend broke off its answer")]
pub struct BrokenOff;

impl<B: RequestBody> Answer<B> {
    pub(super) fn new(
        connection: Connection,
        framing: Framing,
        upload: Option<Upload<B>>,
        home: Option<Rc<H1>>,
        lease: Lease,
    ) -> Self {
        let reading = match framing {
            Framing::Empty | Framing::Length(0) => Reading::Over,
            Framing::Chunked => Reading::Chunked(Chunks::new()),
            Framing::Length(_) | Framing::UntilClose => Reading::Plain(Body::new(framing)),
        };
        let mut this = Self { connection: Some(connection), reading, upload, home, lease: Some(lease) };
        if matches!(this.reading, Reading::Over) && this.home.is_some() {
            this.end();
        }
        this
    }

    /// The connection, what was read of it beyond the head, and what counts the backend as busy: for an
    /// answer after which something else is spoken.
    pub(in super::super) fn into_tunnel(mut self) -> Option<(Connection, Lease)> {
        Some((self.connection.take()?, self.lease.take()?))
    }

    /// All was read: the connection goes home if nothing else is under way on it.
    fn end(&mut self) {
        self.reading = Reading::Over;
        let lease = self.lease.take();
        if let (Some(connection), Some(home), Some(lease), None) =
            (self.connection.take(), self.home.take(), lease, &self.upload)
        {
            home.keep(&lease, connection);
        }
    }

    /// The next frame of what was read already.
    fn next(&mut self) -> Result<Option<Frame<Bytes>>, BrokenOff> {
        let Some(connection) = &mut self.connection else { return Ok(None) };
        match &mut self.reading {
            Reading::Over => Ok(None),
            Reading::Plain(body) => {
                let taken = body.scan(connection.unread()).map_err(|_| BrokenOff)?.taken;
                let data = Bytes::copy_from_slice(connection.unread().get(..taken).unwrap_or_default());
                connection.consume(taken);
                if body.is_over() {
                    self.end();
                }
                Ok((!data.is_empty()).then(|| Frame::data(data)))
            }
            Reading::Chunked(chunks) => match chunks.step(connection.unread()).map_err(|_| BrokenOff)? {
                Step::Data { skip, length } => {
                    let data = connection.unread().get(skip..skip + length).unwrap_or_default();
                    let data = Bytes::copy_from_slice(data);
                    connection.consume(skip + length);
                    Ok(Some(Frame::data(data)))
                }
                Step::More { taken } => {
                    connection.consume(taken);
                    Ok(None)
                }
                Step::End { taken } => {
                    connection.consume(taken);
                    let mut trailers = HeaderMap::new();
                    for field in chunks.trailers() {
                        let name = HeaderName::from_bytes(field.name).map_err(|_| BrokenOff)?;
                        let value = HeaderValue::from_bytes(field.value).map_err(|_| BrokenOff)?;
                        trailers.append(name, value);
                    }
                    self.end();
                    Ok((!trailers.is_empty()).then(|| Frame::trailers(trailers)))
                }
            },
        }
    }
}

impl<B: RequestBody> HttpBody for Answer<B> {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = &mut *self;
        if let (Some(upload), Some(connection)) = (&mut this.upload, &mut this.connection) {
            match upload.poll(cx, connection) {
                Poll::Ready(Ok(())) => this.upload = None,
                // Whoever takes no more, or hears no more, may still answer; the connection is spent.
                Poll::Ready(Err(_)) => (this.upload, this.home) = (None, None),
                Poll::Pending => {}
            }
        }
        loop {
            if this.connection.as_ref().is_some_and(|connection| !connection.unread().is_empty()) {
                match this.next() {
                    Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                    Ok(None) => {}
                    Err(broken) => return Poll::Ready(Some(Err(broken))),
                }
            }
            let (Some(connection), false) = (&mut this.connection, matches!(this.reading, Reading::Over))
            else {
                return Poll::Ready(None);
            };
            let ends_well = match (ready!(connection.poll_fill(cx)), &mut this.reading) {
                (Ok(1..), _) => continue,
                (Ok(0), Reading::Plain(body)) => body.end().is_ok(),
                (Ok(0), Reading::Chunked(_) | Reading::Over) | (Err(_), _) => false,
            };
            this.home = None;
            this.end();
            return Poll::Ready(if ends_well { None } else { Some(Err(BrokenOff)) });
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.reading, Reading::Over)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.reading {
            Reading::Over => SizeHint::with_exact(0),
            Reading::Plain(body) => body.remaining().map_or_else(SizeHint::default, SizeHint::with_exact),
            Reading::Chunked(_) => SizeHint::default(),
        }
    }
}
