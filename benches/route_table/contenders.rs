use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use hashbrown::{HashMap, HashTable};
use proto::{Route, Target};

/// Keys every table of a run, ours too, so that all of them hash a name alike.
pub(crate) const SEED: u64 = 0x6570_722e_726f_7574;

/// Hashes as the route table does.
pub(crate) fn hasher() -> SeedableRandomState {
    SeedableRandomState::with_seed(SEED, SharedSeed::global_fixed())
}

/// hashbrown's map as anyone would use it: the key beside a pointer to the route.
pub(crate) type Map = HashMap<Box<str>, Arc<Route>, SeedableRandomState>;

/// A map of all `routes`.
pub(crate) fn map(routes: &[Arc<Route>]) -> Map {
    let mut map = Map::with_capacity_and_hasher(routes.len(), hasher());
    map.extend(routes.iter().map(|route| (Box::from(route.hostname.as_str()), route.clone())));
    map
}

/// hashbrown's table with the key inside the route: the quickest that finds routes by name, and what
/// ours is measured by.
pub(crate) struct Keyed {
    table: HashTable<Arc<Route>>,
    hasher: SeedableRandomState,
}

impl Keyed {
    /// A table of all `routes`.
    pub(crate) fn new(routes: &[Arc<Route>]) -> Self {
        let mut keyed = Self { table: HashTable::with_capacity(routes.len()), hasher: hasher() };
        for route in routes {
            keyed.put(route.clone());
        }
        keyed
    }

    /// The route of `name`.
    #[inline]
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Route>> {
        self.table.find(self.hash(name), |route| route.hostname.as_str() == name)
    }

    /// Puts a route in, or in the place of the one that has its name.
    pub(crate) fn put(&mut self, route: Arc<Route>) {
        let hash = self.hash(route.hostname.as_str());
        let hasher = &self.hasher;
        let same = |other: &Arc<Route>| other.hostname == route.hostname;
        let entry = self.table.entry(hash, same, |route| hash_of(hasher, route.hostname.as_str()));
        entry.insert(route.clone());
    }

    #[inline]
    fn hash(&self, name: &str) -> u64 {
        hash_of(&self.hasher, name)
    }
}

#[inline]
fn hash_of(hasher: &SeedableRandomState, name: &str) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(name.as_bytes());
    state.finish()
}

/// Reads of a route what every request reads first, so that no contender is spared the way to it.
#[inline]
pub(crate) fn touch(route: &Route) -> usize {
    match &route.target {
        Target::Bound(binding) => binding.protocol as usize + 1,
        Target::Unbound { .. } => 0,
    }
}
