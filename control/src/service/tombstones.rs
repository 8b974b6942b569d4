//! Random routes that were given up.

use super::{Error, Kind, Service, keys, stored};
use crate::domain::record::{Claim, Released};
use crate::domain::{RandomLabel, Timestamp};
use crate::store::{Expect, Op, Operation};

impl Service {
    /// What a commit that gives up `labels` says of them: nobody has them any more, and nobody gets them
    /// as long as their tombstones stand. One operation for each, and one for all of them.
    pub(super) fn bury(&self, labels: &[RandomLabel], at: Timestamp) -> Result<Vec<Operation>, Error> {
        let Some(first) = labels.first() else {
            return Ok(Vec::new());
        };
        let put = |key, value: Vec<u8>| Operation { key, expect: Expect::Any, op: Op::Put(value.into()) };
        let tombstone = stored(Kind::Index, &Claim::Released { at })?;
        let mut operations: Vec<_> =
            labels.iter().map(|label| put(keys::claim(&label.as_label()), tombstone.clone())).collect();
        let released = Released { at, labels: labels.to_vec() };
        operations.push(put(keys::released(at, first), stored(Kind::Index, &released)?));
        Ok(operations)
    }
}
