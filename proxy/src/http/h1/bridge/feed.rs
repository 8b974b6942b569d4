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
    /// The client waits for it in vain.
    is_uninvited: bool,
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
        (Self { feed, body, invitation, is_uninvited: false }, piped)
    }

    /// Whether the body was read to its end.
    pub(super) fn is_over(&self) -> bool {
        self.feed.is_none()
    }

    /// Whether the client has a part of an invitation, so that nothing but the rest may follow.
    pub(super) fn is_inviting(&self) -> bool {
        (1..CONTINUE.len()).contains(&self.invitation.len())
    }

    /// The answer is there: nobody is invited any more. What is left of an invitation that was begun is to be said
    /// before it.
    pub(super) fn withdraw(&mut self) -> &'static [u8] {
        let has_begun = self.is_inviting();
        let left = std::mem::take(&mut self.invitation);
        self.is_uninvited = !left.is_empty() && !has_begun;
        if has_begun { left } else { b"" }
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
                Poll::Pending if is_wanted && !self.is_uninvited => return Ok(Step::Client),
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
        (self.invitation, self.is_uninvited) = (b"", false);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_said_to_its_end_or_not_at_all() {
        let expecting = || Feeder::new(Framing::Length(4), true).0;
        let mut silent = expecting();
        assert_eq!((silent.is_inviting(), silent.withdraw(), silent.is_uninvited), (false, &b""[..], true));
        let mut begun = expecting();
        begun.invitation = &CONTINUE[9..];
        assert!(begun.is_inviting(), "nothing but the rest may follow");
        assert_eq!((begun.withdraw(), begun.is_uninvited), (&b"100 Continue\r\n\r\n"[..], false));
        let mut said = expecting();
        said.invitation = b"";
        assert_eq!((said.is_inviting(), said.withdraw(), said.is_uninvited), (false, &b""[..], false));
        for mut over in [silent, begun, said] {
            assert_eq!((over.is_inviting(), over.withdraw()), (false, &b""[..]), "nobody is told again");
        }
    }
}
