//! What can be done: each use case parses, loads, judges by the rules, and commits.
//!
//! - [`Service`]: the use cases; one file per resource.
//! - [`Error`]: every way a use case can end badly; each transport maps it once.
//! - [`keys`]: where records stand.
//!
//! A commit names the version of every key whose value it relied on. When one has changed in between,
//! the use case is judged anew, a bounded number of times: no lock is held anywhere, and of two who want
//! the same thing one wins.
//!
//! Architecture invariant: no transport's types here, and no other way to change a record.

use std::sync::Arc;

use proto::Revision;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::addresses::Addresses;
use crate::clock::WallClock;
use crate::config::{AddressLimits, Limits};
use crate::domain::record::{decode, encode};
use crate::domain::rules::Rules;
use crate::domain::{Chance, Keyring, Timestamp};
use crate::store::{Batch, CommitError, Key, Store, Version};

mod backends;
pub mod built_in;
mod chance;
mod deployments;
mod error;
mod filter;
mod gather;
mod identity;
pub mod keys;
mod packages;
mod page;
mod runtime;
mod secrets;
mod static_routes;
mod tombstones;
mod turns;

pub use chance::SystemChance;
pub use error::{Error, Kind};
pub use filter::Filter;
pub use identity::{SeenProject, SeenToken, TokenDraft, WhoIs, all_projects};
pub use page::{Listed, PageAsked};
pub use runtime::ReportAsked;
pub use secrets::{SecretsStand, look_at_secrets, seal_anew};
pub use static_routes::{BindAsked, ViewedStaticRoute};

use self::turns::Turns;

/// Does what can be done, for every transport alike. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    store: Arc<dyn Store>,
    rules: Arc<Rules>,
    limits: Limits,
    clock: WallClock,
    chance: Arc<dyn Chance>,
    keyring: Arc<Keyring>,
    turns: Arc<Turns>,
    addresses: Addresses,
}

/// A record, and the version of its key.
#[derive(Debug, Clone)]
struct Loaded<T> {
    record: T,
    version: Version,
}

/// What a change came to: the record, and the revision it is in.
#[derive(Debug, Clone)]
pub struct Changed<T> {
    /// As it stands now.
    pub record: T,
    /// The commit; for a change that changes nothing, or a trial, where the store stood.
    pub revision: Revision,
}

impl Service {
    /// Works on `store` by `rules`; what secrets hold is sealed by `keyring`.
    pub fn new(
        store: Arc<dyn Store>,
        rules: Arc<Rules>,
        limits: Limits,
        clock: WallClock,
        chance: Arc<dyn Chance>,
        keyring: Arc<Keyring>,
    ) -> Self {
        let turns = Arc::new(Turns::new());
        let addresses = Addresses::new(store.clone(), AddressLimits::default());
        Self { store, rules, limits, clock, chance, keyring, turns, addresses }
    }

    /// Asks these who uses which backend address. Whoever has more than one project needs them followed.
    #[must_use]
    pub fn with_addresses(self, addresses: Addresses) -> Self {
        Self { addresses, ..self }
    }

    /// What everything is judged by.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    fn now(&self) -> Timestamp {
        (self.clock)().into()
    }

    async fn load<T: DeserializeOwned>(&self, kind: Kind, key: &Key) -> Result<Option<Loaded<T>>, Error> {
        let Some(found) = self.store.get(key).await? else {
            return Ok(None);
        };
        let record = decode(kind.as_str(), &found.value)?;
        Ok(Some(Loaded { record, version: found.version }))
    }

    /// Commits what `prepare` says, preparing anew as long as what it relied on has changed meanwhile.
    async fn commit<T, F>(&self, what: &'static str, prepare: impl Fn() -> F) -> Result<Changed<T>, Error>
    where
        F: Future<Output = Result<Prepared<T>, Error>>,
    {
        for _ in 0..self.limits.commit_attempts {
            let prepared = prepare().await?;
            let Some(batch) = prepared.batch else {
                return Ok(Changed { record: prepared.record, revision: self.store.revision() });
            };
            let batch = identity::in_open_projects(batch);
            match self.store.commit(batch).await {
                Ok(revision) => return Ok(Changed { record: prepared.record, revision }),
                Err(CommitError::Conflict { key, .. }) if identity::is_closed(&key) => {
                    return Err(identity::project_going());
                }
                Err(CommitError::Conflict { key, .. }) => {
                    tracing::debug!(%key, what, "changed meanwhile; judging anew");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Concurrent { what, attempts: self.limits.commit_attempts })
    }
}

/// What a use case wants to commit, and what it answers when that is done.
struct Prepared<T> {
    record: T,
    /// None for a trial: judged, and nothing done.
    batch: Option<Batch>,
}

impl<T> Prepared<T> {
    fn new(record: T, batch: Batch, dry_run: bool) -> Self {
        Self { record, batch: (!dry_run).then_some(batch) }
    }
}

/// Most bytes of one record: what is within it now can be written in one batch with all that is bound to
/// it, so that nothing grows too large to be stopped.
const MOST_RECORD_BYTES: usize = 1 << 20;

/// What is stored for `record`.
fn stored<T: Serialize>(kind: Kind, record: &T) -> Result<Vec<u8>, Error> {
    let bytes = encode(kind.as_str(), record)?;
    if bytes.len() > MOST_RECORD_BYTES {
        let length = bytes.len();
        return Err(Error::TooLarge(format!(
            "the {kind} would take {length} bytes in the store; at most {MOST_RECORD_BYTES} are possible"
        )));
    }
    Ok(bytes)
}
