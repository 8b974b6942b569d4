use std::sync::Arc;

use proto::Hostname;

use super::frame::EncodedRoute;

/// A chunk with more routes is split. Small enough that copying one for a change is cheap, large enough
/// that a million routes are a few thousand chunks.
const MAX_CHUNK: usize = 512;

/// What is published: every route, ordered by host name.
///
/// Cloning is cheap and gives a view that stays as it is. While a view is alive, a change copies the
/// chunk it falls into; otherwise it is made in place.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// None of them empty.
    chunks: Arc<Vec<Arc<Vec<EncodedRoute>>>>,
    len: usize,
}

/// A place in a table that stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    chunk: usize,
    offset: usize,
}

/// What became of a name: its route now, or none.
pub(super) type Standing = (Hostname, Option<EncodedRoute>);

/// What a table has that it had not before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Diff {
    pub(super) upserts: Vec<EncodedRoute>,
    pub(super) removals: Vec<Hostname>,
}

impl Diff {
    pub(super) fn is_empty(&self) -> bool {
        self.upserts.is_empty() && self.removals.is_empty()
    }
}

impl Table {
    /// The table of `routes`, each name once, in any order.
    pub(super) fn new(mut routes: Vec<EncodedRoute>) -> Self {
        routes.sort_unstable_by(|a, b| a.hostname().cmp(b.hostname()));
        let len = routes.len();
        // Half full, so that the first changes do not split them all.
        let chunks = routes.chunks(MAX_CHUNK / 2).map(|chunk| Arc::new(chunk.to_vec())).collect();
        Self { chunks: Arc::new(chunks), len }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, name: &str) -> Option<&EncodedRoute> {
        let chunk = self.chunks.get(self.chunk_of(name))?;
        chunk.binary_search_by(|route| route.hostname().cmp(name)).ok().and_then(|at| chunk.get(at))
    }

    /// The routes after `name`, or all, in order.
    pub(super) fn after(&self, name: Option<&str>) -> impl Iterator<Item = &EncodedRoute> {
        let first = name.map_or(0, |name| self.chunk_of(name));
        let routes = self.chunks.get(first..).unwrap_or_default().iter().flat_map(|chunk| chunk.iter());
        routes.skip_while(move |route| name.is_some_and(|name| route.hostname() <= name))
    }

    /// The routes from `from` on, at most `routes` of them and `bytes` bytes, but at least one; none at
    /// the end.
    pub(super) fn part(&self, from: Place, routes: usize, bytes: usize) -> (Vec<&EncodedRoute>, Place) {
        let Place { chunk: mut at, mut offset } = from;
        let (mut part, mut size) = (Vec::new(), 0);
        while let Some(chunk) = self.chunks.get(at) {
            for route in chunk.get(offset..).unwrap_or_default() {
                size += route.len();
                if part.len() == routes || (size > bytes && !part.is_empty()) {
                    return (part, Place { chunk: at, offset });
                }
                part.push(route);
                offset += 1;
            }
            (at, offset) = (at + 1, 0);
        }
        (part, Place { chunk: at, offset })
    }

    /// Makes the names stand as given, and tells what that changed.
    pub(super) fn update(&mut self, standings: Vec<Standing>) -> Diff {
        let mut diff = Diff::default();
        for (name, standing) in standings {
            match standing {
                Some(route) => {
                    if self.insert(&route) {
                        diff.upserts.push(route);
                    }
                }
                None => {
                    if self.remove(name.as_str()) {
                        diff.removals.push(name);
                    }
                }
            }
        }
        diff
    }

    /// False when it stood there already.
    fn insert(&mut self, route: &EncodedRoute) -> bool {
        if self.get(route.hostname()) == Some(route) {
            return false;
        }
        let at = self.chunk_of(route.hostname());
        let chunks = Arc::make_mut(&mut self.chunks);
        let Some(chunk) = chunks.get_mut(at) else {
            chunks.push(Arc::new(vec![route.clone()]));
            self.len += 1;
            return true;
        };
        let chunk = Arc::make_mut(chunk);
        match chunk.binary_search_by(|there| there.hostname().cmp(route.hostname())) {
            Ok(at) => {
                if let Some(there) = chunk.get_mut(at) {
                    *there = route.clone();
                }
            }
            Err(at) => {
                chunk.insert(at, route.clone());
                self.len += 1;
            }
        }
        if chunk.len() > MAX_CHUNK {
            let upper = chunk.split_off(chunk.len() / 2);
            chunks.insert(at + 1, Arc::new(upper));
        }
        true
    }

    /// False when it was not there.
    fn remove(&mut self, name: &str) -> bool {
        if self.get(name).is_none() {
            return false;
        }
        let at = self.chunk_of(name);
        let chunks = Arc::make_mut(&mut self.chunks);
        if let Some(chunk) = chunks.get_mut(at).map(Arc::make_mut) {
            chunk.retain(|route| route.hostname() != name);
            self.len -= 1;
            if chunk.is_empty() {
                chunks.remove(at);
            }
        }
        true
    }

    /// The chunk `name` is in, or belongs into.
    fn chunk_of(&self, name: &str) -> usize {
        let begins_after =
            |chunk: &Arc<Vec<EncodedRoute>>| chunk.first().is_some_and(|first| first.hostname() > name);
        self.chunks.partition_point(|chunk| !begins_after(chunk)).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use proto::{EdgeProtocol, Target};

    use super::super::frame::tests::route;
    use super::*;

    fn version(name: u16, version: u8) -> EncodedRoute {
        let last = [None, Some(EdgeProtocol::Http), Some(EdgeProtocol::Https)];
        let mut route = route(&format!("n{name}.ep-r.io"));
        route.target = Target::Unbound { last: last[usize::from(version % 3)] };
        EncodedRoute::from(&route)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// Against a map, with enough routes that chunks split, empty, and are shared with views.
        #[test]
        fn agrees_with_a_map(
            first in prop::collection::vec(0..3000_u16, 0..2000),
            steps in prop::collection::vec(
                prop::collection::vec((0..3000_u16, prop::option::of(any::<u8>())), 0..600), 0..6),
        ) {
            let mut model: BTreeMap<String, EncodedRoute> =
                first.iter().map(|n| version(*n, 0)).map(|r| (r.hostname().to_owned(), r)).collect();
            let mut table = Table::new(model.values().cloned().collect());
            for step in steps {
                let view = (table.clone(), model.clone());
                let standings: Vec<Standing> = step
                    .iter()
                    .map(|(n, v)| {
                        let name = Hostname::parse(&format!("n{n}.ep-r.io")).unwrap();
                        (name, v.map(|v| version(*n, v)))
                    })
                    .collect();
                let mut expected = Diff::default();
                for (name, standing) in &standings {
                    match standing {
                        Some(route) if model.insert(name.to_string(), route.clone()).as_ref() != Some(route) => {
                            expected.upserts.push(route.clone());
                        }
                        None if model.remove(name.as_str()).is_some() => expected.removals.push(name.clone()),
                        _ => {}
                    }
                }
                prop_assert_eq!(table.update(standings), expected);
                for (table, model) in [(&table, &model), (&view.0, &view.1)] {
                    prop_assert_eq!(table.len(), model.len());
                    prop_assert!(table.after(None).eq(model.values()));
                    prop_assert!(table.chunks.iter().all(|chunk| (1..=MAX_CHUNK).contains(&chunk.len())));
                }
                let from = "n17.ep-r.io".to_owned();
                prop_assert_eq!(table.get(&from), model.get(&from));
                let after = model.range((std::ops::Bound::Excluded(from.clone()), std::ops::Bound::Unbounded));
                prop_assert!(table.after(Some(&from)).eq(after.map(|(_, route)| route)));
            }
            let (mut at, mut seen) = (Place::default(), Vec::new());
            loop {
                let (part, next) = table.part(at, 700, 20_000);
                let size: usize = part.iter().map(|route| route.len()).sum();
                prop_assert!(part.len() <= 700 && size <= 20_000);
                seen.extend(part.iter().copied().cloned());
                at = next;
                if part.is_empty() {
                    break;
                }
            }
            prop_assert!(seen.iter().eq(model.values()));
        }
    }
}
