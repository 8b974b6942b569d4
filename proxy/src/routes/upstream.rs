use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use proto::{BackendAddr, BackendProtocol, DeploymentId, EndpointName};

use crate::per_worker::{Count, PerWorker, WorkerId, is_below};

/// One replica of one endpoint, as routes lead to it.
///
/// Routes to the same endpoint share it, and it lives on over updates, so that in-flight counts and
/// pooled connections do too. Its identity holds the deployment and the endpoint besides the address:
/// an address that passes to another deployment is another upstream, and no connection opened for the
/// one is ever used for the other.
pub struct Upstream {
    id: UpstreamId,
    key: UpstreamKey,
    /// Entries that lead here and have not ended.
    routes: AtomicU32,
    shares: PerWorker<UpstreamShare>,
}

/// What makes an upstream the one it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct UpstreamKey {
    pub(super) deployment: DeploymentId,
    pub(super) endpoint: EndpointName,
    pub(super) address: BackendAddr,
    pub(super) protocol: BackendProtocol,
}

/// Names an upstream within this process; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UpstreamId(u64);

/// What one worker counts about an upstream.
#[derive(Debug, Default)]
pub struct UpstreamShare {
    in_flight: AtomicU32,
    /// Requests and tunnels that were given to it.
    pub taken: Count,
    /// Connections to it that failed to open.
    pub failed_dials: Count,
}

impl Upstream {
    pub(super) fn new(key: UpstreamKey) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = UpstreamId(NEXT.fetch_add(1, Ordering::Relaxed));
        Self { id, key, routes: AtomicU32::new(0), shares: PerWorker::default() }
    }

    /// Its name within this process.
    pub fn id(&self) -> UpstreamId {
        self.id
    }

    pub(super) fn key(&self) -> &UpstreamKey {
        &self.key
    }

    /// The deployment it is a replica of.
    pub fn deployment(&self) -> &DeploymentId {
        &self.key.deployment
    }

    /// The endpoint it serves.
    pub fn endpoint(&self) -> &EndpointName {
        &self.key.endpoint
    }

    /// Where it listens.
    pub fn address(&self) -> BackendAddr {
        self.key.address
    }

    /// What it speaks.
    pub fn protocol(&self) -> BackendProtocol {
        self.key.protocol
    }

    /// Whether a route leads here. If not, nothing new will be sent to it, unless a route comes to.
    pub(crate) fn is_routed(&self) -> bool {
        self.routes.load(Ordering::Relaxed) > 0
    }

    /// Another entry leads here. Pair it with [`Self::loses_route`].
    pub(super) fn gains_route(&self) {
        self.routes.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn loses_route(&self) {
        self.routes.fetch_sub(1, Ordering::Relaxed);
    }

    /// What `worker` counts about it.
    pub fn share(&self, worker: WorkerId) -> &UpstreamShare {
        self.shares.get(worker)
    }

    /// Requests and tunnels it serves now, over all workers.
    pub fn in_flight(&self) -> u64 {
        self.shares.iter().map(|share| u64::from(share.in_flight())).sum()
    }

    /// Whether it serves fewer than `most` requests and tunnels, as `worker` sees it: somewhat more may be
    /// when many workers use it (see `per_worker`).
    pub(crate) fn has_room(&self, worker: WorkerId, most: u32) -> bool {
        is_below(most, self.share(worker).in_flight(), worker, || self.in_flight())
    }

    /// Connections to it that failed to open, over all workers.
    pub fn failed_dials(&self) -> u64 {
        self.shares.iter().map(|share| share.failed_dials.get()).sum()
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upstream({}/{} at {})", self.key.deployment, self.key.endpoint, self.key.address)
    }
}

impl UpstreamShare {
    /// Requests and tunnels this worker has given it that have not ended.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts one more. Pair it with [`Self::end`].
    pub(crate) fn begin(&self) {
        self.taken.inc();
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one less.
    pub(crate) fn end(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
