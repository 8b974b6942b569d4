//! How much of each thing one client, one route or one backend may have at once, and how fast.
//!
//! [`Limits`] is one worker's; what it asks of the others hangs on the routes and backends themselves, or
//! lies in [`Common`]. A request that nothing limits touches what its worker alone writes; see
//! `per_worker::is_below` for what that costs in exactness.
//!
//! Architecture invariant: nothing here waits, and nothing here grows with what clients send.

mod connections;
mod gcra;
mod rated;
mod source;

use std::net::IpAddr;
use std::sync::Arc;

use tokio::time::Instant;

use crate::config::Config;
use crate::per_worker::WorkerId;
use crate::refusal::Refusal;
use crate::routes::{RouteEntry, Upstream};
use connections::{Connections, Counted};
use gcra::Gcra;
use rated::Rated;
use source::Sorter;

/// What the workers' limits share.
pub(crate) struct Common {
    /// What times are counted from.
    began: Instant,
    sorter: Sorter,
    connections: Arc<Connections>,
    per_source: Option<Rated>,
    per_route: Option<Gcra>,
    in_flight_per_route: u32,
    in_flight_per_backend: u32,
}

/// One worker's view of the limits.
pub(crate) struct Limits {
    common: Arc<Common>,
    worker: WorkerId,
}

/// A request or tunnel that may go to a backend of its route. It counts as under way until this is dropped.
pub(crate) struct Admitted {
    entry: Arc<RouteEntry>,
    worker: WorkerId,
}

/// A connection that may be served. It counts as its source's until this is dropped.
pub(crate) struct Entered(#[expect(dead_code, reason = "held for what its end does")] Option<Counted>);

impl Common {
    pub(crate) fn new(config: &Config, now: Instant) -> Arc<Self> {
        let limits = &config.limits;
        let rated = |rate| Rated::new(Gcra::new(rate), limits.rated_sources);
        Arc::new(Self {
            began: now,
            sorter: Sorter::new(config),
            connections: Connections::new(limits.connections_per_source.get()),
            per_source: limits.rate_per_source.map(rated),
            per_route: limits.rate_per_route.map(Gcra::new),
            in_flight_per_route: limits.in_flight_per_route.get(),
            in_flight_per_backend: limits.in_flight_per_backend.get(),
        })
    }

    /// Sources that have a connection open.
    pub(crate) fn sources(&self) -> usize {
        self.connections.sources()
    }

    fn nanoseconds(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Limits {
    /// Those of `worker`.
    pub(crate) fn new(common: Arc<Common>, worker: WorkerId) -> Self {
        Self { common, worker }
    }

    /// Counts a connection from `peer`, or refuses it with [`Refusal::TooManyConnections`].
    pub(crate) fn enter(&self, peer: IpAddr) -> Result<Entered, Refusal> {
        let Some(source) = self.common.sorter.source(peer) else { return Ok(Entered(None)) };
        match self.common.connections.enter(source) {
            Some(counted) => Ok(Entered(Some(counted))),
            None => Err(Refusal::TooManyConnections),
        }
    }

    /// Lets one more request or tunnel from `source` go over `entry`, at `now`.
    ///
    /// Refuses with [`Refusal::RouteBusy`], [`Refusal::BackendBusy`], [`Refusal::RatePerSource`] or
    /// [`Refusal::RatePerRoute`]. What is asked for in vain spends nothing of a rate, but a source that asks
    /// too fast of its own; and it never takes from its route's, which others need.
    pub(crate) fn admit(
        &self,
        entry: Arc<RouteEntry>,
        source: IpAddr,
        now: Instant,
    ) -> Result<Admitted, Refusal> {
        let common = &*self.common;
        if !entry.has_room(self.worker, common.in_flight_per_route) {
            return Err(Refusal::RouteBusy);
        }
        let has_room = |backend: &Arc<Upstream>| backend.has_room(self.worker, common.in_flight_per_backend);
        if !entry.backends.is_empty() && !entry.backends.iter().any(has_room) {
            return Err(Refusal::BackendBusy);
        }
        if let Some(rated) = &common.per_source
            && let Some(source) = common.sorter.source(source)
            && !rated.take(source, common.nanoseconds(now))
        {
            return Err(Refusal::RatePerSource);
        }
        if let Some(gcra) = common.per_route
            && !gcra.take_shared(entry.spent(), common.nanoseconds(now))
        {
            return Err(Refusal::RatePerRoute);
        }
        Ok(Admitted::new(entry, self.worker))
    }
}

impl Admitted {
    fn new(entry: Arc<RouteEntry>, worker: WorkerId) -> Self {
        entry.counters(worker).in_flight.up();
        Self { entry, worker }
    }

    /// The route it goes over, as it was when it came.
    pub(crate) fn entry(&self) -> &Arc<RouteEntry> {
        &self.entry
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.entry.counters(self.worker).in_flight.down();
    }
}
