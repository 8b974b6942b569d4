use std::future::pending;
use std::sync::Arc;

use proto::ProjectId;
use tokio::time::{Instant, sleep_until};

use super::Inner;
use crate::domain::LeaseId;
use crate::drain::Signal;

/// Finds the leases that have run out.
pub struct LeaseClock {
    inner: Arc<Inner>,
}

impl LeaseClock {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Writes lapses until `signal` is given.
    pub async fn run(self, signal: Signal) {
        loop {
            let next = self.inner.held().next_look();
            tokio::select! {
                () = signal.given() => return,
                () = self.inner.sooner.notified() => {}
                () = until(next) => self.look().await,
            }
        }
    }

    async fn look(&self) {
        loop {
            let run_out = self.inner.held().take_run_out(Instant::now());
            let Some((id, project)) = run_out else {
                return;
            };
            self.inner.lapse(&project, &id).await;
        }
    }
}

async fn until(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => pending().await,
    }
}

impl Inner {
    async fn lapse(&self, project: &ProjectId, id: &LeaseId) {
        let _turn = self.turn.lock().await;
        // Marked before it is stored: whoever keeps it alive from now on waits for this turn to end and
        // then revives it.
        if !self.held().lapse(id, Instant::now()) {
            return;
        }
        match self.write(project, id, true).await {
            Ok(Some(lease)) => {
                tracing::warn!(lease = id.as_str(), runtime = lease.runtime, "a lease has run out");
                self.metrics.lapses.inc();
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(lease = id.as_str(), %error, "a lease that ran out could not be marked");
                self.held().look_at(id, Instant::now() + self.limits.retry);
            }
        }
    }
}
