use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use super::line::{ClientStream, Line};
use super::upload::Step;
use crate::buffers::Text;
use crate::http1::{self, Body, Chunks, Fault, Framing, write};
use crate::refusal::Refusal;
use crate::splice::{self, Bare as _, Pipe, Then};
use crate::upstream::Connection;

/// An answer on its way to a client: our head, then the backend's body.
pub(super) struct Download {
    /// What goes before the next bytes of the body: our head, or the line of a chunk.
    text: Text,
    written: usize,
    body: Payload,
    /// Bytes of the body that were put behind the text.
    behind: usize,
    /// Bytes at the front of what the backend sent that belong to the body and may be written.
    ready: usize,
    /// What goes behind them: the end of a chunk.
    tail: &'static [u8],
    /// Through which the rest goes where that is worth it and neither side speaks TLS.
    pipe: Option<Pipe>,
    passed: u64,
    has_begun: bool,
    is_flushed: bool,
}

/// A piece of a body that is copied behind the head: less dear than to write two pieces.
const COPIED: usize = 1024;

/// How the body is passed on.
enum Payload {
    /// Byte for byte as it comes.
    AsItIs(Body),
    /// Without its chunks, which HTTP/1.0 does not know.
    Bare(Chunks),
    /// In chunks of our own: it ends with the backend's connection, but not with the client's.
    InChunks(Body),
    Over,
}

impl Download {
    /// `head` stands ready. A client that `takes_chunks` sees by them whether the answer is whole.
    pub(super) fn new(head: Text, framing: Framing, takes_chunks: bool) -> Self {
        let body = match framing {
            Framing::Empty => Payload::Over,
            Framing::Chunked if !takes_chunks => Payload::Bare(Chunks::new()),
            Framing::UntilClose if takes_chunks => Payload::InChunks(Body::new(framing)),
            Framing::Chunked | Framing::Length(_) | Framing::UntilClose => {
                Payload::AsItIs(Body::new(framing))
            }
        };
        Self {
            text: head,
            written: 0,
            body,
            behind: 0,
            ready: 0,
            tail: b"",
            pipe: None,
            passed: 0,
            has_begun: false,
            is_flushed: true,
        }
    }

    /// Whether the client has any of it, be it of the head.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Bytes of the body that the client's connection took.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Passes on what there is.
    ///
    /// # Errors
    /// Why it ends before its end.
    pub(super) fn poll<S: ClientStream>(
        &mut self,
        cx: &mut Context<'_>,
        line: &mut Line<S>,
        backend: &mut Connection,
    ) -> Result<Step, Refusal> {
        let gone = Refusal::ClientGone;
        loop {
            if let Some(step) = self.poll_pipe(cx, line, backend)? {
                return Ok(step);
            }
            self.scan(backend).map_err(|_| Refusal::BackendGarbage)?;
            match self.write(cx, line, backend) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Err(gone),
                Poll::Pending => return Ok(Step::Client),
            }
            if self.is_over() {
                return match self.flush(cx, line) {
                    Poll::Ready(Ok(())) => Ok(Step::Done),
                    Poll::Ready(Err(_)) => Err(gone),
                    Poll::Pending => Ok(Step::Client),
                };
            }
            if !backend.unread().is_empty() || self.takes_pipe(line) {
                continue;
            }
            match backend.poll_fill(cx) {
                Poll::Ready(Ok(0)) => self.end().map_err(|_| Refusal::BackendReset)?,
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Err(Refusal::BackendReset),
                Poll::Pending => {
                    return match self.flush(cx, line) {
                        Poll::Ready(Err(_)) => Err(gone),
                        Poll::Ready(Ok(())) => Ok(Step::Backend),
                        Poll::Pending => Ok(Step::Client),
                    };
                }
            }
        }
    }

    /// Whether the rest goes through a pipe from here on.
    fn takes_pipe<S: ClientStream>(&mut self, line: &Line<S>) -> bool {
        let Payload::AsItIs(body) = &self.body else { return false };
        if line.to_bare().is_some() && body.remaining().is_some_and(|left| left >= splice::WORTH_IT) {
            self.pipe = Pipe::lend();
        }
        self.pipe.is_some()
    }

    /// Passes on what goes through the pipe, if there is one. None when there is none any more.
    fn poll_pipe<S: ClientStream>(
        &mut self,
        cx: &mut Context<'_>,
        line: &Line<S>,
        backend: &Connection,
    ) -> Result<Option<Step>, Refusal> {
        let (Some(pipe), Payload::AsItIs(body)) = (&mut self.pipe, &mut self.body) else { return Ok(None) };
        let (Some(to), Some(from)) = (line.to_bare(), backend.bare()) else { return Ok(None) };
        let passed = pipe.poll(cx, from, to, body.remaining().unwrap_or_default());
        body.pass(passed.taken);
        self.passed += passed.given;
        match passed.then {
            Then::Done => self.pipe = None,
            Then::WaitsToRead => {
                // It may be long, and others have use for the pipe.
                self.pipe = None;
                return Ok(Some(Step::Backend));
            }
            Then::WaitsToWrite => return Ok(Some(Step::Client)),
            Then::Yields => return Ok(Some(Step::Backend)),
            Then::Ended | Then::ReadBroke => return Err(Refusal::BackendReset),
            Then::WriteBroke => return Err(Refusal::ClientGone),
        }
        Ok(None)
    }

    fn is_over(&self) -> bool {
        match &self.body {
            Payload::AsItIs(body) => body.is_over(),
            Payload::Bare(_) | Payload::InChunks(_) => false,
            Payload::Over => true,
        }
    }

    /// The backend has closed.
    fn end(&mut self) -> Result<(), Fault> {
        match &mut self.body {
            Payload::AsItIs(body) => body.end(),
            Payload::Bare(_) => Err(Fault::Truncated),
            Payload::InChunks(_) => {
                write::last_chunk(&mut self.text, std::iter::empty());
                self.body = Payload::Over;
                Ok(())
            }
            Payload::Over => Ok(()),
        }
    }

    /// Looks over what came of the body.
    fn scan(&mut self, backend: &mut Connection) -> Result<(), Fault> {
        while self.ready == 0 && self.tail.is_empty() && !backend.unread().is_empty() {
            match &mut self.body {
                Payload::Over => break,
                Payload::AsItIs(body) if body.is_over() => break,
                Payload::AsItIs(body) => {
                    self.ready = body.scan(backend.unread())?.taken;
                    if !self.text.is_empty() && self.ready <= COPIED {
                        self.text.extend_from_slice(backend.unread().get(..self.ready).unwrap_or_default());
                        backend.consume(self.ready);
                        self.behind += std::mem::take(&mut self.ready);
                    }
                }
                Payload::InChunks(body) => {
                    self.ready = body.scan(backend.unread())?.taken;
                    write::chunk_line(&mut self.text, self.ready);
                    self.tail = b"\r\n";
                }
                Payload::Bare(chunks) => match chunks.step(backend.unread())? {
                    http1::Step::Data { skip, length } => {
                        backend.consume(skip);
                        self.ready = length;
                    }
                    http1::Step::More { taken } => backend.consume(taken),
                    http1::Step::End { taken } => {
                        backend.consume(taken);
                        self.body = Payload::Over;
                    }
                },
            }
        }
        Ok(())
    }

    fn write<S: ClientStream>(
        &mut self,
        cx: &mut Context<'_>,
        line: &mut Line<S>,
        backend: &mut Connection,
    ) -> Poll<io::Result<()>> {
        loop {
            let text = self.text.get(self.written..).unwrap_or_default();
            let body = backend.unread().get(..self.ready).unwrap_or_default();
            let written = match (text, body, self.tail) {
                ([], [], []) => {
                    self.text.clear();
                    self.written = 0;
                    self.passed += std::mem::take(&mut self.behind) as u64;
                    return Poll::Ready(Ok(()));
                }
                (one, [], []) | ([], one, []) => line.poll_write(cx, &[IoSlice::new(one)]),
                _ => line.poll_write(cx, &[text, body, self.tail].map(IoSlice::new)),
            };
            let written = ready!(written)?;
            (self.has_begun, self.is_flushed) = (true, false);
            let of_text = written.min(text.len());
            let of_body = (written - of_text).min(self.ready);
            self.written += of_text;
            backend.consume(of_body);
            self.ready -= of_body;
            self.passed += of_body as u64;
            self.tail = self.tail.get(written - of_text - of_body..).unwrap_or_default();
        }
    }

    fn flush<S: ClientStream>(&mut self, cx: &mut Context<'_>, line: &mut Line<S>) -> Poll<io::Result<()>> {
        if !self.is_flushed {
            ready!(line.poll_flush(cx))?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }
}
