use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::StreamExt as _;
use proto::Revision;

use super::{Key, Prefix, Store, StoreError, Watch};

/// Entries asked for at once: some hundred kilobytes, a millisecond of reading.
const PAGE: usize = 1_000;

/// Everything under `prefix` at one revision, and the watch that goes on from it.
///
/// The pages of a listing may be read at different revisions. The commits in between are replayed on
/// what was read: each says what its keys became, so doing that twice or late changes nothing, and after
/// the last page's revision the whole is as it was then. Starts again when the listing takes longer than
/// the store remembers.
pub async fn load(
    store: &dyn Store,
    prefix: &Prefix,
) -> Result<(Revision, BTreeMap<Key, Bytes>, Watch), StoreError> {
    loop {
        let (first, last, mut entries) = list_all(store, prefix).await?;
        let mut watch = store.watch(first);
        if replay(&mut watch, first, last, prefix, &mut entries).await {
            return Ok((last, entries, watch));
        }
        tracing::warn!("the store moved on faster than it could be read; reading it again");
    }
}

async fn list_all(
    store: &dyn Store,
    prefix: &Prefix,
) -> Result<(Revision, Revision, BTreeMap<Key, Bytes>), StoreError> {
    let mut page = store.list(prefix, None, PAGE).await?;
    let first = page.revision;
    let mut entries = BTreeMap::new();
    loop {
        let last = page.entries.last().map(|entry| entry.key.clone());
        entries.extend(page.entries.into_iter().map(|entry| (entry.key, entry.value)));
        if !page.more {
            return Ok((first, page.revision, entries));
        }
        page = store.list(prefix, last.as_ref(), PAGE).await?;
    }
}

/// Brings `entries` to `until`. False when the watch could not tell.
async fn replay(
    watch: &mut Watch,
    mut at: Revision,
    until: Revision,
    prefix: &Prefix,
    entries: &mut BTreeMap<Key, Bytes>,
) -> bool {
    while !at.includes(until) {
        let Some(Ok(commit)) = watch.next().await else {
            return false;
        };
        at = commit.revision;
        for change in commit.changes.iter().filter(|change| prefix.covers(&change.key)) {
            match &change.value {
                Some(value) => entries.insert(change.key.clone(), value.clone()),
                None => entries.remove(&change.key),
            };
        }
    }
    true
}
