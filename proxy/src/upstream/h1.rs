use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use http::{Response, StatusCode};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::RequestBody;
use super::body::UpstreamBody;
use super::choose::Lease;
use super::error::Fault;
use crate::config::{BackendPolicy, Limits};
use crate::routes::UpstreamId;
use crate::tasks::Tasks;

/// HTTP/1.1 connections nobody uses now, by upstream, the one used last on top: under less load the
/// others grow old and are closed.
pub(super) struct Idle<B> {
    stacks: RefCell<HashMap<UpstreamId, Vec<Kept<B>>>>,
    /// How many there are in all stacks.
    count: Cell<usize>,
    most: usize,
    most_in_all: usize,
    timeout: Duration,
    closed: Cell<bool>,
}

struct Kept<B> {
    sender: SendRequest<B>,
    since: Instant,
}

impl<B> Idle<B> {
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

    /// A connection that can be used at once.
    pub(super) fn take(&self, id: UpstreamId) -> Option<SendRequest<B>> {
        let mut stacks = self.stacks.borrow_mut();
        let stack = stacks.get_mut(&id)?;
        let before = stack.len();
        stack.retain(|kept| !kept.sender.is_closed());
        // A connection just handed back may still be busy with the end of its last request.
        let at = stack.iter().rposition(|kept| kept.sender.is_ready());
        let taken = at.map(|at| stack.remove(at).sender);
        self.count.set(self.count.get() - (before - stack.len()));
        taken
    }

    /// Keeps a connection whose response has ended.
    pub(super) fn keep(&self, id: UpstreamId, sender: SendRequest<B>) {
        if self.closed.get() || sender.is_closed() || self.count.get() >= self.most_in_all {
            return;
        }
        let mut stacks = self.stacks.borrow_mut();
        let stack = stacks.entry(id).or_default();
        if stack.len() < self.most {
            stack.push(Kept { sender, since: Instant::now() });
            self.count.set(self.count.get() + 1);
        }
    }

    pub(super) fn reap(&self, now: Instant) {
        let mut count = 0;
        self.stacks.borrow_mut().retain(|_, stack| {
            stack.retain(|kept| now.duration_since(kept.since) < self.timeout && !kept.sender.is_closed());
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

    /// The response, which brings its connection back here when it has been read to its end.
    pub(super) fn responding(
        self: &Rc<Self>,
        response: Response<Incoming>,
        sender: SendRequest<B>,
        lease: Lease,
    ) -> Response<UpstreamBody<B>> {
        // After 101 the connection speaks something else and never comes back.
        let home = (response.status() != StatusCode::SWITCHING_PROTOCOLS).then(|| (sender, self.clone()));
        response.map(|body| UpstreamBody::own(body, lease, home))
    }
}

pub(super) fn settings(limits: &Limits) -> Builder {
    let mut builder = Builder::new();
    // Backends' response heads are bounded like clients' request heads. hyper's own bound for what it reads
    // ahead is six times that, and an idle connection keeps what it grew to.
    builder.max_header_size(limits.head_bytes).max_buf_size(limits.http1_buffer());
    if limits.head_fields != Limits::HYPER_FIELDS {
        // Any other number than hyper's own makes it allocate for each head.
        builder.max_headers(limits.head_fields);
    }
    builder
}

/// Speaks HTTP/1.1 over a fresh connection, driven by a task that ends with it.
pub(super) async fn open<B: RequestBody>(
    settings: &Builder,
    stream: TcpStream,
    tasks: &Tasks,
) -> Result<SendRequest<B>, Fault> {
    let (sender, connection) =
        settings.handshake(TokioIo::new(stream)).await.map_err(|error| super::error::fault(&error))?;
    tasks.spawn_local(async move {
        // Whoever waits for a response is told of the error by the response.
        let _ = connection.with_upgrades().await;
    });
    Ok(sender)
}
