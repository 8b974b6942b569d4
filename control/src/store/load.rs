use bytes::Bytes;
use futures_util::StreamExt as _;
use proto::Revision;

use super::{Key, Prefix, Store, StoreError, Watch};

/// Entries asked for at once: some hundred kilobytes, a millisecond of reading.
const PAGE: usize = 1_000;

/// Makes something of all that stands under `prefix` at one revision, and the watch that goes on from it.
///
/// It begins as what `empty` gives; `take` is told what stands under each key (none: nothing any more).
/// Nothing is gathered in between, for there may be millions. The pages of a listing may be read at
/// different revisions: the commits in between follow, so a key may be told several times, an older value
/// after a newer one among them, but last of all what stands there at the revision returned. Starts again
/// when the listing takes longer than the store remembers.
pub async fn load<T>(
    store: &dyn Store,
    prefix: &Prefix,
    empty: impl Fn() -> T,
    take: impl Fn(&mut T, &Key, Option<&Bytes>),
) -> Result<(Revision, T, Watch), StoreError> {
    loop {
        let mut made = empty();
        let (first, last) = list_all(store, prefix, |key, value| take(&mut made, key, Some(value))).await?;
        let mut watch = store.watch(first);
        let taken = |key: &Key, value: Option<&Bytes>| take(&mut made, key, value);
        if replay(&mut watch, first, last, prefix, taken).await {
            return Ok((last, made, watch));
        }
        tracing::warn!("the store moved on faster than it could be read; reading it again");
    }
}

/// Returns what the first page and the last were read at.
async fn list_all(
    store: &dyn Store,
    prefix: &Prefix,
    mut take: impl FnMut(&Key, &Bytes),
) -> Result<(Revision, Revision), StoreError> {
    let mut page = store.list(prefix, None, PAGE).await?;
    let first = page.revision;
    loop {
        for entry in &page.entries {
            take(&entry.key, &entry.value);
        }
        if !page.more {
            return Ok((first, page.revision));
        }
        let last = page.entries.last().map(|entry| entry.key.clone());
        page = store.list(prefix, last.as_ref(), PAGE).await?;
    }
}

/// Tells the commits up to `until`. False when the watch could not tell.
async fn replay(
    watch: &mut Watch,
    mut at: Revision,
    until: Revision,
    prefix: &Prefix,
    mut take: impl FnMut(&Key, Option<&Bytes>),
) -> bool {
    while !at.includes(until) {
        let Some(Ok(commit)) = watch.next().await else {
            return false;
        };
        at = commit.revision;
        for change in commit.changes.iter().filter(|change| prefix.covers(&change.key)) {
            take(&change.key, change.value.as_ref());
        }
    }
    true
}
