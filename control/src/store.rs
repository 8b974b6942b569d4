//! Where the truth is kept: keys, values, atomic commits in one order, and a stream of them.
//!
//! - [`Key`], [`Prefix`]: paths, like `project/p1/deployment/dep-x`.
//! - [`Batch`]: what one commit writes, and what it takes for granted.
//! - [`Store`]: the five things any backend can do. [`Embedded`] does them on one file.
//! - [`load`]: the whole content at one revision, to go on from with [`Store::watch`].
//!
//! Architecture invariant: the store knows nothing of what the values mean.

mod batch;
mod embedded;
mod key;
mod load;
mod watch;

pub use batch::{Batch, Expect, Op, Operation};
pub use embedded::{Embedded, EmbeddedConfig, OpenError};
pub use key::{Key, Prefix};
pub use load::load;
pub use watch::{Change, Commit, Lagged, Watch};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use proto::Revision;

/// Most operations in one [`Batch`]; etcd, which a second backend may stand on, takes 128.
pub const MAX_OPERATIONS: usize = 100;

/// Most bytes of keys and values in one [`Batch`]: a deployment of the largest size with as many of the
/// largest static routes as it may have.
pub const MAX_BATCH_BYTES: usize = 4 << 20;

/// The number of the revision that last wrote a key. A key deleted and written again has a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u64);

/// A value and the revision that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// What was written.
    pub value: Bytes,
    /// When.
    pub version: Version,
}

/// One key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub key: Key,
    /// What was written.
    pub value: Bytes,
    /// When.
    pub version: Version,
}

/// A stretch of a listing, in the order of the keys.
#[derive(Debug, Clone)]
pub struct Page {
    /// Never more than were asked for.
    pub entries: Vec<Entry>,
    /// Whether keys follow after the last of these.
    pub more: bool,
    /// What the store stood at when it was read. Pages of one listing may differ in it.
    pub revision: Revision,
}

/// Why something was not read or not written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the store cannot {doing}: {reason}")]
pub struct StoreError {
    /// What it was about to do.
    pub doing: &'static str,
    /// What came in between, and what can be done about it.
    pub reason: String,
}

/// Why a batch was not committed. Except for [`CommitError::Store`], nothing of it was.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// A key is not at the version the batch relies on.
    #[error("{key} has changed: expected {expected}, found {}", found.map_or("nothing".to_owned(), |v| format!("version {}", v.0)))]
    Conflict {
        /// The first key of the batch that is not as expected.
        key: Key,
        /// What the batch asked for.
        expected: Expect,
        /// Its version now; none when it is absent.
        found: Option<Version>,
    },
    /// The batch goes beyond what one commit may carry.
    #[error("{what} in one commit; at most {limit} are possible: split the change")]
    TooLarge {
        /// What there was too much of.
        what: String,
        /// How much there may be.
        limit: usize,
    },
    /// A key is named twice, so that the batch does not say what it should become.
    #[error("{0} is named twice in one commit")]
    Repeated(Key),
    /// The storage failed. The error says when nothing was changed; otherwise whether the batch is in the
    /// store is not known until it is read again. What was acknowledged before is in it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps versioned values under keys; every commit is all or nothing, durable when acknowledged, and
/// has a place in one order.
pub trait Store: Send + Sync + 'static {
    /// The last commit that those who watch can be told of: it includes every commit that has been
    /// acknowledged. Readers may see one that follows a moment before it moves there; who wants to know
    /// what a listing was read at asks [`Page::revision`].
    ///
    /// Numbers go on for ever; the epoch is drawn anew by the first commit after each opening. So no
    /// revision ever means two things: what is committed on a copy that was put back has another epoch
    /// than what the original went on to.
    fn revision(&self) -> Revision;

    /// What stands under `key`; none when nothing does.
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Versioned>, StoreError>>;

    /// Up to `limit` entries under `prefix` in the order of their keys, those after `after` only.
    fn list<'a>(
        &'a self,
        prefix: &'a Prefix,
        after: Option<&'a Key>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Page, StoreError>>;

    /// Commits `batch` whole, or says why not. Returns once it is durable and visible to readers.
    ///
    /// A batch that only checks takes no revision: it returns the one it was judged at.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision, CommitError>>;

    /// Every commit after `from`, in order, each once. When they are no longer known (too long ago, or
    /// of another epoch) the watch answers [`Lagged`]: list, and watch from there.
    fn watch(&self, from: Revision) -> Watch;
}
