use std::io::IoSlice;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;

use super::super::line::{ClientStream, Line};
use super::super::upload::{Broke, Step};
use crate::http1::{self, Body, Chunks, Framing};
use crate::refusal::Refusal;
use crate::upload::{Feed, Piped, pipe};

/// Takes a client's body out of its framing and feeds it to whoever sends it on.
pub(super) struct Feeder {
    feed: Option<Feed>,
    body: Payload,
    /// What is left to be said to a client that waits for it (RFC 9110 10.1.1).
    invitation: &'static [u8],
}

enum Payload {
    Plain(Body),
    Chunked(Chunks),
}

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

impl Feeder {
    /// For a body framed so, and the end of it that is read; none where there is no body.
    pub(super) fn new(framing: Framing, expects_continue: bool) -> (Self, Option<Piped>) {
        let length = match framing {
            Framing::Length(length) => Some(length),
            Framing::Empty | Framing::Chunked | Framing::UntilClose => None,
        };
        let body = match framing {
            Framing::Chunked => Payload::Chunked(Chunks::new()),
            Framing::Empty | Framing::Length(_) | Framing::UntilClose => Payload::Plain(Body::new(framing)),
        };
        let (feed, piped) = match framing {
            Framing::Empty | Framing::Length(0) => (None, None),
            Framing::Length(_) | Framing::Chunked | Framing::UntilClose => {
                let (feed, piped) = pipe(length);
                (Some(feed), Some(piped))
            }
        };
        let invitation = if expects_continue { CONTINUE } else { b"" };
        (Self { feed, body, invitation }, piped)
    }

    /// Whether the body was read to its end.
    pub(super) fn is_over(&self) -> bool {
        self.feed.is_none()
    }

    /// Reads what has come, as far as it is wanted.
    ///
    /// # Errors
    /// The client's fault, or the backend's when nobody wants the rest.
    pub(super) fn poll<S: ClientStream>(
        &mut self,
        cx: &mut Context<'_>,
        line: &mut Line<S>,
    ) -> Result<Step, Broke> {
        loop {
            let Some(feed) = &self.feed else { return Ok(Step::Done) };
            if feed.is_unread() {
                return Err(Broke::Backend);
            }
            if !feed.has_room(cx) {
                return Ok(Step::Backend);
            }
            if !line.inbound.is_empty() {
                self.take(line).map_err(|_| Broke::Client(Refusal::BadRequest))?;
                continue;
            }
            let is_wanted = feed.is_wanted(cx);
            if is_wanted && self.invite(cx, line).is_pending() {
                return Ok(Step::Client);
            }
            match line.poll_more_body(cx) {
                Poll::Ready(Ok(0) | Err(_)) => {
                    self.feed = None;
                    return Err(Broke::Client(Refusal::ClientGone));
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Pending if is_wanted => return Ok(Step::Client),
                Poll::Pending => return Ok(Step::Backend),
            }
        }
    }

    /// Tells a client that waits for it to send its body.
    fn invite<S: ClientStream>(&mut self, cx: &mut Context<'_>, line: &mut Line<S>) -> Poll<()> {
        while !self.invitation.is_empty() {
            match std::task::ready!(line.poll_write(cx, &[IoSlice::new(self.invitation)])) {
                Ok(said) => self.invitation = self.invitation.get(said..).unwrap_or_default(),
                // Reading will tell.
                Err(_) => self.invitation = b"",
            }
            if self.invitation.is_empty() {
                // What is not flushed now goes with the next write.
                let _ = line.poll_flush(cx);
            }
        }
        Poll::Ready(())
    }

    /// Feeds the next piece of what was read.
    fn take<S: ClientStream>(&mut self, line: &mut Line<S>) -> Result<(), http1::Fault> {
        let Some(feed) = &self.feed else { return Ok(()) };
        let copy = |line: &Line<S>, from: usize, length: usize| {
            Frame::data(Bytes::copy_from_slice(
                line.inbound.unread().get(from..from + length).unwrap_or_default(),
            ))
        };
        // Who sends unasked waits for no invitation.
        self.invitation = b"";
        match &mut self.body {
            Payload::Plain(body) => {
                let taken = body.scan(line.inbound.unread())?.taken;
                feed.put(copy(line, 0, taken));
                line.inbound.consume(taken);
                if body.is_over() {
                    feed.finish();
                    self.feed = None;
                }
            }
            Payload::Chunked(chunks) => match chunks.step(line.inbound.unread())? {
                http1::Step::Data { skip, length } => {
                    feed.put(copy(line, skip, length));
                    line.inbound.consume(skip + length);
                }
                http1::Step::More { taken } => line.inbound.consume(taken),
                http1::Step::End { taken } => {
                    line.inbound.consume(taken);
                    let mut trailers = HeaderMap::new();
                    for field in chunks.trailers() {
                        let name = HeaderName::from_bytes(field.name);
                        let value = HeaderValue::from_bytes(field.value);
                        if let (Ok(name), Ok(value)) = (name, value) {
                            trailers.append(name, value);
                        }
                    }
                    if !trailers.is_empty() {
                        feed.put(Frame::trailers(trailers));
                    }
                    feed.finish();
                    self.feed = None;
                }
            },
        }
        Ok(())
    }
}
