//! Every number of the proxy, with what it is for.
//!
//! Architecture invariant: no other room holds a time-out, or a bound of what others may have. What stands elsewhere
//! is how a room goes about its work: the size of a buffer, of a batch, of a step.

mod backends;
mod feed;
pub(crate) mod fixed;
mod limits;
mod rate;
mod timeouts;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;

pub use backends::BackendPolicy;
pub use feed::FeedConfig;
pub use limits::Limits;
pub use rate::{NotARate, Rate};
pub use timeouts::Timeouts;

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
