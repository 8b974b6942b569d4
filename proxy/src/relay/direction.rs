use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::buffers;
use crate::splice::{self, Bare, Pipe, Then};

/// One way of a relay.
pub(super) struct Direction<F> {
    size: usize,
    /// There only while bytes wait to be written, or a read is being tried.
    buffer: Option<Box<[u8]>>,
    from: usize,
    to: usize,
    /// There while much goes this way at once, where nothing of ours is around either connection.
    pipe: Option<Pipe>,
    /// The last read filled the buffer.
    is_bulk: bool,
    moved: u64,
    /// Told of bytes as they are passed on.
    tell: F,
    unflushed: bool,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Copying,
    /// The reader has ended; the writer's half is to be closed.
    Closing,
    Done,
}

/// How far a direction came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// As far as it goes now; it will be woken.
    Waiting,
    /// Everything is passed on, the end too.
    Done,
    /// The side read from broke.
    ReadBroke,
    /// The side written to broke.
    WriteBroke,
}

impl<F: Fn(u64)> Direction<F> {
    pub(super) fn new(size: usize, tell: F) -> Self {
        Self {
            size,
            buffer: None,
            from: 0,
            to: 0,
            pipe: None,
            is_bulk: false,
            moved: 0,
            tell,
            unflushed: false,
            state: State::Copying,
        }
    }

    /// Bytes passed on so far.
    pub(super) fn moved(&self) -> u64 {
        self.moved
    }

    /// Whether everything is passed on.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Passes on what there is. The end of the `last` direction need not be said where both connections are
    /// closed right behind it, which says the same.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut (impl AsyncRead + Bare + Unpin),
        writer: &mut (impl AsyncWrite + Bare + Unpin),
        last: bool,
    ) -> Step {
        loop {
            match self.poll_write(cx, Pin::new(&mut *writer)) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Step::WriteBroke,
                Poll::Pending => return Step::Waiting,
            }
            if let Some(step) = self.poll_pipe(cx, reader, writer) {
                return step;
            }
            match self.state {
                State::Copying => match self.poll_read(cx, Pin::new(&mut *reader)) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(_)) => return Step::ReadBroke,
                    Poll::Pending => return self.rest(cx, Pin::new(writer)),
                },
                State::Closing if last && writer.bare().is_some() => self.state = State::Done,
                State::Closing => match Pin::new(&mut *writer).poll_shutdown(cx) {
                    Poll::Ready(Ok(())) => self.state = State::Done,
                    Poll::Ready(Err(_)) => return Step::WriteBroke,
                    Poll::Pending => return Step::Waiting,
                },
                State::Done => return Step::Done,
            }
        }
    }

    /// Passes on what there is through a pipe, if it is much. None when the rest is to be copied, or there is none.
    fn poll_pipe(&mut self, cx: &mut Context<'_>, reader: &impl Bare, writer: &impl Bare) -> Option<Step> {
        if self.state != State::Copying || !self.is_bulk {
            return None;
        }
        let (from, to) = (reader.bare()?, writer.bare()?);
        if self.pipe.is_none() {
            self.pipe = Some(Pipe::lend()?);
            self.release();
        }
        let passed = self.pipe.as_mut()?.poll(cx, from, to, u64::MAX);
        if passed.given > 0 {
            self.moved += passed.given;
            (self.tell)(passed.given);
        }
        match passed.then {
            Then::WaitsToRead => {
                // It may be long, and others have use for the pipe.
                self.pipe = None;
                self.is_bulk = passed.taken >= splice::WORTH_IT;
                Some(Step::Waiting)
            }
            Then::WaitsToWrite | Then::Yields => Some(Step::Waiting),
            Then::Done | Then::Ended => {
                self.pipe = None;
                self.state = State::Closing;
                None
            }
            Then::ReadBroke => Some(Step::ReadBroke),
            Then::WriteBroke => Some(Step::WriteBroke),
        }
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        mut writer: Pin<&mut impl AsyncWrite>,
    ) -> Poll<std::io::Result<()>> {
        while let Some(waiting) = self.buffer.as_ref().and_then(|buffer| buffer.get(self.from..self.to)) {
            if waiting.is_empty() {
                break;
            }
            match writer.as_mut().poll_write(cx, waiting) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    self.from += written;
                    self.moved += written as u64;
                    (self.tell)(written as u64);
                    self.unflushed = true;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        (self.from, self.to) = (0, 0);
        Poll::Ready(Ok(()))
    }

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        reader: Pin<&mut impl AsyncRead>,
    ) -> Poll<std::io::Result<()>> {
        let buffer = self.buffer.get_or_insert_with(|| buffers::take(self.size));
        let mut space = ReadBuf::new(buffer);
        let polled = reader.poll_read(cx, &mut space);
        if let Poll::Ready(Ok(())) = polled {
            self.to = space.filled().len();
            self.is_bulk = self.to == self.size;
            if self.to == 0 {
                self.state = State::Closing;
                self.release();
            }
        }
        polled
    }

    /// Nothing is left to read: lets the writer send what it holds back, and gives up the buffer.
    fn rest(&mut self, cx: &mut Context<'_>, writer: Pin<&mut impl AsyncWrite>) -> Step {
        self.release();
        if self.unflushed {
            match writer.poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(_)) => return Step::WriteBroke,
                Poll::Pending => {}
            }
        }
        Step::Waiting
    }
}

impl<F> Direction<F> {
    fn release(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            buffers::give_back(buffer);
        }
    }
}

impl<F> Drop for Direction<F> {
    fn drop(&mut self) {
        self.release();
    }
}
