use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};

/// Waits until some of `wanted` bytes may be sent, by the windows of the stream and of the connection (RFC 9113
/// 5.2). How many may be.
pub(super) fn poll_room(
    send: &mut SendStream<Bytes>,
    cx: &mut Context<'_>,
    wanted: usize,
) -> Poll<Result<usize, h2::Error>> {
    send.reserve_capacity(wanted);
    loop {
        let room = send.capacity();
        if room > 0 {
            return Poll::Ready(Ok(room.min(wanted)));
        }
        match ready!(send.poll_capacity(cx)) {
            Some(granted) => granted?,
            None => return Poll::Ready(Err(Reason::STREAM_CLOSED.into())),
        };
    }
}
