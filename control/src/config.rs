//! Every number and setting of the control plane, with what it is for.
//!
//! Architecture invariant: no other room holds a time-out, a limit or a size that an operator might want
//! to change. What the platform means (how many ports a range may have) is no setting: it stands with
//! its rule.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proto::Hostname;

mod addresses;
mod admin;
mod api;
mod feed;
mod leases;
mod store;
mod sweep;
mod watch;

pub use addresses::AddressLimits;
pub use admin::AdminLimits;
pub use api::ApiLimits;
pub use feed::FeedLimits;
pub use leases::LeaseLimits;
pub use store::StoreLimits;
pub use sweep::SweepLimits;
pub use watch::WatchLimits;

pub use crate::domain::{BackendNetworks, PublicPorts, Reserved};

/// What a control plane is told at start.
#[derive(Clone)]
pub struct Config {
    /// Where everything that must last is kept.
    pub data_dir: PathBuf,
    /// Where gRPC is served. Anything but loopback takes `tls`. Port 0 lets the kernel choose.
    pub grpc: SocketAddr,
    /// Where the JSON API is served; none for nowhere. What holds for `grpc` holds for it.
    pub api: Option<SocketAddr>,
    /// How connections to gRPC and the JSON API are secured; none for the clear.
    pub tls: Option<Arc<tokio_rustls::rustls::ServerConfig>>,
    /// Domains names are served under; the first is the primary one. Never empty.
    pub base_domains: Vec<Hostname>,
    /// The ports clients use at the edge, for URLs and environment.
    pub public_ports: PublicPorts,
    /// Where backends may be.
    pub backend_networks: BackendNetworks,
    /// Names nobody may claim, beside the built-in ones.
    pub reserved: Reserved,
    /// Whether the short id of their organization is added to the names of static routes.
    pub organization_suffix: bool,
    /// The file of the keys that seal secrets; none for the one in the data directory, made at the first
    /// start.
    pub secrets_key: Option<PathBuf>,
    /// Where health and metrics are served over HTTP; none for nowhere.
    pub admin: Option<SocketAddr>,
    /// How much of each thing there may be.
    pub limits: Limits,
    /// How long each thing may take.
    pub timeouts: Timeouts,
    /// The numbers of the store.
    pub store: StoreLimits,
    /// The numbers of the route feed.
    pub feed: FeedLimits,
    /// The numbers of leases.
    pub leases: LeaseLimits,
    /// The numbers of the watches of runtimes.
    pub watch: WatchLimits,
    /// The numbers of who may use which backend address.
    pub addresses: AddressLimits,
    /// The numbers of the removal of what is kept for a time only.
    pub sweep: SweepLimits,
    /// The numbers of the admin listener.
    pub admin_limits: AdminLimits,
    /// The numbers of the JSON API.
    pub api_limits: ApiLimits,
}

/// How much of each thing there may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Items of a page when the caller names no number.
    pub page_default: usize,
    /// Most items of a page.
    pub page_most: usize,
    /// Bytes of the records of one page, as they are stored, unless a single one has more. Clients take
    /// messages of 4 MiB by default, and what is told of a record can be twice what is stored.
    pub page_bytes: usize,
    /// Most records looked at for one page of a filtered listing.
    pub page_looks_at: usize,
    /// How often a change is judged anew because what it relied on has changed. Of n who bind to one
    /// deployment at once the last is judged n times.
    pub commit_attempts: u32,
    /// Most backends of one endpoint.
    pub backends_per_endpoint: usize,
    /// Bytes of one request message.
    pub message_bytes: usize,
    /// Open gRPC connections; more wait in the kernel's queue.
    pub connections: usize,
    /// Calls under way at once on one connection.
    pub calls_per_connection: usize,
    /// Streams a client may open at once on one connection (HTTP/2 SETTINGS_MAX_CONCURRENT_STREAMS).
    pub streams_per_connection: u32,
}

/// How long each thing may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// The TLS handshake of a gRPC connection; and then, or without TLS, the first bytes of HTTP/2.
    pub handshake: Duration,
    /// Without a frame from the client before it is pinged.
    pub keep_alive_interval: Duration,
    /// From the ping to its answer before the connection is given up.
    pub keep_alive_timeout: Duration,
    /// How long a change waits for the proxies when the caller names no time.
    pub wait_default: Duration,
    /// The longest a change waits for the proxies.
    pub wait_most: Duration,
    /// What calls under way still get after a drain began.
    pub drain_grace: Duration,
    /// Without accepting after the process ran out of descriptors.
    pub accept_backoff: Duration,
}

impl Config {
    /// A control plane for trying things out: loopback, no TLS, names under `base_domains`.
    pub fn new(data_dir: PathBuf, base_domains: Vec<Hostname>) -> Self {
        Self {
            data_dir,
            grpc: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7700),
            api: None,
            tls: None,
            base_domains,
            public_ports: PublicPorts::default(),
            backend_networks: BackendNetworks::private(),
            reserved: Reserved::default(),
            organization_suffix: false,
            secrets_key: None,
            admin: None,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            store: StoreLimits::default(),
            feed: FeedLimits::default(),
            leases: LeaseLimits::default(),
            watch: WatchLimits::default(),
            addresses: AddressLimits::default(),
            sweep: SweepLimits::default(),
            admin_limits: AdminLimits::default(),
            api_limits: ApiLimits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_default: 200,
            page_most: 1_000,
            page_bytes: 1 << 20,
            page_looks_at: 10_000,
            commit_attempts: 64,
            backends_per_endpoint: 256,
            message_bytes: 1 << 20,
            connections: 4_096,
            calls_per_connection: 128,
            streams_per_connection: 256,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            keep_alive_interval: Duration::from_secs(20),
            keep_alive_timeout: Duration::from_secs(20),
            wait_default: Duration::from_secs(5),
            wait_most: Duration::from_secs(60),
            drain_grace: Duration::from_secs(10),
            accept_backoff: Duration::from_millis(100),
        }
    }
}
