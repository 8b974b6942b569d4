use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::pulse::Pulse;

/// A client's connection as frames are read from it and written to it, with a finger on its pulse.
pub(super) struct Line<'s, S> {
    stream: &'s mut S,
    pulse: Pulse,
}

impl<'s, S> Line<'s, S> {
    pub(super) fn new(stream: &'s mut S, pulse: Pulse) -> Self {
        Self { stream, pulse }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, pulse } = &mut *self;
        if pulse.has_enough() {
            // Nothing more is heard; whoever drives the connection says so and closes it.
            return Poll::Pending;
        }
        let before = space.filled().len();
        ready!(Pin::new(&mut **stream).poll_read(cx, space))?;
        pulse.has_read(space.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<'_, S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut *self.stream).poll_write(cx, bytes);
        self.pulse.has_written(polled.is_ready());
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut *self.stream).poll_write_vectored(cx, parts);
        self.pulse.has_written(polled.is_ready());
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut *self.stream).poll_flush(cx);
        // TLS holds records back that its connection did not take, until it has.
        self.pulse.has_written(polled.is_ready());
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::time::Instant;

    use super::*;
    use crate::config::{Limits, Timeouts};
    use crate::http::h2::pulse::Lapse;

    /// TLS, that takes all and writes it when its connection does.
    struct Stuck(bool);

    impl AsyncRead for Stuck {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Stuck {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.0 { Poll::Pending } else { Poll::Ready(Ok(())) }
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_has_taken_all_in_the_end_is_not_stalled() {
        let pulse = Pulse::new(&Limits::default(), Instant::now());
        let lapse = || pulse.due(&Timeouts { head: Timeouts::default().stalled * 2, ..Timeouts::default() });
        let mut cx = Context::from_waker(Waker::noop());
        let mut stream = Stuck(true);
        let mut line = Line::new(&mut stream, pulse.clone());
        assert!(Pin::new(&mut line).poll_write(&mut cx, b"answer").is_ready());
        assert!(Pin::new(&mut line).poll_flush(&mut cx).is_pending());
        assert_eq!(lapse().unwrap().1, Lapse::Stalled);
        line.stream.0 = false;
        assert!(Pin::new(&mut line).poll_flush(&mut cx).is_ready());
        assert_ne!(lapse().unwrap().1, Lapse::Stalled);
    }
}
