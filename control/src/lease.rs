//! The leases of runtimes: opened, kept alive, closed, and found to have run out.
//!
//! That a lease is there, and that it has lapsed, is stored: routes follow from it, and it outlives
//! control. When it runs out is known in memory only: keeping it alive writes nothing, and after a start
//! every lease has its full time, for time without control does not count.
//!
//! - [`Leases`]: what runtimes ask for.
//! - [`LeaseClock`]: the one task that writes lapses.

mod clock;
mod held;
#[cfg(test)]
mod tests;

pub use clock::LeaseClock;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use proto::ProjectId;
use tokio::sync::Notify;
use tokio::time::Instant;

use self::held::Held;
use crate::clock::WallClock;
use crate::config::LeaseLimits;
use crate::domain::record::{LEASE, PROJECT, decode, encode};
use crate::domain::{Chance, Faults, Lease, LeaseId};
use crate::metrics::LeaseMetrics;
use crate::service::{Error, Kind, keys};
use crate::store::{Batch, CommitError, Expect, Prefix, Store};

type MutexTurn<'a> = tokio::sync::MutexGuard<'a, ()>;

/// How often a change of a record is tried when others change it meanwhile. Only this room writes
/// leases, one change at a time, so that more than one attempt is rare.
const ATTEMPTS: u32 = 8;

/// What runtimes ask for. Clones are the same leases.
#[derive(Clone)]
pub struct Leases {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    limits: LeaseLimits,
    wall: WallClock,
    chance: Arc<dyn Chance>,
    metrics: LeaseMetrics,
    held: Mutex<Held>,
    /// Held while a lease lapses, revives, closes or makes room: what is stored and what is known here change
    /// together, or another would act on half of it.
    turn: tokio::sync::Mutex<()>,
    /// Wakes the clock: a lease may run out sooner than it thought.
    sooner: Notify,
}

impl Leases {
    /// The leases of `projects` in `store`, each with its full time from now, and the clock that is to
    /// be run as a task of its own.
    pub async fn load(
        store: Arc<dyn Store>,
        projects: &[ProjectId],
        limits: LeaseLimits,
        wall: WallClock,
        chance: Arc<dyn Chance>,
        metrics: LeaseMetrics,
    ) -> Result<(Self, LeaseClock), Error> {
        let mut held = Held::default();
        for project in projects {
            for lease in stored(&*store, project).await? {
                held.insert(lease, Instant::now());
            }
        }
        metrics.open.set(i64::try_from(held.len()).unwrap_or(i64::MAX));
        let (held, turn) = (Mutex::new(held), tokio::sync::Mutex::new(()));
        let inner =
            Arc::new(Inner { store, limits, wall, chance, metrics, held, turn, sooner: Notify::new() });
        Ok((Self { inner: inner.clone() }, LeaseClock::new(inner)))
    }

    /// Opens a lease for `runtime`, of `ttl_seconds` or, for 0, the default.
    pub async fn open(&self, project: &ProjectId, runtime: &str, ttl_seconds: u32) -> Result<Lease, Error> {
        let inner = &self.inner;
        let ttl_seconds = inner.judge(runtime, ttl_seconds)?;
        let lease = Lease {
            id: LeaseId::draw(&*inner.chance)?,
            project: project.clone(),
            runtime: runtime.to_owned(),
            ttl_seconds,
            opened_at: (inner.wall)().into(),
            lapsed: false,
        };
        let batch = Batch::new()
            .put(keys::lease(project, &lease.id), Expect::Absent, encode("lease", &lease)?)
            .check(keys::project_closed(project), Expect::Absent);
        let turn = inner.make_room().await?;
        // Known before it is stored: should the caller go away in between, it runs out all the same.
        inner.held().insert(lease.clone(), Instant::now());
        drop(turn);
        inner.sooner.notify_one();
        let committed = inner.store.commit(batch).await;
        if committed.is_err() {
            inner.held().remove(&lease.id);
        }
        inner.count();
        committed?;
        Ok(lease)
    }

    /// Gives a lease its full time again. One that had lapsed revives with all that was reported under it.
    pub async fn keep_alive(&self, project: &ProjectId, id: &str) -> Result<Lease, Error> {
        let inner = &self.inner;
        let id = inner.find(project, id)?;
        let kept = inner.held().keep(&id, Instant::now());
        let kept = kept.ok_or_else(|| not_found(id.as_str()))?;
        if !kept.lapsed {
            return Ok(kept);
        }
        let _turn = inner.turn.lock().await;
        inner.held().revive(&id);
        let reviving = Reviving { inner, id: &id };
        inner.sooner.notify_one();
        let revived = inner.write(project, &id, false).await?;
        reviving.done();
        revived.ok_or_else(|| not_found(id.as_str()))
    }

    /// Ends a lease: what was reported under it is void.
    pub async fn close(&self, project: &ProjectId, id: &str) -> Result<(), Error> {
        let inner = &self.inner;
        let id = inner.find(project, id)?;
        let _turn = inner.turn.lock().await;
        inner.remove(project, &id).await
    }
}

/// A lease that counts as alive here and may not in the store. Should that not be stored, because the store
/// fails or the caller goes away, the next one who keeps it alive has it stored.
struct Reviving<'l> {
    inner: &'l Inner,
    id: &'l LeaseId,
}

impl Reviving<'_> {
    fn done(self) {
        std::mem::forget(self);
    }
}

impl Drop for Reviving<'_> {
    fn drop(&mut self) {
        self.inner.held().mark_lapsed(self.id);
    }
}

impl Inner {
    /// All that is wrong with what a runtime asks for, or the time its lease is to have, in seconds.
    fn judge(&self, runtime: &str, ttl_seconds: u32) -> Result<u32, Error> {
        let mut faults = Faults::new();
        let limits = &self.limits;
        let ttl = if ttl_seconds == 0 { limits.ttl_default } else { ttl_seconds };
        if !limits.ttl.contains(&ttl) {
            let (least, most) = (limits.ttl.start(), limits.ttl.end());
            let message =
                format!("{ttl} is not between {least} and {most} seconds; 0 means {}", limits.ttl_default);
            faults.add("ttl_seconds", "lease_ttl", message);
        }
        if runtime.is_empty() || runtime.len() > limits.runtime_bytes || runtime.chars().any(char::is_control)
        {
            let most = limits.runtime_bytes;
            let message = format!(
                "must be 1 to {most} bytes without control characters: who holds the lease, for people"
            );
            faults.add("runtime", "lease_runtime", message);
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        Ok(ttl)
    }

    /// Sees to it that one more lease may be open, until the turn is given back. Runtimes that crash leave
    /// their leases behind: the one that ran out first is closed when there is no room otherwise.
    async fn make_room(&self) -> Result<MutexTurn<'_>, Error> {
        let turn = self.turn.lock().await;
        if self.held().len() < self.limits.open {
            return Ok(turn);
        }
        let longest_lapsed = self.held().longest_lapsed();
        let Some((id, project)) = longest_lapsed else {
            let message = format!(
                "{} leases are open and kept alive, which is the most there may be: close those not needed",
                self.limits.open
            );
            return Err(Error::Refused(Faults::one("runtime", "lease_limit", message)));
        };
        tracing::warn!(lease = id.as_str(), "a lease that ran out is closed to make room for another");
        self.remove(&project, &id).await?;
        Ok(turn)
    }

    /// Removes a lease from what is stored and what is known, within a turn.
    async fn remove(&self, project: &ProjectId, id: &LeaseId) -> Result<(), Error> {
        self.store.commit(Batch::new().delete(keys::lease(project, id), Expect::Any)).await?;
        self.held().remove(id);
        self.count();
        Ok(())
    }

    fn find(&self, project: &ProjectId, id: &str) -> Result<LeaseId, Error> {
        let parsed = LeaseId::parse(id).ok();
        parsed.filter(|id| self.held().is_of(id, project)).ok_or_else(|| not_found(id))
    }

    /// Stores whether a lease has lapsed, and returns it; none when it has been closed.
    async fn write(&self, project: &ProjectId, id: &LeaseId, lapsed: bool) -> Result<Option<Lease>, Error> {
        let key = keys::lease(project, id);
        for _ in 0..ATTEMPTS {
            let Some(found) = self.store.get(&key).await? else {
                self.held().remove(id);
                self.count();
                return Ok(None);
            };
            let mut lease: Lease = decode("lease", &found.value)?;
            if lease.lapsed == lapsed {
                return Ok(Some(lease));
            }
            lease.lapsed = lapsed;
            let value = encode("lease", &lease)?;
            match self.store.commit(Batch::new().put(key.clone(), Expect::At(found.version), value)).await {
                Ok(_) => return Ok(Some(lease)),
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Concurrent { what: "the lease", attempts: ATTEMPTS })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) {
        self.metrics.open.set(i64::try_from(self.held().len()).unwrap_or(i64::MAX));
    }
}

fn not_found(id: &str) -> Error {
    Error::NotFound { kind: Kind::Lease, name: id.to_owned() }
}

fn ttl(lease: &Lease) -> Duration {
    Duration::from_secs(lease.ttl_seconds.into())
}

async fn stored(store: &dyn Store, project: &ProjectId) -> Result<Vec<Lease>, Error> {
    let prefix = Prefix::of([PROJECT, project.as_str(), LEASE]);
    let (mut leases, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(&prefix, after.as_ref(), 1_000).await?;
        after = page.entries.last().map(|entry| entry.key.clone());
        for entry in page.entries {
            match decode::<Lease>("lease", &entry.value) {
                Ok(lease) => leases.push(lease),
                // Its routes stay as they are; a newer epr may know it.
                Err(error) => tracing::error!(key = %entry.key, %error, "a lease is left alone"),
            }
        }
        if !page.more {
            return Ok(leases);
        }
    }
}
