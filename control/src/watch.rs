//! What runtimes are to run: every live deployment, then each change of what is to be run.
//!
//! ```text
//! store.watch ─► which deployments are touched (Due) ─► as each is now (look) ─► differs from what was told?
//!                                                                                   │
//!                                          a bounded queue per runtime ◄────────────┘
//! ```
//!
//! - [`Watches`]: opens a watch for whoever asks; [`Scope`]: of what.
//! - [`Told`]: what a watch tells; [`Cut`]: why it ended.
//!
//! A deployment is told of again when what runs changes: its generation, its static routes, what its
//! executables see (which the deployments it depends on can change), or that one it waits for came up. What a
//! runtime reports changes nothing of that, and no report is echoed. Of several changes that wait to be told
//! only the outcome is.
//!
//! Architecture invariant: no watch holds up a commit, or another watch. One that is not read is cut off.

mod due;
mod known;
mod listing;
mod look;
mod scope;
#[cfg(test)]
mod tests;
mod watching;

pub use look::ToRun;
pub use scope::Scope;

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use proto::ProjectId;
use tokio::sync::{Semaphore, mpsc, oneshot};

use self::watching::Watching;
use crate::config::WatchLimits;
use crate::domain::{DeploymentGuid, DeploymentName};
use crate::drain::Signal;
use crate::metrics::WatchMetrics;
use crate::service::{Error, Service};
use crate::store::Store;
use crate::tasks::Tasks;

/// What a watch tells.
#[derive(Debug, Clone)]
pub enum Told {
    /// A deployment to run, or one to run otherwise.
    Run(Box<ToRun>),
    /// One to run no more.
    Stop(ToStop),
    /// All that was there when the watch began has been told.
    Synced,
    /// There is nothing else to tell.
    Heartbeat,
}

/// A deployment that is to run no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToStop {
    /// Which.
    pub guid: DeploymentGuid,
    /// What it was called.
    pub name: DeploymentName,
    /// Where.
    pub project: ProjectId,
}

/// Why a watch is over. In every case the runtime may watch anew.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Cut {
    /// The runtime does not read what it is told.
    #[error("this watch was not read fast enough; watch anew")]
    Slow,
    /// Nobody does right by a watch that has missed commits.
    #[error("commits passed that this watch could not follow; watch anew")]
    Missed,
    /// What the caller may do was judged long ago.
    #[error("this watch has lasted as long as one may; watch anew")]
    Old,
    /// Control ends.
    #[error("this control plane is stopping; watch anew")]
    Stopping,
    /// What is stored cannot be read.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// As many watches are open as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} watches are open, which is the most there may be: close those not needed")]
pub struct Full(pub usize);

/// What a watch tells, until it is over.
pub type Watch = BoxStream<'static, Result<Told, Cut>>;

/// Opens watches. Clones share one bound on how many are open.
#[derive(Clone)]
pub struct Watches {
    store: Arc<dyn Store>,
    service: Service,
    limits: WatchLimits,
    places: Arc<Semaphore>,
    metrics: WatchMetrics,
    tasks: Tasks,
    signal: Signal,
}

impl Watches {
    /// Watches of what is in `store`, looked at through `service`; each is one of `tasks` and ends when
    /// `signal` is given.
    pub fn new(
        store: Arc<dyn Store>,
        service: Service,
        limits: WatchLimits,
        metrics: WatchMetrics,
        tasks: Tasks,
        signal: Signal,
    ) -> Self {
        let places = Arc::new(Semaphore::new(limits.watches));
        Self { store, service, limits, places, metrics, tasks, signal }
    }

    /// Watches the deployments of `scope`. The watch ends when the stream is dropped.
    pub fn watch(&self, scope: Scope) -> Result<Watch, Full> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| Full(self.limits.watches))?;
        let (tells, told) = mpsc::channel(self.limits.queue.max(1));
        let (cuts, cut) = oneshot::channel();
        let watching = Watching::new(self.store.clone(), self.service.clone(), scope, self.limits.clone());
        let (signal, metrics) = (self.signal.clone(), self.metrics.clone());
        self.tasks.spawn("deployment watch", async move {
            let _place = place;
            metrics.open.inc();
            if let Some(over) = watching.run(&tells, &metrics, &signal).await {
                metrics.cut.inc();
                // The runtime may have gone in this moment; then nobody needs to know.
                let _ = cuts.send(over);
            }
            metrics.open.dec();
        });
        Ok(until_cut(told, cut))
    }
}

/// What was told, and last of all why there is no more.
fn until_cut(told: mpsc::Receiver<Told>, cut: oneshot::Receiver<Cut>) -> Watch {
    stream::unfold((told, Some(cut)), |(mut told, mut cut)| async {
        if let Some(message) = told.recv().await {
            return Some((Ok(message), (told, cut)));
        }
        let over = cut.take()?.await.ok()?;
        Some((Err(over), (told, cut)))
    })
    .boxed()
}
