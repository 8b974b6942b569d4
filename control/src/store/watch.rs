use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use proto::Revision;

use super::Key;

/// A commit as those who watch see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its place in the order.
    pub revision: Revision,
    /// The keys it wrote or removed, each once.
    pub changes: Arc<[Change]>,
}

/// What became of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub key: Key,
    /// What stands there now; none when it was removed.
    pub value: Option<Bytes>,
}

/// Commits have passed that the watch can no longer tell; it ends here. List again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the watch has fallen behind what the store remembers; list again and watch from there")]
pub struct Lagged;

/// Commits in order, until the store closes (the stream ends) or the watch has fallen behind.
pub type Watch = BoxStream<'static, Result<Commit, Lagged>>;
