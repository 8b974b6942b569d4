//! Connections whose clients take what they are answered.
//!
//! A server that cannot write waits: somebody who asks and never reads would keep a connection for ever,
//! and as many as there may be.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A stream that fails to write once what is written has been waiting for longer than it may.
pub(super) struct Taken<S> {
    stream: S,
    within: Duration,
    /// Runs from the first byte that had to wait until none does: who takes one now and then is too slow, too.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Taken<S> {
    /// What is written to `stream` has to be taken `within` this.
    pub(super) fn new(stream: S, within: Duration) -> Self {
        Self { stream, within, waiting: None }
    }

    /// Hands on `polled`, or gives up what waits for too long.
    fn judge<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_pending() {
            let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(self.within)));
            ready!(waiting.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Taken<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Taken<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.judge(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.judge(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        if polled.is_ready() {
            self.waiting = None;
        }
        self.judge(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.judge(cx, polled)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const WITHIN: Duration = Duration::from_secs(60);

    async fn written(bytes: usize, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        stream.write_all(&vec![b'x'; bytes]).await?;
        stream.flush().await
    }

    async fn reads_now_and_then(stream: &mut (impl AsyncRead + Unpin), each: usize) {
        loop {
            sleep(Duration::from_secs(20)).await;
            let _ = stream.read(&mut vec![0; each]).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_or_next_to_nothing_is_given_up() {
        for each in [0, 1] {
            let (mut client, server) = duplex(8);
            let mut server = Taken::new(server, WITHIN);
            let failed = tokio::select! {
                result = written(100, &mut server) => result.unwrap_err(),
                () = reads_now_and_then(&mut client, each) => unreachable!(),
            };
            assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_each_answer_in_time_may_go_on_for_long() {
        let (mut client, server) = duplex(8);
        let mut server = Taken::new(server, WITHIN);
        let reads = async {
            for _ in 0..40 {
                sleep(Duration::from_secs(20)).await;
                client.read_exact(&mut [0; 8]).await.unwrap();
            }
        };
        let writes = async {
            for _ in 0..20 {
                written(16, &mut server).await.unwrap();
                sleep(WITHIN).await;
            }
        };
        tokio::join!(reads, writes);
    }
}
