use std::sync::Arc;

use arc_swap::{ArcSwap, Cache};

use super::{RouteEntry, Table};

/// One worker's way into the table.
///
/// It keeps the version it looked at last, so that a look-up costs one load of a shared pointer that
/// changes only with a revision. A worker without traffic should [`refresh`](Self::refresh) now and
/// then: until it does, the version it keeps is not freed.
pub struct Reader {
    cache: Cache<Arc<ArcSwap<Table>>, Arc<Table>>,
}

/// The route a connection met last, so that the next request for the same name need not look it up
/// while the table is the same. Holds no version of the table.
#[derive(Default)]
pub struct Recent {
    version: u64,
    entry: Option<Arc<RouteEntry>>,
}

impl Reader {
    pub(super) fn new(current: Arc<ArcSwap<Table>>) -> Self {
        Self { cache: Cache::new(current) }
    }

    /// The table as it is now.
    #[inline]
    pub fn table(&mut self) -> &Arc<Table> {
        self.cache.load()
    }

    /// The route of a folded name.
    #[inline]
    pub fn get(&mut self, folded_name: &str) -> Option<Arc<RouteEntry>> {
        self.cache.load().get(folded_name).cloned()
    }

    /// The same, remembering the answer: no look-up and no shared count is touched when neither the
    /// name nor the table has changed since `recent` was filled.
    #[inline]
    pub fn get_recent<'r>(
        &mut self,
        recent: &'r mut Recent,
        folded_name: &str,
    ) -> Option<&'r Arc<RouteEntry>> {
        let table = self.cache.load();
        let hit = recent.version == table.version
            && recent.entry.as_ref().is_some_and(|entry| entry.route.hostname.as_str() == folded_name);
        if !hit {
            *recent = Recent { version: table.version, entry: table.get(folded_name).cloned() };
        }
        recent.entry.as_ref()
    }

    /// Lets go of an old version.
    pub fn refresh(&mut self) {
        self.cache.load();
    }
}
