use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::config::BackendPolicy;
use crate::routes::UpstreamId;

/// HTTP/1.1 connections nobody uses now, by upstream, the one used last on top: under less load the
/// others grow old and are closed.
pub(crate) struct Idle {
    stacks: RefCell<HashMap<UpstreamId, Vec<Kept>, foldhash::fast::RandomState>>,
    /// How many there are in all stacks.
    count: Cell<usize>,
    most: usize,
    most_in_all: usize,
    timeout: Duration,
    closed: Cell<bool>,
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
        while let Some(Kept { stream, .. }) = stack.pop() {
            self.count.set(self.count.get() - 1);
            if is_quiet(&stream, surely) {
                return Some(stream);
            }
        }
        None
    }

    /// Keeps a connection whose response has ended.
    pub(super) fn keep(&self, id: UpstreamId, stream: TcpStream) {
        if self.closed.get() || self.count.get() >= self.most_in_all {
            return;
        }
        let mut stacks = self.stacks.borrow_mut();
        let stack = stacks.entry(id).or_default();
        if stack.len() < self.most {
            stack.push(Kept { stream, since: Instant::now() });
            self.count.set(self.count.get() + 1);
        }
    }

    pub(super) fn reap(&self, now: Instant) {
        let mut count = 0;
        self.stacks.borrow_mut().retain(|_, stack| {
            stack.retain(|kept| {
                now.duration_since(kept.since) < self.timeout && is_quiet(&kept.stream, false)
            });
            count += stack.len();
            !stack.is_empty()
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
fn is_quiet(stream: &TcpStream, surely: bool) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    if !surely && stream.poll_read_ready(&mut cx).is_pending() {
        return true;
    }
    // What is taken for readable may have been read already.
    matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}
