//! A WebSocket over one stream (RFC 8441).

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{Response, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::pulse::{Flush, Serving};
use super::request::Switched;
use super::window;
use crate::http::Client;
use crate::http::meter::Meter;
use crate::http::tunnel::Tunnel;
use crate::relay::End;
use crate::splice::Bare;

/// Tells the client that its backend has switched, and carries the tunnel to its end.
pub(super) async fn run(
    client: &Client,
    switched: Switched,
    mut respond: SendResponse<Bytes>,
    mut meter: Meter,
    serving: &Serving,
) {
    let Switched { backend, lease, admitted, fields, body } = switched;
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::OK;
    *response.headers_mut() = fields;
    meter.answered(StatusCode::OK);
    let tunnel = Tunnel::begin(client, backend, lease, admitted, meter);
    // It fails only where the stream or the connection is gone.
    let Ok(send) = respond.send_response(response, false) else { return tunnel.cut() };
    let send = Rc::new(RefCell::new(send));
    let mut stream = Stream { body, send: send.clone(), serving, unread: Bytes::new() };
    // Who has said all is not read from any more, and may still take the stream back.
    let gone = poll_fn(|cx| send.borrow_mut().poll_reset(cx).map(drop));
    if tunnel.carry(client, &mut stream, gone).await != End::Whole {
        // What the client has is not all there was (RFC 8441 5), but it shall have all that came.
        let mut flush = Flush::default();
        let flushed = poll_fn(|cx| serving.poll_flushed(cx, &mut flush));
        let _ = tokio::time::timeout(client.context.config().timeouts.linger, flushed).await;
        send.borrow_mut().send_reset(Reason::CANCEL);
    }
}

/// Both directions of a stream, as bytes.
struct Stream<'s> {
    body: RecvStream,
    send: Rc<RefCell<SendStream<Bytes>>>,
    serving: &'s Serving,
    /// What came and was not read yet. It counts against the client's window until then.
    unread: Bytes,
}

impl Bare for Stream<'_> {
    fn bare(&self) -> Option<&TcpStream> {
        None
    }
}

impl AsyncRead for Stream<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { body, unread, .. } = &mut *self;
        while unread.is_empty() {
            match ready!(body.poll_data(cx)) {
                Some(data) => *unread = data.map_err(io::Error::other)?,
                None => return Poll::Ready(Ok(())),
            }
        }
        let taken = unread.len().min(space.remaining());
        space.put_slice(unread.get(..taken).unwrap_or_default());
        unread.advance(taken);
        body.flow_control().release_capacity(taken).map_err(io::Error::other)?;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream<'_> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut send = self.send.borrow_mut();
        let room = ready!(window::poll_room(&mut send, cx, bytes.len())).map_err(io::Error::other)?;
        let piece = Bytes::copy_from_slice(bytes.get(..room).unwrap_or_default());
        send.send_data(piece, false).map_err(io::Error::other)?;
        // What the client says of it is no flood.
        self.serving.has_answered(room);
        Poll::Ready(Ok(room))
    }

    /// What is written is h2's to send.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = self.send.borrow_mut().send_data(Bytes::new(), true);
        Poll::Ready(ended.map_err(io::Error::other))
    }
}
