use std::sync::Arc;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use foldhash::quality::RandomState;

use super::source::Source;

/// Open connections of each source, over all workers.
///
/// Holds as many entries as there are sources with a connection open, so never more than connections.
pub(super) struct Connections {
    open: DashMap<Source, u32, RandomState>,
    /// For each source.
    most: u32,
}

/// A connection that counts as its source's until this is dropped.
pub(super) struct Counted {
    connections: Arc<Connections>,
    source: Source,
}

impl Connections {
    pub(super) fn new(most: u32) -> Arc<Self> {
        Arc::new(Self { open: DashMap::default(), most })
    }

    /// Counts one more of `source`; none if it has all it may.
    pub(super) fn enter(self: &Arc<Self>, source: Source) -> Option<Counted> {
        match self.open.entry(source) {
            Entry::Occupied(entry) if *entry.get() >= self.most => return None,
            Entry::Occupied(mut entry) => *entry.get_mut() += 1,
            Entry::Vacant(entry) => {
                entry.insert(1);
            }
        }
        Some(Counted { connections: self.clone(), source })
    }

    /// Sources that have a connection open.
    pub(super) fn sources(&self) -> usize {
        self.open.len()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = self.connections.open.entry(self.source) {
            if *entry.get() <= 1 {
                entry.remove();
            } else {
                *entry.get_mut() -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::limits::source::Sorter;

    #[test]
    fn a_source_has_so_many_and_is_forgotten_with_the_last() {
        let sorter = Sorter::new(&Config::default());
        let source = |ip: &str| sorter.source(ip.parse().unwrap()).unwrap();
        let connections = Connections::new(2);
        let mut held: Vec<_> = (0..3).filter_map(|_| connections.enter(source("192.0.2.1"))).collect();
        assert_eq!(held.len(), 2);
        let other = connections.enter(source("192.0.2.2")).unwrap();
        assert_eq!(connections.sources(), 2);
        held.pop();
        assert!(connections.enter(source("192.0.2.1")).is_some(), "and given back at once");
        held.clear();
        assert_eq!(connections.sources(), 1);
        drop(other);
        assert_eq!(connections.sources(), 0);
    }
}
