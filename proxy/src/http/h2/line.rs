use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::pulse::Pulse;
use crate::tls::Terminated;

/// A stream of which it is known what of its bytes the connection below has taken: TLS takes more than that, and
/// holds it back.
pub(crate) trait Measured {
    /// Bytes the connection has taken so far.
    fn taken(&self) -> u64;
}

impl Measured for Terminated {
    fn taken(&self) -> u64 {
        self.get_ref().0.taken()
    }
}

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

impl<S: Measured + Unpin> Line<'_, S> {
    /// Tries to write, and notes whether the connection below took any of it.
    fn write<T>(&mut self, attempt: impl FnOnce(Pin<&mut S>) -> Poll<T>) -> Poll<T> {
        let before = self.stream.taken();
        let polled = attempt(Pin::new(&mut *self.stream));
        if self.stream.taken() > before {
            self.pulse.has_written(true);
        } else if polled.is_pending() {
            self.pulse.has_written(false);
        }
        polled
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

impl<S: AsyncWrite + Measured + Unpin> AsyncWrite for Line<'_, S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(|stream| stream.poll_write_vectored(cx, parts))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.write(|stream| stream.poll_flush(cx));
        if polled.is_ready() {
            // TLS holds nothing back any more.
            self.pulse.has_written(true);
        }
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

    impl Measured for Stuck {
        fn taken(&self) -> u64 {
            0
        }
    }

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
    #[tokio::test(start_paused = true)]
    async fn what_tls_takes_and_holds_back_is_not_taken() {
        let pulse = Pulse::new(&Limits::default(), Instant::now());
        let mut cx = Context::from_waker(Waker::noop());
        let mut stream = Stuck(true);
        let mut line = Line::new(&mut stream, pulse.clone());
        let began = Instant::now();
        for _ in 0..3 {
            assert!(Pin::new(&mut line).poll_write(&mut cx, b"frame").is_ready());
            assert!(Pin::new(&mut line).poll_flush(&mut cx).is_pending());
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
        }
        let stalled = Timeouts::default().stalled;
        let timeouts = Timeouts { head: stalled * 2, ..Timeouts::default() };
        assert_eq!(pulse.due(&timeouts), Some((began + stalled, Lapse::Stalled)), "no frame bought time");
    }
}
