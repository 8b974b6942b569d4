//! Removes what is kept for a time only: tombstones of random routes, and addresses of nobody.

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
        told("tombstones", self.sweep_tombstones().await);
        told("backend addresses", self.sweep_addresses().await);
    }

    async fn sweep_addresses(&self) -> Result<(), Error> {
        while self.addresses.sweep(self.limits.portion).await? == self.limits.portion {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Removes the tombstones whose time is over, oldest first.
    async fn sweep_tombstones(&self) -> Result<(), Error> {
        let (now, mut after) = (Timestamp::from((self.clock)()), None);
        loop {
            let page = self.store.list(&keys::all_released(), after.as_ref(), self.limits.portion).await?;
            for entry in page.entries {
                match self.remove_if_over(&entry, now).await {
                    Ok(true) => {}
                    Ok(false) => return Ok(()),
                    // Its names stay taken; those of others go.
                    Err(Error::Record(error)) => {
                        tracing::error!(key = %entry.key, %error, "a tombstone is left alone");
                    }
                    Err(error) => return Err(error),
                }
                after = Some(entry.key);
            }
            if !page.more {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }

    /// Removes a tombstone; false when its time is not over. The claims go first, in as many commits as it
    /// takes: after a crash the record of them is still there.
    async fn remove_if_over(&self, entry: &Entry, now: Timestamp) -> Result<bool, Error> {
        let released: Released = decode("tombstone", &entry.value)?;
        if now.since(released.at) < self.limits.tombstone {
            return Ok(false);
        }
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
        Ok(true)
    }
}

/// What failed is tried again in the next round.
fn told(what: &'static str, swept: Result<(), Error>) {
    if let Err(error) = swept {
        tracing::warn!(what, %error, "could not be swept now");
    }
}

#[cfg(test)]
mod tests;
