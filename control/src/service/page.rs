use serde::de::DeserializeOwned;

use super::filter::Filtered;
use super::{Error, Filter, Kind, Service};
use crate::domain::record::decode;
use crate::store::{Key, Prefix};

/// Records read at once.
const PORTION: usize = 128;

/// Which stretch of a listing is asked for.
#[derive(Debug, Clone, Default)]
pub struct PageAsked {
    /// At most this many; 0 means the default.
    pub size: u32,
    /// Where to go on, as the page before said; empty for the first.
    pub token: String,
    /// Which items are wanted.
    pub filter: Filter,
}

/// A stretch of a listing.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// Where to go on; none after the last page.
    pub next: Option<String>,
}

impl Service {
    /// How many items a page may have when `asked` for so many.
    pub fn page_size(&self, asked: u32) -> usize {
        let asked = usize::try_from(asked).unwrap_or(usize::MAX);
        if asked == 0 { self.limits.page_default } else { asked.min(self.limits.page_most) }
    }

    /// The records under `prefix` that `keep` keeps, after the key `after`, and where to go on.
    ///
    /// A page looks at no more than a bounded number of records: with a filter it may come back with few
    /// or none, and a key to go on from. It is bounded in bytes too, for clients take no larger messages.
    async fn page<T: DeserializeOwned>(
        &self,
        kind: Kind,
        prefix: &Prefix,
        mut after: Option<Key>,
        size: usize,
        keep: impl Fn(&T) -> bool,
    ) -> Result<(Vec<T>, Option<Key>), Error> {
        let (mut items, mut looked_at, mut bytes) = (Vec::new(), 0, 0);
        let mut portion = size.min(PORTION);
        loop {
            let page = self.store.list(prefix, after.as_ref(), portion).await?;
            for entry in page.entries {
                let full = bytes + entry.value.len() > self.limits.page_bytes && !items.is_empty();
                if full || items.len() == size || looked_at == self.limits.page_looks_at {
                    return Ok((items, after));
                }
                let record: T = decode(kind.as_str(), &entry.value)?;
                looked_at += 1;
                if keep(&record) {
                    bytes += entry.value.len();
                    items.push(record);
                }
                after = Some(entry.key);
            }
            if !page.more {
                return Ok((items, None));
            }
            portion = PORTION;
        }
    }

    /// The records under `prefix` that `asked` and `keep` want.
    pub(super) async fn list_records<T: DeserializeOwned + Filtered>(
        &self,
        kind: Kind,
        prefix: &Prefix,
        asked: &PageAsked,
        keep: impl Fn(&T) -> bool,
    ) -> Result<Listed<T>, Error> {
        let after = match asked.token.as_str() {
            "" => None,
            token => Some(prefix.with_rest(token)),
        };
        let keep = |record: &T| asked.filter.wants(record) && keep(record);
        let (items, last) = self.page(kind, prefix, after, self.page_size(asked.size), keep).await?;
        let next = last.map(|key| tail(prefix, &key));
        Ok(Listed { items, next })
    }
}

/// What of `key` goes beyond `prefix`: the token to go on from.
fn tail(prefix: &Prefix, key: &Key) -> String {
    key.as_str().strip_prefix(prefix.as_str()).unwrap_or_default().to_owned()
}
