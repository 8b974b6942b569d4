use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::sync::Notify;

use crate::per_worker::{Count, Gauge, PerWorker, WorkerId};

/// How scarce places are, over all workers.
///
/// Exact numbers are not needed: who closes an idle connection too many costs its client a handshake.
#[derive(Default)]
pub(super) struct Pressure {
    /// Connections that were taken and wait for a place.
    waiting: AtomicUsize,
    /// Connections that were told to go and have not gone.
    leaving: AtomicUsize,
    desks: PerWorker<Desk>,
}

/// Where a worker is told what others need of it.
#[derive(Default)]
pub(super) struct Desk {
    /// Its idle connections.
    pub(super) idle: Gauge,
    /// Connections it told to go.
    pub(super) shed: Count,
    /// Rings when another worker has none that could go.
    pub(super) bell: Notify,
}

/// Counts one who waits while this lives.
pub(super) struct Waits(Arc<Pressure>);

impl Pressure {
    pub(super) fn desk(&self, worker: WorkerId) -> &Desk {
        self.desks.get(worker)
    }

    /// One more waits for a place.
    pub(super) fn wait(self: &Arc<Self>) -> Waits {
        self.waiting.fetch_add(1, Relaxed);
        Waits(self.clone())
    }

    /// Whether an idle connection should go.
    pub(super) fn is_room_wanted(&self) -> bool {
        let waiting = self.waiting.load(Relaxed);
        waiting > 0 && self.leaving.load(Relaxed) < waiting
    }

    /// Asks the worker that has most idle connections to let one go.
    pub(super) fn ring(&self) {
        let most = self.desks.iter().max_by_key(|desk| desk.idle.get());
        if let Some(desk) = most.filter(|desk| desk.idle.get() > 0) {
            desk.bell.notify_one();
        }
    }

    pub(super) fn leaves(&self) {
        self.leaving.fetch_add(1, Relaxed);
    }

    pub(super) fn left(&self) {
        self.leaving.fetch_sub(1, Relaxed);
    }

    /// Idle connections, over all workers.
    pub(super) fn idle(&self) -> u64 {
        self.desks.iter().map(|desk| u64::from(desk.idle.get())).sum()
    }

    /// Connections that were told to go so far.
    pub(super) fn shed(&self) -> u64 {
        self.desks.iter().map(|desk| desk.shed.get()).sum()
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}
