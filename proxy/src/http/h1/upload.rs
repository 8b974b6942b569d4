use std::io::IoSlice;
use std::task::{Context, Poll};

use super::line::{ClientStream, Line};
use crate::buffers::Text;
use crate::http1::{Body, Framing};
use crate::refusal::Refusal;
use crate::splice::{self, Bare as _, Pipe, Then};
use crate::upstream::Connection;

/// A request on its way to a backend: our head, then the client's body, byte for byte as it comes.
pub(super) struct Upload {
    head: Text,
    /// Bytes of the head that are written.
    written: usize,
    body: Body,
    /// Bytes at the front of what the client sent that belong to the body and may be written.
    ready: usize,
    /// Through which the rest goes where that is worth it and the client does not speak TLS.
    pipe: Option<Pipe>,
    passed: u64,
    /// The client sends nothing before it is told to, which is the backend's to say (RFC 9110 10.1.1).
    waits_for_word: bool,
}

/// How far one way of an exchange came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Everything is passed on.
    Done,
    /// The client is slow.
    Client,
    /// The backend is.
    Backend,
}

/// Which side failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broke {
    /// The client went away, or what it sent is no body.
    Client(Refusal),
    /// The backend takes no more.
    Backend,
}

impl Upload {
    /// `head` stands ready; the body has yet to be read, of a client that may wait for a word before it sends
    /// it.
    pub(super) fn new(head: Text, framing: Framing, waits_for_word: bool) -> Self {
        Self { head, written: 0, body: Body::new(framing), ready: 0, pipe: None, passed: 0, waits_for_word }
    }

    /// Whether the client waits to be told to send its body.
    pub(super) fn waits_for_word(&self) -> bool {
        self.waits_for_word
    }

    /// The client is told to send its body.
    pub(super) fn is_asked_for(&mut self) {
        self.waits_for_word = false;
    }

    /// Whether the client has said how much it sends, and waits for nothing. What has no length may be one half of
    /// a conversation, and these are often quiet.
    pub(super) fn is_owed(&self) -> bool {
        matches!(self.body.framing(), Framing::Length(_)) && !self.waits_for_word
    }

    /// Bytes of the body that were passed on.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Whether nothing of the body is left to be read from the client.
    pub(super) fn is_consumed(&self) -> bool {
        self.body.is_over() && self.ready == 0 && self.is_pipe_empty()
    }

    /// Starts over, for another backend. Not once some of the body is gone.
    pub(super) fn rewind(&mut self) -> bool {
        let whole = self.passed == 0 && self.is_pipe_empty();
        if whole {
            (self.written, self.ready) = (0, 0);
            self.body = Body::new(self.body.framing());
        }
        whole
    }

    /// Passes on what there is.
    pub(super) fn poll<S: ClientStream>(
        &mut self,
        cx: &mut Context<'_>,
        line: &mut Line<S>,
        backend: &mut Connection,
    ) -> Result<Step, Broke> {
        loop {
            if let Some(step) = self.poll_pipe(cx, line, backend)? {
                return Ok(step);
            }
            self.scan(line)?;
            match self.write(cx, line, backend) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Err(Broke::Backend),
                Poll::Pending => return Ok(Step::Backend),
            }
            if self.body.is_over() {
                return Ok(Step::Done);
            }
            if !line.inbound.is_empty() || self.takes_pipe(line) {
                continue;
            }
            match line.poll_more_body(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Err(Broke::Client(Refusal::ClientGone)),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => return Ok(Step::Client),
            }
        }
    }

    fn is_pipe_empty(&self) -> bool {
        self.pipe.as_ref().is_none_or(Pipe::is_empty)
    }

    /// Whether the rest goes through a pipe from here on.
    fn takes_pipe<S: ClientStream>(&mut self, line: &Line<S>) -> bool {
        if line.bare().is_some() && self.body.remaining().is_some_and(|left| left >= splice::WORTH_IT) {
            self.pipe = Pipe::lend();
        }
        self.pipe.is_some()
    }

    /// Passes on what goes through the pipe, if there is one. None when there is none any more.
    fn poll_pipe<S: ClientStream>(
        &mut self,
        cx: &mut Context<'_>,
        line: &Line<S>,
        backend: &mut Connection,
    ) -> Result<Option<Step>, Broke> {
        let (Some(pipe), Some(from)) = (&mut self.pipe, line.bare()) else { return Ok(None) };
        let passed = pipe.poll(cx, from, backend.socket(), self.body.remaining().unwrap_or_default());
        self.body.pass(passed.taken);
        self.passed += passed.given;
        // Who sends has been told, or never waited.
        self.waits_for_word &= passed.taken == 0;
        match passed.then {
            Then::Done => self.pipe = None,
            Then::WaitsToRead => {
                // It may be long, and others have use for the pipe.
                self.pipe = None;
                return Ok(Some(Step::Client));
            }
            Then::WaitsToWrite => return Ok(Some(Step::Backend)),
            Then::Yields => return Ok(Some(Step::Client)),
            Then::Ended | Then::ReadBroke => return Err(Broke::Client(Refusal::ClientGone)),
            Then::WriteBroke => {
                backend.breaks();
                return Err(Broke::Backend);
            }
        }
        Ok(None)
    }

    /// Looks over what came of the body.
    fn scan<S: ClientStream>(&mut self, line: &Line<S>) -> Result<(), Broke> {
        if self.ready > 0 || self.body.is_over() || line.inbound.is_empty() {
            return Ok(());
        }
        // Who sends has been told, or never waited.
        self.waits_for_word = false;
        let scanned = self.body.scan(line.inbound.unread());
        self.ready = scanned.map_err(|_| Broke::Client(Refusal::BadRequest))?.taken;
        Ok(())
    }

    fn write<S: ClientStream>(
        &mut self,
        cx: &mut Context<'_>,
        line: &mut Line<S>,
        backend: &mut Connection,
    ) -> Poll<std::io::Result<()>> {
        loop {
            let head = self.head.get(self.written..).unwrap_or_default();
            if head.is_empty() && self.ready == 0 {
                return Poll::Ready(Ok(()));
            }
            let body = line.inbound.unread().get(..self.ready).unwrap_or_default();
            let written = match (head.is_empty(), body.is_empty()) {
                (false, true) => backend.poll_write(cx, &[IoSlice::new(head)]),
                (true, false) => backend.poll_write(cx, &[IoSlice::new(body)]),
                _ => backend.poll_write(cx, &[IoSlice::new(head), IoSlice::new(body)]),
            };
            let written = std::task::ready!(written)?;
            let of_head = written.min(head.len());
            self.written += of_head;
            let of_body = written - of_head;
            line.inbound.consume(of_body);
            self.ready -= of_body;
            self.passed += of_body as u64;
        }
    }
}
