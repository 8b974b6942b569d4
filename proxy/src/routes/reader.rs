use std::sync::Arc;

use arc_swap::{ArcSwap, Cache};

use super::hot::Hot;
use super::{RouteEntry, Table};

/// One worker's way into the table.
///
/// It keeps the version it looked at last, so that a look-up costs one load of a shared pointer that
/// changes only with a revision, and the routes it is asked for again and again. A worker without traffic
/// should [`refresh`](Self::refresh) now and then: until it does, the version it keeps is not freed.
pub struct Reader {
    cache: Cache<Arc<ArcSwap<Table>>, Arc<Table>>,
    pub(super) hot: Hot,
    /// The version whose ended entries `hot` has been rid of.
    swept: u64,
}

/// The route a connection met last, so that the next request for the same name need not look it up
/// while that route is the same. Holds no version of the table.
#[derive(Default)]
pub struct Recent {
    generation: u64,
    entry: Option<Arc<RouteEntry>>,
}

impl Reader {
    pub(super) fn new(current: Arc<ArcSwap<Table>>) -> Self {
        Self { cache: Cache::new(current), hot: Hot::default(), swept: 0 }
    }

    /// The table as it is now.
    #[inline]
    pub fn table(&mut self) -> &Arc<Table> {
        self.cache.load()
    }

    /// The route of a folded name.
    #[inline]
    pub fn get(&mut self, folded_name: &str) -> Option<Arc<RouteEntry>> {
        self.look_up(folded_name).cloned()
    }

    /// The same, without touching its shared count.
    #[inline]
    pub fn look_up(&mut self, folded_name: &str) -> Option<&Arc<RouteEntry>> {
        let table = self.cache.load();
        let hash = table.hasher.hash(folded_name);
        if let Some(at) = self.hot.find(table.generation, hash, folded_name) {
            return self.hot.at(at);
        }
        let entry = table.tree.get(hash, folded_name)?;
        self.hot.missed(table.generation, hash, entry);
        Some(entry)
    }

    /// The same, remembering the answer: no look-up and no shared count is touched when neither the
    /// name nor its route has changed since `recent` was filled.
    #[inline]
    pub fn get_recent<'r>(
        &mut self,
        recent: &'r mut Recent,
        folded_name: &str,
    ) -> Option<&'r Arc<RouteEntry>> {
        // Before anything else: an entry that ended says so before the table without it is there.
        let generation = self.cache.load().generation;
        let hit = recent.generation == generation
            && recent
                .entry
                .as_ref()
                .is_some_and(|entry| !entry.has_ended() && entry.route.hostname.as_str() == folded_name);
        if !hit {
            *recent = Recent { generation, entry: self.get(folded_name) };
        }
        recent.entry.as_ref()
    }

    /// Lets go of an old version, and of routes that are no more.
    pub fn refresh(&mut self) {
        let table = self.cache.load();
        if self.swept != table.version {
            self.swept = table.version;
            self.hot.sweep(table.generation);
        }
    }
}
