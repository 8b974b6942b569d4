use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::buffers::{self, Buffer, SMALL};
use crate::splice::Bare;
use crate::tls::Terminated;

/// A stream to a client, over TCP at the bottom.
pub(crate) trait ClientStream: AsyncRead + AsyncWrite + Bare + Unpin + 'static {
    /// The connection it runs over.
    fn tcp(&self) -> &TcpStream;
}

impl ClientStream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl ClientStream for Terminated {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0.inner()
    }
}

/// The client's side of a connection: its stream, and what was read of it and not used yet.
pub(super) struct Line<S> {
    stream: S,
    pub(super) inbound: Buffer,
    /// The client has said all it has to say: it may still listen.
    pub(super) has_ended: bool,
    /// Bytes read ahead, at most.
    most: usize,
}

impl<S: ClientStream> Line<S> {
    pub(super) fn new(stream: S, most: usize) -> Self {
        Self { stream, inbound: Buffer::default(), has_ended: false, most }
    }

    /// Reads more of a head: a little at first.
    pub(super) fn poll_more_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let most = if self.inbound.is_full(SMALL) { self.most } else { SMALL.min(self.most) };
        self.poll_fill(cx, most)
    }

    /// Reads more of a body: as much as there may be.
    pub(super) fn poll_more_body(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.poll_fill(cx, self.most)
    }

    /// Notices a client that goes away while it waits. What it sends ahead is kept, up to a bound.
    ///
    /// # Errors
    /// When the connection broke: nobody is there to answer.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while !self.has_ended && !self.inbound.is_full(SMALL) {
            match self.poll_fill(cx, SMALL) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        if let Some(tcp) = self.bare() {
            // Mostly nothing has come yet, and that costs less to learn without memory for it.
            ready!(tcp.poll_read_ready(cx))?;
        }
        let came = match ready!(self.inbound.poll_fill(cx, Pin::new(&mut self.stream), most)) {
            // TLS whose client closed without saying so: what was whole before is answered all the same.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            came => came?,
        };
        self.has_ended |= came == 0;
        Poll::Ready(Ok(came))
    }

    /// Writes what the connection takes of `parts`.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        buffers::poll_write(Pin::new(&mut self.stream), cx, parts)
    }

    /// The connection itself, to be written to.
    pub(super) fn to_bare(&self) -> Option<&TcpStream> {
        self.stream.bare()
    }

    /// Sends what TLS holds back.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Says that nothing more comes.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    /// Closes it so that the client cannot take the end for an orderly one.
    pub(super) fn reset(&self) {
        // Without it the end looks orderly, which is all that is lost.
        let _ = self.stream.tcp().set_zero_linger();
    }
}

impl<S: ClientStream> Bare for Line<S> {
    fn bare(&self) -> Option<&TcpStream> {
        self.stream.bare().filter(|_| self.inbound.is_empty())
    }
}

/// Once something else than HTTP is spoken.
impl<S: ClientStream> AsyncRead for Line<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, inbound, .. } = &mut *self;
        inbound.poll_read(cx, Pin::new(stream), space)
    }
}

impl<S: ClientStream> AsyncWrite for Line<S> {
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
