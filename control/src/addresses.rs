//! Which project's deployments use which backend address, and since when nobody does.
//!
//! An address belongs to one project at a time: that is stored, under the address, and every commit that
//! makes a deployment use it relies on it. Who uses it is not stored: the deployments say so themselves,
//! and [`Addresses`] follows them. So repeated use within a project writes nothing, and giving up an address
//! writes nothing either.
//!
//! To take an address from its project is done in two steps. First it is marked as contested, which a
//! deployment of the project that begins to use it meanwhile must undo. Then, with every commit up to the
//! mark taken in, it is looked whether anyone uses it; if nobody does, the mark goes, and the owner with it.
//!
//! With one project there is nothing to judge, and nothing is followed. What was given up before control
//! started counts as given up at its start: time without control does not count.

mod known;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use proto::{BackendAddr, ProjectId, Revision};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use self::known::Known;
use crate::config::AddressLimits;
use crate::domain::record::{AddressOwner, BACKEND_ADDRESS, PROJECT_RECORD, decode, encode};
use crate::drain::Signal;
use crate::store::{self, Batch, CommitError, Expect, Key, Prefix, Store, StoreError, Version};

/// Who uses which address. Clones are the same.
#[derive(Clone)]
pub struct Addresses {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    limits: AddressLimits,
    known: Mutex<Known>,
    /// The last commit that is part of what is known.
    reached: watch::Sender<Option<Revision>>,
    /// Held while an address is taken back: two who contest the same one would undo each other's mark.
    turn: tokio::sync::Mutex<()>,
}

/// How an address stands for a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No other project uses it, nor has of late.
    Free,
    /// Another project's deployment uses it.
    InUse,
    /// Another project's deployment used it; it is free after this time.
    Quarantined(Duration),
}

/// As [`crate::service::keys`] has it, which stands above this room.
fn key(address: BackendAddr) -> Key {
    Key::of([BACKEND_ADDRESS, &address.to_string()])
}

impl Addresses {
    /// Of the deployments in `store`.
    pub fn new(store: Arc<dyn Store>, limits: AddressLimits) -> Self {
        let known = Mutex::new(Known::default());
        let (reached, turn) = (watch::Sender::new(None), tokio::sync::Mutex::new(()));
        let inner = Inner { store, limits, known, reached, turn };
        Self { inner: Arc::new(inner) }
    }

    /// How many addresses that are new to a deployment one change of it may name.
    pub fn most_new(&self) -> usize {
        self.inner.limits.most_new
    }

    /// How `address` stands for `project`, by all that was acknowledged until now.
    pub async fn standing(&self, project: &ProjectId, address: BackendAddr) -> Result<Standing, StoreError> {
        self.reach(self.inner.store.revision()).await?;
        Ok(self.known().standing(project, address, self.inner.limits.quarantine, Instant::now()))
    }

    /// Takes `address` from its project, if nobody uses it and its quarantine is over. False when it turned
    /// out otherwise meanwhile.
    pub async fn take_back(&self, address: BackendAddr) -> Result<bool, StoreError> {
        let (store, key) = (&self.inner.store, key(address));
        let _turn = self.inner.turn.lock().await;
        if !self.is_due(address) {
            return Ok(false);
        }
        let Some(found) = store.get(&key).await? else {
            self.known().forget(address);
            return Ok(true);
        };
        let owner: AddressOwner = decode("backend address", &found.value).map_err(unreadable)?;
        let contested = AddressOwner { contested: true, ..owner };
        let value = encode("backend address", &contested).map_err(unreadable)?;
        let mark = Batch::new().put(key.clone(), Expect::At(found.version), value);
        let Some(marked) = unless_changed(store.commit(mark).await)? else { return Ok(false) };
        self.reach(marked).await?;
        if !self.is_due(address) {
            return Ok(false);
        }
        let end = Batch::new().delete(key, Expect::At(Version(marked.number)));
        let Some(ended) = unless_changed(store.commit(end).await)? else { return Ok(false) };
        self.reach(ended).await?;
        Ok(true)
    }

    /// Takes back up to `most` addresses nobody uses any more. Tells how many it looked at.
    pub async fn sweep(&self, most: usize) -> Result<usize, StoreError> {
        let due = self.known().due(self.inner.limits.quarantine, Instant::now(), most);
        let looked_at = due.len();
        for address in due {
            self.take_back(address).await?;
        }
        Ok(looked_at)
    }

    /// Follows the deployments until `signal` is given.
    pub async fn run(self, signal: Signal) {
        loop {
            tokio::select! {
                () = signal.given() => return,
                ended = self.follow() => if let Err(error) = ended {
                    tracing::error!(%error, "who uses which backend address is not known; trying again");
                    sleep(self.inner.limits.retry).await;
                },
            }
        }
    }

    async fn follow(&self) -> Result<(), StoreError> {
        let store = &*self.inner.store;
        second_project(store).await?;
        let take = |known: &mut Known, key: &Key, value: Option<&bytes::Bytes>| {
            known.apply(key, value.map(AsRef::as_ref), Instant::now());
        };
        let (at, loaded, mut commits) = store::load(store, &Prefix::of([]), Known::default, take).await?;
        self.known().begin_anew(loaded);
        self.inner.reached.send_replace(Some(at));
        while let Some(Ok(commit)) = commits.next().await {
            let now = Instant::now();
            let mut known = self.known();
            for change in commit.changes.iter() {
                known.apply(&change.key, change.value.as_deref(), now);
            }
            drop(known);
            self.inner.reached.send_replace(Some(commit.revision));
        }
        // It fell behind what the store remembers.
        Ok(())
    }

    /// Waits until `revision` is part of what is known.
    async fn reach(&self, revision: Revision) -> Result<(), StoreError> {
        let mut reached = self.inner.reached.subscribe();
        // Both are of this run, in which numbers go on even where its first commit changes the epoch.
        let enough = |at: &Option<Revision>| at.is_some_and(|at| at.number >= revision.number);
        match timeout(self.inner.limits.wait, reached.wait_for(enough)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(StoreError {
                doing: "tell who uses a backend address",
                reason: "not all that was committed has been taken in; nothing was done, try again"
                    .to_owned(),
            }),
        }
    }

    fn is_due(&self, address: BackendAddr) -> bool {
        self.known().is_due(address, self.inner.limits.quarantine, Instant::now())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns once there is more than one project.
async fn second_project(store: &dyn Store) -> Result<(), StoreError> {
    let projects = Prefix::of([PROJECT_RECORD]);
    loop {
        let page = store.list(&projects, None, 2).await?;
        if page.entries.len() > 1 {
            return Ok(());
        }
        let mut commits = store.watch(page.revision);
        while let Some(Ok(commit)) = commits.next().await {
            if commit.changes.iter().any(|change| projects.covers(&change.key)) {
                break;
            }
        }
    }
}

fn unless_changed(committed: Result<Revision, CommitError>) -> Result<Option<Revision>, StoreError> {
    match committed {
        Ok(revision) => Ok(Some(revision)),
        Err(CommitError::Conflict { .. }) => Ok(None),
        Err(CommitError::Store(error)) => Err(error),
        Err(other) => Err(StoreError { doing: "take a backend address back", reason: other.to_string() }),
    }
}

fn unreadable(error: crate::domain::RecordError) -> StoreError {
    StoreError { doing: "tell whose a backend address is", reason: error.to_string() }
}
