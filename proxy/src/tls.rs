//! Ends TLS for a connection whose hello was read already.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use rustls::{HandshakeKind, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::refusal::Refusal;
use crate::splice::Bare;

/// A terminated connection. It is more than a kilobyte large, and goes through many hands.
pub(crate) type Terminated = Box<TlsStream<Prefixed<TcpStream>>>;

impl Bare for Terminated {
    fn bare(&self) -> Option<&TcpStream> {
        None
    }
}

/// Finishes the handshake that `hello` (the bytes read so far) begins, before `timeout` has passed.
///
/// rustls tells the client itself when it fails.
pub(crate) async fn finish(
    stream: TcpStream,
    hello: BytesMut,
    config: Arc<ServerConfig>,
    timeout: Duration,
) -> Result<Terminated, Refusal> {
    let accept = TlsAcceptor::from(config).accept(Prefixed { prefix: hello, stream, taken: 0 });
    match tokio::time::timeout(timeout, accept).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(_)) => Err(Refusal::HandshakeFailed),
        Err(_) => Err(Refusal::HandshakeTimeout),
    }
}

/// Whether the client and we agreed on HTTP/2.
pub(crate) fn speaks_h2(stream: &Terminated) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(b"h2")
}

/// Whether the client came back with a ticket of an earlier session.
pub(crate) fn is_resumed(stream: &Terminated) -> bool {
    stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
}

/// A stream that gives some bytes before its own.
pub(crate) struct Prefixed<S> {
    prefix: BytesMut,
    stream: S,
    /// Bytes it took.
    taken: u64,
}

impl<S> Prefixed<S> {
    /// The stream itself.
    pub(crate) fn inner(&self) -> &S {
        &self.stream
    }

    /// Bytes the stream has taken so far: what TLS holds back is none of them.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    fn note(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(count)) = written {
            self.taken += count as u64;
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prefixed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.prefix.has_remaining() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let length = self.prefix.len().min(buf.remaining());
        buf.put_slice(self.prefix.get(..length).unwrap_or_default());
        self.prefix.advance(length);
        if self.prefix.is_empty() {
            // Gives the memory back: most connections outlive their hello by far.
            self.prefix = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prefixed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
