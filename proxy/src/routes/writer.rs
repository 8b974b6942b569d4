use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use arc_swap::ArcSwap;
use proto::{Hostname, Revision, Route, RouteUpdate, Target};

use super::known::Known;
use super::live::{Live, News};
use super::tree::{Edit, Slot, Tree};
use super::{RouteEntry, Table};

/// Why an update was not applied. The table is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// It builds on a revision that is not the one held.
    #[error("it builds on revision {base}, but {} is held", held.map_or("none".to_owned(), |r| r.to_string()))]
    Base {
        /// What it builds on.
        base: Revision,
        /// What is held.
        held: Option<Revision>,
    },
    /// It leads to a revision that does not come after the one it builds on.
    #[error("revision {revision} does not come after {base}, on which it builds")]
    Backwards {
        /// What it leads to.
        revision: Revision,
        /// What it builds on.
        base: Revision,
    },
    /// It says more than one thing about a name.
    #[error("{0} stands in it more than once")]
    Repeated(Hostname),
}

/// Makes new versions of the table; there is one.
#[derive(Default)]
pub(super) struct Writer {
    known: Known,
    /// Versions readers may still look at. They are let go here, not there: freeing a million routes
    /// takes long, and a reader has requests waiting. There are no more of them than readers.
    retired: Vec<Arc<Table>>,
}

impl Writer {
    pub(super) fn apply(&mut self, current: &ArcSwap<Table>, update: RouteUpdate) -> Result<(), ApplyError> {
        let old = current.load_full();
        check_base(&old, &update)?;
        let revision = update.revision;
        let generation = old.generation + u64::from(update.base.is_none());
        let (tree, changed) = match update.base {
            Some(_) => self.edit(&old, update).map(|(tree, ended)| (tree, Some(ended))),
            None => self.replace(&old, update).map(|tree| (tree, None)),
        }
        .map_err(ApplyError::Repeated)?;
        let (version, hasher) = (old.version + 1, old.hasher.clone());
        let new = Arc::new(Table { tree, revision: Some(revision), version, generation, hasher });
        // First: who has the new table must find them ended. Who has the old one finds them in it all the same.
        for entry in changed.iter().flatten() {
            entry.end();
        }
        current.store(new.clone());
        // See `Routes::watch`.
        fence(Ordering::SeqCst);
        for entry in changed.unwrap_or_else(|| watched_and_gone(&old, &new)) {
            entry.end();
            tell(&entry, new.get(entry.route.hostname.as_str()).map(Arc::as_ref));
        }
        self.retired.push(old);
        self.free();
        Ok(())
    }

    /// Frees the versions that nobody but this looks at any more.
    pub(super) fn free(&mut self) {
        // A count of one cannot rise again: no one else has it to clone it.
        self.retired.retain(|table| Arc::strong_count(table) > 1);
    }

    /// The old tree with a delta's changes, and the entries these put an end to.
    fn edit(&mut self, old: &Table, update: RouteUpdate) -> Result<Changed, Hostname> {
        let mut edits = Vec::with_capacity(update.upserts.len() + update.removals.len());
        let mut ended = Vec::new();
        for route in update.upserts {
            let hash = old.hasher.hash(route.hostname.as_str());
            let before = old.tree.get(hash, route.hostname.as_str());
            let entry = self.entry(route, before);
            ended.extend(before.filter(|before| !Arc::ptr_eq(before, &entry)).cloned());
            edits.push(Edit::Put(Slot::new(hash, entry)));
        }
        for name in update.removals {
            let hash = old.hasher.hash(name.as_str());
            ended.extend(old.tree.get(hash, name.as_str()).cloned());
            edits.push(Edit::Remove(hash, name));
        }
        Ok((old.tree.edited(edits)?, ended))
    }

    /// A tree of a whole table's routes.
    fn replace(&mut self, old: &Table, update: RouteUpdate) -> Result<Tree<RouteEntry>, Hostname> {
        let mut slots = Vec::with_capacity(update.upserts.len());
        for route in update.upserts {
            let hash = old.hasher.hash(route.hostname.as_str());
            let before = old.tree.get(hash, route.hostname.as_str());
            slots.push(Slot::new(hash, self.entry(route, before)));
        }
        Tree::build(slots)
    }

    /// The entry of `route`: the one there is when nothing about it has changed.
    fn entry(&mut self, mut route: Route, before: Option<&Arc<RouteEntry>>) -> Arc<RouteEntry> {
        if let Some(same) = before.filter(|before| before.route == route) {
            return same.clone();
        }
        route.project = self.known.project(&route.project);
        let backends = match &mut route.target {
            Target::Bound(binding) => self.known.upstreams(binding),
            Target::Unbound { .. } => Box::default(),
        };
        let entry = RouteEntry::new(route, backends);
        Arc::new(match before {
            Some(before) => entry.following(before),
            None => entry,
        })
    }
}

type Changed = (Tree<RouteEntry>, Vec<Arc<RouteEntry>>);

fn check_base(held: &Table, update: &RouteUpdate) -> Result<(), ApplyError> {
    let Some(base) = update.base else { return Ok(()) };
    if held.revision != Some(base) {
        return Err(ApplyError::Base { base, held: held.revision });
    }
    // One of another epoch may build on what is held: the first commit after control's start does.
    if base.includes(update.revision) {
        return Err(ApplyError::Backwards { revision: update.revision, base });
    }
    Ok(())
}

/// The watched entries of `old` that are not in the whole table `new`, which must be shown already: whoever has
/// not begun to watch by then finds it.
fn watched_and_gone(old: &Table, new: &Table) -> Vec<Arc<RouteEntry>> {
    let mut gone = Vec::new();
    old.for_each(None, |entry| {
        let kept = || new.get(entry.route.hostname.as_str()).is_some_and(|now| Arc::ptr_eq(now, entry));
        if entry.live_if_any().is_some_and(Live::is_watched) && !kept() {
            gone.push(entry.clone());
        }
        ControlFlow::Continue(())
    });
    gone
}

fn tell(ended: &RouteEntry, now: Option<&RouteEntry>) {
    if let Some(live) = ended.live_if_any() {
        live.tell(|| now.map_or(News::Gone, News::of));
    }
}
