//! What every connection of a worker works with.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use certs::Certificates;

use crate::access_log::{AccessLog, End, Lines, Note};
use crate::config::{Config, Limits};
use crate::drain::{Phase, Signal};
use crate::http1::{Bounds, Room};
use crate::limits;
use crate::metrics::{Metrics, Port, WorkerMetrics};
use crate::per_worker::WorkerId;
use crate::refusal::Refusal;
use crate::request_id::RequestIds;
use crate::routes::{Reader, RouteEntry, Routes};
use crate::tasks::Tasks;
use crate::upload::Upload;
use crate::upstream::{Networks, Upstreams};

/// What all workers share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) routes: Arc<Routes>,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) networks: Arc<Networks>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: AccessLog,
    pub(crate) limits: Arc<limits::Common>,
}

/// What one worker has for itself, shared by its connections.
pub(crate) struct Context {
    pub(crate) shared: Arc<Shared>,
    pub(crate) worker: WorkerId,
    pub(crate) reader: RefCell<Reader>,
    pub(crate) upstreams: Rc<Upstreams<Upload>>,
    /// Who may have how much.
    pub(crate) limits: limits::Limits,
    /// Connections, and the tunnels they become.
    pub(crate) connections: Tasks,
    /// The streams of HTTP/2 connections.
    pub(crate) streams: Tasks,
    pub(crate) drain: Signal,
    pub(crate) log: Lines,
    pub(crate) ids: RequestIds,
    /// The fields of the head that is being read.
    pub(crate) room: RefCell<Room>,
    /// How large a head may be.
    pub(crate) bounds: Bounds,
    /// How HTTP/2 is spoken with clients.
    pub(crate) h2: h2::server::Builder,
    requests: Cell<u32>,
    date: RefCell<(u64, Rc<str>)>,
}

impl Context {
    /// For `worker`; `seed` is random and its alone.
    pub(crate) fn new(shared: Arc<Shared>, worker: WorkerId, drain: Signal, seed: u64) -> Rc<Self> {
        let config = &shared.config;
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
            limits: limits::Limits::new(shared.limits.clone(), worker, config.limits.last_words),
            drain,
            log: Lines::new(shared.log.clone()),
            ids: RequestIds::new(seed),
            room: RefCell::default(),
            bounds: Bounds { bytes: config.limits.head_bytes, fields: config.limits.head_fields },
            h2: h2(&config.limits),
            connections: Tasks::new(),
            streams: Tasks::new(),
            requests: Cell::new(0),
            date: RefCell::new((0, Rc::from(""))),
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

    /// Logs a refusal that is the answer to no request of `client`; `asked` is the name it asked for, if known.
    pub(crate) fn log_refusal(
        &self,
        refusal: Refusal,
        client: SocketAddr,
        protocol: &'static str,
        tls: bool,
        asked: Option<Box<str>>,
    ) {
        if self.log.is_on() {
            let note = Note { asked, ..Note::new(SystemTime::now(), client, protocol, tls) };
            self.log.write(&note, &End { refusal: Some(refusal), ..End::default() });
        }
    }

    /// Whether a drain has begun.
    pub(crate) fn is_draining(&self) -> bool {
        self.drain.phase() != Phase::Serving
    }

    /// The time as answers say it (RFC 9110 6.6.1), made once a second.
    pub(crate) fn date(&self) -> Rc<str> {
        let now = SystemTime::now();
        let second = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut date = self.date.borrow_mut();
        if date.0 != second {
            *date = (second, httpdate::fmt_http_date(now).into());
        }
        date.1.clone()
    }

    /// Whether this request is one of those that leave a span.
    pub(crate) fn is_sampled(&self) -> bool {
        let Some(every) = self.config().sample_spans else { return false };
        let count = self.requests.get().wrapping_add(1);
        self.requests.set(count);
        count.is_multiple_of(every.get())
    }
}

/// How HTTP/2 is spoken with clients.
fn h2(limits: &Limits) -> h2::server::Builder {
    let mut builder = h2::server::Builder::new();
    builder
        .enable_connect_protocol()
        .max_concurrent_streams(limits.h2_streams)
        .initial_window_size(limits.h2_stream_window)
        .initial_connection_window_size(limits.h2_connection_window)
        .max_header_list_size(limits.h2_field_bytes)
        .max_send_buffer_size(limits.relay_buffer)
        .max_pending_accept_reset_streams(limits.h2_unseen_resets)
        .max_local_error_reset_streams(Some(limits.h2_faulty_streams));
    builder
}

/// Counts a connection as open while it lives.
pub(crate) struct Open(Rc<Context>, Port);

impl Open {
    /// One more to `port`.
    pub(crate) fn count(context: Rc<Context>, port: Port) -> Self {
        context.metrics().connection_begins(port);
        Self(context, port)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.metrics().connection_ends(self.1);
    }
}
