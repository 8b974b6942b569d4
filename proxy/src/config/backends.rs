//! Which backends may be dialled, and how connections to them are kept.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipnet::IpNet;

/// Which backends may be dialled, and how connections to them are kept.
#[derive(Debug, Clone)]
pub struct BackendPolicy {
    /// Networks backends may be in. The cloud metadata address and the proxy's own listeners are never
    /// dialled, whatever stands here.
    pub networks: Vec<IpNet>,
    /// Idle HTTP/1.1 connections kept per backend and worker: a burst of that many finds them open. There are never
    /// more than were in use at once within [`Self::idle_timeout`]; less than a worker may have in all leaves some to
    /// the other backends.
    pub idle_per_backend: usize,
    /// Idle HTTP/1.1 connections kept per worker, to all backends: descriptors that clients could have. What was used
    /// while there are so many is closed.
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
            idle_per_backend: 1024,
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
