//! What every connection of a worker works with.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use certs::Certificates;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioTimer;

use crate::access_log::AccessLog;
use crate::config::{Config, Limits};
use crate::drain::Signal;
use crate::metrics::{Metrics, WorkerMetrics};
use crate::per_worker::WorkerId;
use crate::request_id::RequestIds;
use crate::routes::{Reader, RouteEntry, Routes};
use crate::streams::Streams;
use crate::tasks::Tasks;
use crate::upload::Upload;
use crate::upstream::{Networks, Upstreams};

/// What all workers share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) routes: Arc<Routes>,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) tls: Arc<rustls::ServerConfig>,
    pub(crate) networks: Arc<Networks>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: AccessLog,
}

/// What one worker has for itself, shared by its connections.
pub(crate) struct Context {
    pub(crate) shared: Arc<Shared>,
    pub(crate) worker: WorkerId,
    pub(crate) reader: RefCell<Reader>,
    pub(crate) upstreams: Rc<Upstreams<Upload>>,
    /// Connections, and the tunnels they become.
    pub(crate) connections: Tasks,
    /// The streams of HTTP/2 connections.
    pub(crate) streams: Tasks,
    pub(crate) drain: Signal,
    pub(crate) ids: RequestIds,
    pub(crate) h1: http1::Builder,
    pub(crate) h2: http2::Builder<Streams>,
    requests: Cell<u32>,
}

impl Context {
    /// For `worker`; `seed` is random and its alone.
    pub(crate) fn new(shared: Arc<Shared>, worker: WorkerId, drain: Signal, seed: u64) -> Rc<Self> {
        let config = &shared.config;
        let streams = Tasks::new();
        let upstreams = Upstreams::new(
            worker,
            &config.backends,
            &config.limits,
            config.timeouts.connect,
            shared.networks.clone(),
            shared.metrics.clone(),
            seed,
        );
        Rc::new(Self {
            worker,
            reader: RefCell::new(shared.routes.reader()),
            upstreams,
            drain,
            ids: RequestIds::new(seed),
            h1: h1(&config.limits),
            h2: h2(&config.limits, Streams::new(streams.clone(), &config.timeouts)),
            connections: Tasks::new(),
            streams,
            requests: Cell::new(0),
            shared,
        })
    }

    /// The numbers.
    pub(crate) fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The route of a folded name.
    pub(crate) fn route(&self, name: &str) -> Option<Arc<RouteEntry>> {
        self.reader.borrow_mut().get(name)
    }

    /// What this worker counts.
    pub(crate) fn metrics(&self) -> &WorkerMetrics {
        self.shared.metrics.worker(self.worker)
    }

    /// Whether this request is one of those that leave a span.
    pub(crate) fn is_sampled(&self) -> bool {
        let Some(every) = self.config().sample_spans else { return false };
        let count = self.requests.get().wrapping_add(1);
        self.requests.set(count);
        count.is_multiple_of(every.get())
    }
}

/// How HTTP/1.1 is spoken with clients. Heads are timed by `http::pulse`, not by hyper.
fn h1(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .half_close(true)
        .header_read_timeout(None)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.http1_buffer());
    if limits.head_fields != Limits::HYPER_FIELDS {
        // Any other number than hyper's own makes it allocate for each head.
        builder.max_headers(limits.head_fields);
    }
    builder
}

/// How HTTP/2 is spoken with clients; its streams run as tasks of the worker.
fn h2(limits: &Limits, streams: Streams) -> http2::Builder<Streams> {
    let mut builder = http2::Builder::new(streams);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.h2_streams)
        .initial_stream_window_size(limits.h2_stream_window)
        .initial_connection_window_size(limits.h2_connection_window)
        .max_header_list_size(limits.h2_field_bytes)
        .max_send_buf_size(limits.relay_buffer);
    builder
}
