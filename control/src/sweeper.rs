//! Removes what is kept for a time only: tombstones of random routes, and addresses of nobody.

use std::future::Future;
use std::sync::Arc;

use tokio::time::sleep;

use crate::addresses::Addresses;
use crate::clock::WallClock;
use crate::config::SweepLimits;
use crate::domain::Timestamp;
use crate::domain::record::{Claim, Released, decode};
use crate::drain::Signal;
use crate::service::{Error, keys};
use crate::store::{Batch, Entry, Expect, MAX_OPERATIONS, Store};

/// The task that does it.
pub(crate) struct Sweeper {
    store: Arc<dyn Store>,
    addresses: Addresses,
    limits: SweepLimits,
    clock: WallClock,
}

impl Sweeper {
    /// Sweeps `store`, and the addresses of `addresses`.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        addresses: Addresses,
        limits: SweepLimits,
        clock: WallClock,
    ) -> Self {
        Self { store, addresses, limits, clock }
    }

    /// Sweeps every now and then, until `signal` is given.
    pub(crate) async fn run(self, signal: Signal) {
        let rounds = async {
            loop {
                sleep(self.limits.every).await;
                self.round().await;
            }
        };
        tokio::select! {
            () = signal.given() => {}
            () = rounds => {}
        }
    }

    /// Removes all whose time is over, a portion at a time.
    async fn round(&self) {
        repeat("tombstones", || self.sweep_tombstones()).await;
        let portion = self.limits.portion;
        repeat("backend addresses", || async move { Ok(self.addresses.sweep(portion).await? == portion) })
            .await;
    }

    /// Removes the oldest tombstones whose time is over. Tells whether there may be more.
    async fn sweep_tombstones(&self) -> Result<bool, Error> {
        let now = Timestamp::from((self.clock)());
        let page = self.store.list(&keys::all_released(), None, self.limits.portion).await?;
        for entry in page.entries {
            let released: Released = decode("tombstone", &entry.value)?;
            if now.since(released.at) < self.limits.tombstone {
                return Ok(false);
            }
            self.remove(&entry, &released).await?;
        }
        Ok(page.more)
    }

    /// The claims first, in as many commits as it takes: after a crash the record of them is still there.
    async fn remove(&self, entry: &Entry, released: &Released) -> Result<(), Error> {
        for labels in released.labels.chunks(MAX_OPERATIONS) {
            let mut batch = Batch::new();
            for label in labels {
                let key = keys::claim(&label.as_label());
                let Some(found) = self.store.get(&key).await? else { continue };
                let claim: Claim = decode("tombstone", &found.value)?;
                if claim == (Claim::Released { at: released.at }) {
                    batch = batch.delete(key, Expect::At(found.version));
                }
            }
            self.store.commit(batch).await?;
        }
        self.store.commit(Batch::new().delete(entry.key.clone(), Expect::At(entry.version))).await?;
        Ok(())
    }
}

/// Does `portion` until it says that there is no more, or fails: then it is tried again in the next round.
async fn repeat<F: Future<Output = Result<bool, Error>>>(what: &'static str, portion: impl Fn() -> F) {
    loop {
        match portion().await {
            Ok(true) => tokio::task::yield_now().await,
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(what, %error, "could not be swept now");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
