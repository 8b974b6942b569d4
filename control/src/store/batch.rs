use std::collections::HashSet;
use std::fmt;

use bytes::Bytes;

use super::{CommitError, Key, MAX_BATCH_BYTES, MAX_OPERATIONS, Version};

/// What a commit takes for granted about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing stands there.
    Absent,
    /// It was last written by this revision.
    At(Version),
    /// Whatever it is.
    Any,
}

impl Expect {
    /// Whether a key whose version is `found` is as expected.
    pub fn holds(self, found: Option<Version>) -> bool {
        match self {
            Self::Absent => found.is_none(),
            Self::At(version) => found == Some(version),
            Self::Any => true,
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("nothing"),
            Self::At(version) => write!(f, "version {}", version.0),
            Self::Any => f.write_str("anything"),
        }
    }
}

/// What becomes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// It gets this value.
    Put(Bytes),
    /// It goes; nothing happens when it is not there.
    Delete,
    /// It stays; the batch only relies on it.
    Check,
}

/// One key of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Which.
    pub key: Key,
    /// What must be so, or nothing of the batch is done.
    pub expect: Expect,
    /// What becomes of it.
    pub op: Op,
}

/// What one commit does, all or nothing: at most [`MAX_OPERATIONS`] keys, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch(Vec<Operation>);

impl Batch {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes `value` under `key`.
    #[must_use]
    pub fn put(self, key: Key, expect: Expect, value: impl Into<Bytes>) -> Self {
        self.with(Operation { key, expect, op: Op::Put(value.into()) })
    }

    /// Removes what stands under `key`.
    #[must_use]
    pub fn delete(self, key: Key, expect: Expect) -> Self {
        self.with(Operation { key, expect, op: Op::Delete })
    }

    /// Relies on `key` being as expected, and leaves it so.
    #[must_use]
    pub fn check(self, key: Key, expect: Expect) -> Self {
        self.with(Operation { key, expect, op: Op::Check })
    }

    /// Adds one operation.
    #[must_use]
    pub fn with(mut self, operation: Operation) -> Self {
        self.0.push(operation);
        self
    }

    /// What it does, in the order it was said.
    pub fn operations(&self) -> &[Operation] {
        &self.0
    }

    /// Judges what no store needs to look up: sizes, and that each key stands in it once.
    pub(super) fn judge(&self) -> Result<(), CommitError> {
        let count = self.0.len();
        if count > MAX_OPERATIONS {
            let what = format!("{count} operations");
            return Err(CommitError::TooLarge { what, limit: MAX_OPERATIONS });
        }
        let bytes: usize = self.0.iter().map(Operation::bytes).sum();
        if bytes > MAX_BATCH_BYTES {
            return Err(CommitError::TooLarge { what: format!("{bytes} bytes"), limit: MAX_BATCH_BYTES });
        }
        let mut seen = HashSet::with_capacity(count);
        match self.0.iter().find(|operation| !seen.insert(&operation.key)) {
            Some(twice) => Err(CommitError::Repeated(twice.key.clone())),
            None => Ok(()),
        }
    }

    /// Whether it changes nothing, whatever the store holds.
    pub(super) fn only_checks(&self) -> bool {
        self.0.iter().all(|operation| operation.op == Op::Check)
    }
}

impl Operation {
    fn bytes(&self) -> usize {
        let value = match &self.op {
            Op::Put(value) => value.len(),
            Op::Delete | Op::Check => 0,
        };
        self.key.as_str().len() + value
    }
}
