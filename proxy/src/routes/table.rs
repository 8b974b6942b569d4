use std::hash::{BuildHasher, Hasher};
use std::ops::ControlFlow;
use std::sync::Arc;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use proto::{Hostname, Revision};

use super::RouteEntry;
use super::tree::Tree;

/// One version of the table. Never changes.
pub struct Table {
    pub(super) tree: Tree<RouteEntry>,
    pub(super) revision: Option<Revision>,
    /// Counts the versions of this process, so that two can be told apart.
    pub(super) version: u64,
    /// Counts the whole tables among them. Within a generation an entry that is no more says so itself.
    pub(super) generation: u64,
    pub(super) hasher: NameHasher,
}

/// Keyed: names come from the internet, and nobody may choose them so that they collide.
#[derive(Clone)]
pub(super) struct NameHasher(SeedableRandomState);

impl NameHasher {
    /// With a key nobody knows.
    pub(super) fn random() -> Self {
        // Without the system's randomness (it cannot fail on Linux) the shared seed, which is drawn
        // from addresses and the clock, still keys the hash.
        let seed = getrandom::u64().unwrap_or(0);
        Self(SeedableRandomState::with_seed(seed, SharedSeed::global_random()))
    }

    /// With a known key, for runs that must repeat.
    pub(super) fn seeded(seed: u64) -> Self {
        Self(SeedableRandomState::with_seed(seed, SharedSeed::global_fixed()))
    }

    #[inline]
    pub(super) fn hash(&self, name: &str) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(name.as_bytes());
        hasher.finish()
    }
}

impl Table {
    pub(super) fn empty(hasher: NameHasher) -> Self {
        Self { tree: Tree::default(), revision: None, version: 0, generation: 0, hasher }
    }

    /// The route of a folded name.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&Arc<RouteEntry>> {
        self.tree.get(self.hasher.hash(name), name)
    }

    /// What it is a table of; none before the first.
    pub fn revision(&self) -> Option<Revision> {
        self.revision
    }

    /// How many routes there are.
    pub fn len(&self) -> usize {
        self.tree.len()
    }

    /// Whether there is no route.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Up to `limit` routes that come after the name `after`. The order is that of the table: it stays
    /// the same while the process lives, and `after` need not be in it any more.
    pub fn page(&self, after: Option<&Hostname>, limit: usize) -> Vec<Arc<RouteEntry>> {
        let mut page = Vec::new();
        self.for_each(after, |entry| {
            if page.len() == limit {
                return ControlFlow::Break(());
            }
            page.push(entry.clone());
            ControlFlow::Continue(())
        });
        page
    }

    /// Shows routes to `visit`, beginning after the name `after`, until it breaks.
    pub fn for_each(
        &self,
        after: Option<&Hostname>,
        mut visit: impl FnMut(&Arc<RouteEntry>) -> ControlFlow<()>,
    ) {
        let after = after.map(|name| (self.hasher.hash(name.as_str()), name.as_str()));
        let _ = self.tree.visit(after, &mut visit);
    }
}
