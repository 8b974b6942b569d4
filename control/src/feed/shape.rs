use proto::Hostname;
use serde::{Deserialize, Serialize};

use crate::domain::record::{decode, encode};
use crate::store::{Batch, CommitError, Expect, Key, Store, StoreError};

/// Raise it when the same records become other routes than before.
const PROJECTION: u32 = 1;

/// What the routes depend on beside the records.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shape {
    projection: u32,
    domains: Vec<String>,
}

/// Commits a change of shape, if there is one since the last start.
///
/// A proxy that holds a revision is not sent its table again; so one revision must never mean two
/// tables. Other base domains make another table of the same records: that is a revision of its own.
pub(super) async fn settle_shape(store: &dyn Store, domains: &[Hostname]) -> Result<(), StoreError> {
    let key = Key::of(["meta", "feed-shape"]);
    let shape = Shape { projection: PROJECTION, domains: domains.iter().map(ToString::to_string).collect() };
    let failed = |reason: String| StoreError { doing: "note the base domains", reason };
    let value = encode("feed shape", &shape).map_err(|error| failed(error.to_string()))?;
    loop {
        let found = store.get(&key).await?;
        if found
            .as_ref()
            .is_some_and(|found| decode::<Shape>("feed shape", &found.value).as_ref() == Ok(&shape))
        {
            return Ok(());
        }
        let expect = found.map_or(Expect::Absent, |found| Expect::At(found.version));
        match store.commit(Batch::new().put(key.clone(), expect, value.clone())).await {
            Ok(revision) => {
                tracing::info!(%revision, "every proxy will be sent the whole table");
                return Ok(());
            }
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(failed(error.to_string())),
        }
    }
}
