use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use proto::{Binding, Route, Target};

use super::live::{Live, RouteCounters};
use super::tree::Named;
use super::upstream::Upstream;
use crate::per_worker::{WorkerId, is_below};

/// One route as it is served. Immutable; a change of the route is another entry.
pub struct RouteEntry {
    /// What control said.
    pub route: Route,
    /// Its healthy backends, ordered by address; empty when it is unbound.
    pub backends: Box<[Arc<Upstream>]>,
    /// Made at the first hit or the first change: most routes of a big table have neither.
    live: OnceLock<Arc<Live>>,
    ended: AtomicBool,
}

impl RouteEntry {
    pub(super) fn new(route: Route, backends: Box<[Arc<Upstream>]>) -> Self {
        backends.iter().for_each(|backend| backend.gains_route());
        Self { route, backends, live: OnceLock::new(), ended: AtomicBool::new(false) }
    }

    /// Takes over what is counted and watched from the entry the name had before.
    pub(super) fn following(self, old: &Self) -> Self {
        // A new entry, whose lock nobody has set.
        let _ = self.live.set(old.live().clone());
        self
    }

    /// Another entry takes its place, or none, in the version of the table that comes next.
    pub(super) fn end(&self) {
        if !self.ended.swap(true, Ordering::Release) {
            self.backends.iter().for_each(|backend| backend.loses_route());
        }
    }

    /// Whether a delta has put an end to it. True before the table without it is served: who still looks
    /// at the table before finds it there. Says nothing of a whole table that came since.
    #[inline]
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// The endpoint it is bound to.
    pub fn binding(&self) -> Option<&Binding> {
        match &self.route.target {
            Target::Bound(binding) => Some(binding),
            Target::Unbound { .. } => None,
        }
    }

    /// What `worker` counts about it.
    pub fn counters(&self, worker: WorkerId) -> &RouteCounters {
        self.live().counters(worker)
    }

    /// Whether fewer than `most` requests and tunnels are under way over it, as `worker` sees it:
    /// somewhat more may be when many workers serve it (see `per_worker`).
    pub(crate) fn has_room(&self, worker: WorkerId, most: u32) -> bool {
        is_below(most, self.counters(worker).in_flight.get(), worker, || self.in_flight())
    }

    /// Requests and tunnels under way over it, over all workers.
    pub fn in_flight(&self) -> u64 {
        let live = self.live.get().into_iter();
        live.flat_map(|live| live.all_counters()).map(|counters| u64::from(counters.in_flight.get())).sum()
    }

    /// What its rate limit has spent, for whoever keeps it; updates of the route do not change it.
    pub(crate) fn spent(&self) -> &AtomicU64 {
        self.live().spent()
    }

    /// What all workers have counted.
    pub fn totals(&self) -> Totals {
        let mut sum = Totals::default();
        for counters in self.live.get().into_iter().flat_map(|live| live.all_counters()) {
            sum.requests += counters.requests.get();
            sum.refused += counters.refused.get();
            sum.bytes_in += counters.bytes_in.get();
            sum.bytes_out += counters.bytes_out.get();
        }
        sum
    }

    pub(super) fn live(&self) -> &Arc<Live> {
        self.live.get_or_init(Arc::default)
    }

    /// What is counted and watched, if anything is.
    pub(super) fn live_if_any(&self) -> Option<&Live> {
        self.live.get().map(Arc::as_ref)
    }
}

impl Drop for RouteEntry {
    /// One that no delta has ended goes with its table.
    fn drop(&mut self) {
        self.end();
    }
}

impl Named for RouteEntry {
    fn name(&self) -> &str {
        self.route.hostname.as_str()
    }
}

/// [`RouteCounters`] summed over the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Totals {
    /// Requests and passed-through connections, refused ones too.
    pub requests: u64,
    /// Of these, the refused ones.
    pub refused: u64,
    /// Bytes of bodies and tunnels from clients.
    pub bytes_in: u64,
    /// Bytes of bodies and tunnels to clients.
    pub bytes_out: u64,
}
