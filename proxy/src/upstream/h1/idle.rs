use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::config::BackendPolicy;
use crate::routes::{Upstream, UpstreamId};

/// HTTP/1.1 connections nobody uses now, by upstream, the one used last on top: under less load the
/// others grow old and are closed.
pub(crate) struct Idle {
    stacks: RefCell<HashMap<UpstreamId, Stack, foldhash::fast::RandomState>>,
    /// How many there are in all stacks.
    count: Cell<usize>,
    most: usize,
    most_in_all: usize,
    timeout: Duration,
    closed: Cell<bool>,
}

struct Stack {
    upstream: Arc<Upstream>,
    kept: Vec<Kept>,
}

struct Kept {
    stream: TcpStream,
    since: Instant,
}

impl Idle {
    pub(super) fn new(policy: &BackendPolicy) -> Self {
        Self {
            stacks: RefCell::default(),
            count: Cell::new(0),
            most: policy.idle_per_backend,
            most_in_all: policy.idle_per_worker,
            timeout: policy.idle_timeout,
            closed: Cell::new(false),
        }
    }

    /// A connection its backend has not closed, as far as is known. Those it has closed are dropped.
    ///
    /// `surely` asks the kernel, which costs a call: for requests that cannot be sent a second time.
    pub(super) fn take(&self, id: UpstreamId, surely: bool) -> Option<TcpStream> {
        let mut stacks = self.stacks.borrow_mut();
        let stack = stacks.get_mut(&id)?;
        while let Some(Kept { stream, .. }) = stack.kept.pop() {
            self.count.set(self.count.get() - 1);
            if is_quiet(&stream, surely) {
                return Some(stream);
            }
        }
        None
    }

    /// Keeps a connection whose response has ended.
    pub(super) fn keep(&self, upstream: &Arc<Upstream>, stream: TcpStream) {
        if self.closed.get() || self.count.get() >= self.most_in_all {
            return;
        }
        let mut stacks = self.stacks.borrow_mut();
        let new = || Stack { upstream: upstream.clone(), kept: Vec::new() };
        let stack = stacks.entry(upstream.id()).or_insert_with(new);
        if stack.kept.len() < self.most {
            stack.kept.push(Kept { stream, since: Instant::now() });
            self.count.set(self.count.get() + 1);
        }
    }

    pub(super) fn reap(&self, now: Instant) {
        let mut count = 0;
        self.stacks.borrow_mut().retain(|_, stack| {
            // Nobody will ask for them any more.
            if !stack.upstream.is_routed() {
                return false;
            }
            stack.kept.retain(|kept| {
                now.duration_since(kept.since) < self.timeout && is_quiet(&kept.stream, false)
            });
            count += stack.kept.len();
            !stack.kept.is_empty()
        });
        self.count.set(count);
    }

    pub(super) fn clear(&self) {
        self.stacks.borrow_mut().clear();
        self.count.set(0);
    }

    pub(super) fn close(&self) {
        self.closed.set(true);
        self.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.count.get()
    }
}

/// Whether nothing has come: an end, or bytes nobody asked for, make a connection useless.
pub(super) fn is_quiet(stream: &TcpStream, surely: bool) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    if !surely && stream.poll_read_ready(&mut cx).is_pending() {
        return true;
    }
    // What is taken for readable may have been read already.
    matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::super::H1;
    use super::*;
    use crate::config::Limits;
    use crate::upstream::Fault;

    #[tokio::test]
    async fn who_speaks_before_it_was_asked_speaks_no_http() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let h1 = H1::new(&BackendPolicy::default(), &Limits::default());
        for (words, expected) in [(&b""[..], Fault::Closed), (b"220 smtp.example\r\n", Fault::Garbage)] {
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (mut backend, _) = listener.accept().await.unwrap();
            backend.write_all(words).await.unwrap();
            drop(backend);
            stream.readable().await.unwrap();
            assert_eq!(h1.fresh(stream).err(), Some(expected));
        }
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        assert!(h1.fresh(stream).is_ok());
    }
}
