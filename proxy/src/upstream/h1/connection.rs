use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::super::error::Fault;
use crate::buffers::{self, Buffer};
use crate::http1::{Bounds, HeadScan};
use crate::splice::Bare;

/// A connection to a backend on which HTTP/1.1 is spoken, one request at a time.
pub struct Connection {
    stream: TcpStream,
    inbound: Buffer,
    /// Bytes read ahead, at most: a whole head must fit.
    most: usize,
    /// Whether anything was written to it since.
    touched: bool,
    /// Whether anything was read from it since.
    heard: bool,
    /// Whether a write has failed: it has not ended in order, whatever reading says.
    is_broken: bool,
    /// Bytes of interim heads that were read.
    interim: usize,
}

impl Connection {
    /// Speaks over `stream`, on which nothing is under way; `most` bytes are read ahead.
    pub(super) fn new(stream: TcpStream, most: usize) -> Self {
        Self {
            stream,
            inbound: Buffer::default(),
            most,
            touched: false,
            heard: false,
            is_broken: false,
            interim: 0,
        }
    }

    /// Whether any byte of the request was written.
    pub(crate) fn is_touched(&self) -> bool {
        self.touched
    }

    /// Writes what the kernel takes of `parts`.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(buffers::poll_write(Pin::new(&mut self.stream), cx, parts));
        self.touched |= written.is_ok();
        self.is_broken |= written.is_err();
        Poll::Ready(written)
    }

    /// Reads what has come. 0 is the stream's end.
    ///
    /// # Errors
    /// When the connection broke. The kernel tells it only once: who has heard it while writing reads what came
    /// before, and then an end that looks orderly.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.inbound.is_empty() {
            // The first time nothing has come yet, and that costs less to learn without memory for it.
            ready!(self.stream.poll_read_ready(cx))?;
        }
        let came = ready!(self.inbound.poll_fill(cx, Pin::new(&mut self.stream), self.most))?;
        self.heard |= came > 0;
        if came == 0 && self.is_broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(Ok(came))
    }

    /// Waits for the next head. Returns its length; it begins at the first byte of [`Self::unread`].
    ///
    /// # Errors
    /// [`Fault::Closed`] when the backend closed before a byte of an answer, [`Fault::CutShort`] when it did
    /// after one, [`Fault::Garbage`] when what came is no head.
    pub(crate) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        scan: &mut HeadScan,
        bounds: &Bounds,
    ) -> Poll<Result<usize, Fault>> {
        loop {
            if !self.inbound.is_empty()
                && let Some(head) = scan.look(self.inbound.unread(), bounds).map_err(|_| Fault::Garbage)?
            {
                return Poll::Ready(Ok(head.end));
            }
            if self.inbound.is_full(self.most) {
                return Poll::Ready(Err(Fault::Garbage));
            }
            match ready!(self.poll_fill(cx)) {
                Ok(0) if !self.inbound.is_empty() => return Poll::Ready(Err(Fault::Garbage)),
                Ok(0) | Err(_) if self.heard => return Poll::Ready(Err(Fault::CutShort)),
                Ok(0) | Err(_) => return Poll::Ready(Err(Fault::Closed)),
                Ok(_) => {}
            }
        }
    }

    /// What was read and not used yet.
    pub(crate) fn unread(&self) -> &[u8] {
        self.inbound.unread()
    }

    /// The first `count` bytes of it are used.
    pub(crate) fn consume(&mut self, count: usize) {
        self.inbound.consume(count);
    }

    /// The interim head of `length` bytes is used, and another one follows (RFC 9110 15.2). All of an answer
    /// together may be as long as one head.
    ///
    /// # Errors
    /// [`Fault::Garbage`] when there are more.
    pub(crate) fn consume_interim(&mut self, length: usize, bounds: &Bounds) -> Result<(), Fault> {
        self.consume(length);
        self.interim = self.interim.saturating_add(length);
        if self.interim > bounds.bytes { Err(Fault::Garbage) } else { Ok(()) }
    }

    /// The socket, to be written to.
    pub(crate) fn socket(&self) -> &TcpStream {
        &self.stream
    }

    /// A write has failed elsewhere.
    pub(crate) fn breaks(&mut self) {
        self.is_broken = true;
    }

    /// The stream, when nothing was read of it that was not used.
    pub(super) fn into_idle(self) -> Option<TcpStream> {
        self.inbound.is_empty().then_some(self.stream)
    }

    /// Has it closed so that the backend cannot take the end for an orderly one.
    pub(crate) fn reset(&self) {
        // Without it the end looks orderly, which is all that is lost.
        let _ = self.stream.set_zero_linger();
    }
}

impl Bare for Connection {
    fn bare(&self) -> Option<&TcpStream> {
        self.inbound.is_empty().then_some(&self.stream)
    }
}

/// Once something else than HTTP is spoken.
impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, inbound, .. } = &mut *self;
        inbound.poll_read(cx, Pin::new(stream), space)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
