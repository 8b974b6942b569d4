use std::collections::BTreeSet;

use bytes::Bytes;
use proto::Hostname;

use super::frame::EncodedRoute;
use super::table::{Standing, Table};
use crate::domain::{Label, Place, World};
use crate::store::{Change, Commit, Key};

/// The world as the commits so far have made it, and what each further one means for routes: the
/// incremental twin of [`crate::domain::routes_of`].
pub(super) struct Projection {
    world: World,
    /// Records that could not be read.
    unreadable: u64,
}

impl Projection {
    /// Before anything is known.
    pub(super) fn new(domains: &[Hostname]) -> Self {
        Self { world: World::new(domains.iter().cloned()), unreadable: 0 }
    }

    /// Takes in what stands under `key` now, before there is a table.
    pub(super) fn learn(&mut self, key: &Key, value: Option<&Bytes>) {
        self.take(key, value, &mut BTreeSet::new());
    }

    /// The whole table that follows from what is known.
    pub(super) fn table(&self) -> Table {
        let routes = self.world.labels(None).flat_map(|label| self.world.routes_of_label(label));
        Table::new(routes.map(|route| EncodedRoute::from(&route)).collect())
    }

    /// Takes in `commits` and tells how the names they touched stand after the last of them.
    pub(super) fn apply(&mut self, commits: &[Commit]) -> Vec<Standing> {
        let mut touched = BTreeSet::new();
        for Change { key, value } in commits.iter().flat_map(|commit| commit.changes.iter()) {
            self.take(key, value.as_ref(), &mut touched);
        }
        touched.iter().flat_map(|label| self.standings(label)).collect()
    }

    /// Records that could not be read so far. What was known of them before still stands.
    pub(super) fn unreadable(&self) -> u64 {
        self.unreadable
    }

    fn take(&mut self, key: &Key, value: Option<&Bytes>, touched: &mut BTreeSet<Label>) {
        let Some(place) = Place::of(key.parts()) else {
            return;
        };
        if let Err(error) = self.world.apply(&place, value.map(|bytes| &**bytes), touched) {
            self.unreadable += 1;
            tracing::error!(%key, %error, "its routes stay as they were");
        }
    }

    fn standings(&self, label: &Label) -> Vec<Standing> {
        let mut routes = self.world.routes_of_label(label).into_iter().peekable();
        let names = self.world.hostnames(label).into_iter();
        names
            .map(|name| {
                // Both come in the order of the base domains; a name without a route is left out of one.
                let route = routes.next_if(|route| route.hostname == name);
                (name, route.map(|route| EncodedRoute::from(&route)))
            })
            .collect()
    }
}
