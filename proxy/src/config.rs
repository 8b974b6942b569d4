//! Every number of the proxy, with what it is for.
//!
//! Architecture invariant: no other room holds a time-out, a limit or a size that an operator might
//! want to change.

mod rate;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

pub use rate::{NotARate, Rate};

/// What a proxy is told at start.
#[derive(Clone)]
pub struct Config {
    /// Where it listens.
    pub listen: Listen,
    /// The ports clients see, which differ from the listening ones behind a load balancer.
    pub public_ports: PublicPorts,
    /// Threads that serve connections; one per core is best.
    pub workers: NonZeroUsize,
    /// How long each phase may take.
    pub timeouts: Timeouts,
    /// How much of each thing there may be.
    pub limits: Limits,
    /// Which backends may be dialled, and how they are kept.
    pub backends: BackendPolicy,
    /// Addresses that are never dialled besides the proxy's own: what else the process listens on.
    pub never_dialled: Vec<SocketAddr>,
    /// Whether a request for an HTTPS name on the plain port is sent on by a 308; else it is told 404.
    pub redirect_to_https: bool,
    /// Peers whose `Forwarded` and `X-Forwarded-*` fields are believed: load balancers of one's own.
    pub trusted_peers: Vec<IpNet>,
    /// Where routes come from; none for a proxy whose table is set by its owner.
    pub feed: Option<FeedConfig>,
    /// Where the last good table is kept, so that a restart without control serves it.
    pub route_cache: Option<PathBuf>,
    /// Where the access log goes.
    pub access_log: AccessLogTarget,
    /// Record a span for one request in this many; none records none.
    pub sample_spans: Option<NonZeroU32>,
    /// More lines for `/metrics`, from whoever shares the process.
    pub extra_metrics: Option<ExtraMetrics>,
}

/// Gives lines in the Prometheus text format.
pub type ExtraMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Where a proxy listens. Port 0 lets the kernel choose; see `Proxy::http_addr` for what it chose.
#[derive(Debug, Clone, Copy)]
pub struct Listen {
    /// HTTP/1.1 and WebSocket in the clear.
    pub http: SocketAddr,
    /// TLS: terminated or passed through.
    pub https: SocketAddr,
    /// Health, metrics and explanations; should be a loopback address, for nobody is asked who they are.
    pub admin: SocketAddr,
}

/// The ports clients use, for redirects and URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicPorts {
    /// Of `http://` URLs.
    pub http: u16,
    /// Of `https://` and `tls://` URLs.
    pub https: u16,
}

/// How long each phase may take. Each is one deadline for the whole phase unless it says otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From accept to a whole `ClientHello`. Hellos come at once; more is a slow attack or a dead link.
    pub hello: Duration,
    /// From the hello to the end of the TLS handshake: two round trips of the worst link.
    pub handshake: Duration,
    /// From the first byte of a request's head (or the connection's start) to its last.
    pub head: Duration,
    /// Between requests of one connection.
    pub keep_alive: Duration,
    /// From SYN to an established connection to a backend.
    pub connect: Duration,
    /// From a sent request head to the first byte of the response; long polls need some patience.
    pub first_byte: Duration,
    /// Without a byte taken by a client that has an answer to read (over HTTP/2: of any one of them), or sent by
    /// one that has a body to send.
    pub stalled: Duration,
    /// For which a client may fall behind `body_rate` in all: a link that is gone for a moment, a retransmission
    /// or two.
    pub body_grace: Duration,
    /// Without a byte of a body in either direction after an answer has begun: a backend that falls silent. Streams of events and of calls are often quiet.
    pub body_idle: Duration,
    /// From when on a request that is still under way is woken by a change of its route's sources. Before,
    /// it learns of one with its next byte.
    pub watched_after: Duration,
    /// Without a byte in either direction of a WebSocket or a passed-through connection.
    pub tunnel_idle: Duration,
    /// What tunnels still get after their route moved, was unbound or removed.
    pub tunnel_grace: Duration,
    /// What requests and tunnels still get after a drain began.
    pub drain_grace: Duration,
    /// What the access log still gets to write its last lines after all else has ended.
    pub log_grace: Duration,
    /// How long a refused connection is still read after its answer was written, so that the answer is
    /// not lost to a reset; and how long a connection that was just opened may still ask when a drain begins.
    pub linger: Duration,
    /// Between two looks at the files of certificates: how long a new one waits to be served.
    pub certificate_look: Duration,
    /// For which the kernel keeps what a client has no room for or does not acknowledge, of connections that we have
    /// closed as well (`TCP_USER_TIMEOUT`, RFC 5482): then it resets the connection and gives the memory back.
    /// Longer than `stalled`, which is told by name; tunnels of a client without a link live as long.
    pub unacknowledged: Duration,
    /// For a place among the connections, when all are taken: enough for an idle one to go or a short request
    /// to end, and less than people wait before they try again.
    pub place: Duration,
    /// Without accepting after the process ran out of descriptors or memory for sockets.
    pub accept_backoff: Duration,
}

/// How much of each thing there may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open client connections of the whole proxy; more wait, and are refused if none goes. Fewer when the
    /// process may not have two descriptors for each.
    pub connections: NonZeroUsize,
    /// Open connections of one source: an IPv4 address, or an IPv6 network of `source_prefix_v6`. A sixteenth
    /// of all, so that one client cannot have all there are; yet a company or a mobile network behind one
    /// address does not meet it. Trusted peers have no such limit.
    pub connections_per_source: NonZeroU32,
    /// Leading bits of an IPv6 address that tell sources apart. 64, because whoever has one address of such a
    /// network has all of them (RFC 6177 2).
    pub source_prefix_v6: u8,
    /// Requests over one client connection. Then the client is told to open another (`Connection: close`,
    /// GOAWAY), which the kernel may give to a worker that has less to do; no state of a connection can grow for
    /// ever. So many that a benchmark does not meet it.
    pub requests_per_connection: NonZeroU32,
    /// Requests and tunnels under way over one route: half of what connections could bring, so that a route
    /// whose backends hang leaves room for the others.
    pub in_flight_per_route: NonZeroU32,
    /// Requests and tunnels under way to one backend. HTTP/1.1 takes a connection for each, and the kernel has
    /// some 28,000 ports for connections to one address: this leaves room for idle ones.
    pub in_flight_per_backend: NonZeroU32,
    /// Requests, WebSockets and passed-through connections of one source; none for no limit, for what is much
    /// depends on what is served.
    pub rate_per_source: Option<Rate>,
    /// The same over one route, whoever asks.
    pub rate_per_route: Option<Rate>,
    /// Bytes a second of a body that a client has to send or take, in the long run. The slowest links people use
    /// are faster; who sends a byte now and then only keeps a place taken.
    pub body_rate: NonZeroU32,
    /// Sources whose rate is kept at once, 16 bytes each; rounded up to a power of two. One counts for as long
    /// as it would take to come by what it has spent, so this is plenty for 100,000 requests a second from as
    /// many sources at 10/s.
    pub rated_sources: NonZeroUsize,
    /// Connections of a worker that were accepted and wait for a place, so that they can be told when they get
    /// none; more wait in the kernel's queue. They have a descriptor but no buffers yet.
    pub waiting: NonZeroUsize,
    /// Clients of a worker that are being told at once why they are not connected; more are closed without a
    /// word. Telling takes a descriptor for `linger`.
    pub last_words: usize,
    /// Length of the kernel's accept queue, per worker and port.
    pub backlog: i32,
    /// Bytes that the kernel holds for a client, or a backend, beyond those on the wire (`TCP_NOTSENT_LOWAT`), give
    /// or take a write. Without it there are megabytes for whoever reads slowly. What is on the wire has no bound
    /// but the kernel's, so fast clients far away are served as fast as before.
    pub unsent: u32,
    /// Bytes of TLS records up to the end of a `ClientHello`.
    pub hello_bytes: usize,
    /// Bytes of an HTTP/1.1 request head; also of a backend's response head, and of the interim ones before it
    /// together.
    pub head_bytes: usize,
    /// Fields of a request head.
    pub head_fields: usize,
    /// Bytes of an HTTP/2 field section after decompression (RFC 9113 6.5.2).
    pub h2_field_bytes: u32,
    /// Streams open at once on an HTTP/2 client connection.
    pub h2_streams: u32,
    /// Streams an HTTP/2 client may take back (`RST_STREAM`, CVE-2023-44487). Each may have cost a connection to a
    /// backend, and a browser or a caller with deadlines takes back far fewer.
    pub h2_resets: Rate,
    /// Streams an HTTP/2 client took back before they were looked at, at once: those of one flight of packets.
    pub h2_unseen_resets: usize,
    /// Frames of an HTTP/2 client that neither ask nor bring anything: SETTINGS, PRIORITY, CONTINUATION, empty
    /// DATA, unknown ones, and PING and `WINDOW_UPDATE` beyond those that answer what it was sent.
    pub h2_idle_frames: Rate,
    /// Faulty requests on an HTTP/2 client connection in all, among them those beyond `h2_streams`. A client that
    /// has not heard of the settings yet may send some.
    pub h2_faulty_streams: usize,
    /// Flow-control window of an HTTP/2 stream, in bytes: what one slow backend may pile up.
    pub h2_stream_window: u32,
    /// Flow-control window of a whole HTTP/2 client connection, in bytes.
    pub h2_connection_window: u32,
    /// Flow-control window of an HTTP/2 connection to a backend, in bytes. All requests of a worker share it:
    /// what slow clients leave unread must not keep the others waiting, so it is that of many streams.
    pub h2_backend_window: u32,
    /// Bytes buffered in each direction of a tunnel.
    pub relay_buffer: usize,
    /// Lines of the access log waiting to be written, besides a batch of each worker; more are dropped and counted.
    pub access_log_queue: usize,
    /// Routes a table may have; a larger one is refused, and the last one served on.
    pub routes: usize,
}

/// Which backends may be dialled, and how connections to them are kept.
#[derive(Debug, Clone)]
pub struct BackendPolicy {
    /// Networks backends may be in. The cloud metadata address and the proxy's own listeners are never
    /// dialled, whatever stands here.
    pub networks: Vec<IpNet>,
    /// Idle HTTP/1.1 connections kept per backend and worker.
    pub idle_per_backend: usize,
    /// Idle HTTP/1.1 connections kept per worker, to all backends.
    pub idle_per_worker: usize,
    /// How long an idle connection to a backend is kept. Shorter than the backend's own patience, or
    /// requests meet connections that are just being closed.
    pub idle_timeout: Duration,
    /// HTTP/2 connections per backend and worker. There is one until its streams are used up; what does
    /// not fit on the last one waits.
    pub h2_connections: usize,
    /// How long a shared HTTP/2 connection lives on when the backend's machine acknowledges nothing: it has
    /// vanished without a word.
    pub vanished: Duration,
    /// How long a backend to which a connection failed to open is chosen only when there is no other.
    pub set_aside: Duration,
}

/// How to reach the control plane's route feed.
#[derive(Clone)]
pub struct FeedConfig {
    /// `http://HOST:PORT` or `https://HOST:PORT`.
    pub url: String,
    /// A bearer token with the proxy role. Never logged.
    pub token: String,
    /// How the control plane's certificate is verified; none for `http://`.
    pub ca: Option<Arc<rustls::ClientConfig>>,
    /// Names this proxy in the fleet.
    pub proxy_id: String,
    /// Without a message (control sends heartbeats) the stream is taken for dead and opened anew.
    pub silence: Duration,
    /// First and longest pause before reconnecting; each try doubles it, with full jitter.
    pub backoff: (Duration, Duration),
    /// Least time between two writes of the route cache.
    pub cache_interval: Duration,
}

/// Where access log records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessLogTarget {
    /// Nowhere; nothing is recorded.
    Off,
    /// Standard output, one JSON object a line.
    Stdout,
    /// Appended to a file, one JSON object a line.
    File(PathBuf),
}

impl Default for Config {
    /// Listens on unprivileged loopback ports, with no feed, no cache and no access log.
    fn default() -> Self {
        Self {
            listen: Listen::default(),
            public_ports: PublicPorts { http: 80, https: 443 },
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            backends: BackendPolicy::default(),
            never_dialled: Vec::new(),
            redirect_to_https: true,
            trusted_peers: Vec::new(),
            feed: None,
            route_cache: None,
            access_log: AccessLogTarget::Off,
            sample_spans: None,
            extra_metrics: None,
        }
    }
}

impl Default for Listen {
    /// 127.0.0.1, ports 8080, 8443 and 9901.
    fn default() -> Self {
        let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Self { http: local(8080), https: local(8443), admin: local(9901) }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(5),
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            connect: Duration::from_secs(3),
            first_byte: Duration::from_secs(60),
            stalled: Duration::from_secs(60),
            body_grace: Duration::from_secs(30),
            body_idle: Duration::from_secs(300),
            watched_after: Duration::from_secs(1),
            tunnel_idle: Duration::from_secs(3600),
            tunnel_grace: Duration::from_secs(30),
            drain_grace: Duration::from_secs(30),
            log_grace: Duration::from_secs(5),
            linger: Duration::from_secs(1),
            certificate_look: Duration::from_secs(2),
            unacknowledged: Duration::from_secs(120),
            place: Duration::from_secs(1),
            accept_backoff: Duration::from_millis(100),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: NonZeroUsize::new(65_536).unwrap_or(NonZeroUsize::MIN),
            connections_per_source: NonZeroU32::new(4096).unwrap_or(NonZeroU32::MIN),
            source_prefix_v6: 64,
            requests_per_connection: NonZeroU32::new(1_000_000).unwrap_or(NonZeroU32::MIN),
            in_flight_per_route: NonZeroU32::new(32_768).unwrap_or(NonZeroU32::MIN),
            in_flight_per_backend: NonZeroU32::new(16_384).unwrap_or(NonZeroU32::MIN),
            rate_per_source: None,
            rate_per_route: None,
            body_rate: NonZeroU32::new(240).unwrap_or(NonZeroU32::MIN),
            rated_sources: NonZeroUsize::new(65_536).unwrap_or(NonZeroUsize::MIN),
            waiting: NonZeroUsize::new(64).unwrap_or(NonZeroUsize::MIN),
            last_words: 64,
            backlog: 4096,
            unsent: 128 * 1024,
            hello_bytes: 16 * 1024,
            head_bytes: 32 * 1024,
            head_fields: 100,
            h2_field_bytes: 32 * 1024,
            h2_streams: 128,
            h2_resets: Rate::fixed(100, 1000),
            h2_unseen_resets: 64,
            h2_idle_frames: Rate::fixed(200, 2000),
            h2_faulty_streams: 1024,
            h2_stream_window: 256 * 1024,
            h2_connection_window: 1024 * 1024,
            h2_backend_window: 32 * 1024 * 1024,
            relay_buffer: 64 * 1024,
            access_log_queue: 16_384,
            routes: 20_000_000,
        }
    }
}

impl Limits {
    /// Bytes read ahead of an HTTP/1.1 connection: a whole head must fit.
    pub(crate) fn http1_buffer(&self) -> usize {
        self.relay_buffer.max(self.head_bytes)
    }
}

impl Default for BackendPolicy {
    /// Private networks (RFC 1918, RFC 6598, RFC 4193), without loopback: a proxy that may dial its own
    /// machine can be made to reach what listens there for itself alone.
    fn default() -> Self {
        let private = |a, b, length| IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(a, b, 0, 0)), length);
        let unique_local = IpNet::new_assert(IpAddr::V6([0xfc00, 0, 0, 0, 0, 0, 0, 0].into()), 7);
        Self {
            networks: vec![
                private(10, 0, 8),
                private(172, 16, 12),
                private(192, 168, 16),
                private(100, 64, 10),
                unique_local,
            ],
            idle_per_backend: 64,
            idle_per_worker: 2048,
            idle_timeout: Duration::from_secs(20),
            h2_connections: 16,
            vanished: Duration::from_secs(30),
            set_aside: Duration::from_secs(2),
        }
    }
}

impl BackendPolicy {
    /// Lets backends be on this machine, for development.
    #[must_use]
    pub fn with_loopback(mut self) -> Self {
        self.networks.push(IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8));
        self.networks.push(IpNet::new_assert(IpAddr::V6(std::net::Ipv6Addr::LOCALHOST), 128));
        self
    }
}

impl FeedConfig {
    /// A feed with the default times.
    pub fn new(url: String, token: String, proxy_id: String) -> Self {
        Self {
            url,
            token,
            ca: None,
            proxy_id,
            silence: Duration::from_secs(30),
            backoff: (Duration::from_millis(100), Duration::from_secs(10)),
            cache_interval: Duration::from_secs(1),
        }
    }
}
