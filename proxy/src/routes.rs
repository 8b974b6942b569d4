//! The route table: what every host name means, at one revision of the control plane.
//!
//! - [`Routes`] is shared by all: it applies updates and hands out readers.
//! - [`Reader`] belongs to one worker: look-ups that take no lock and touch nothing another core writes;
//!   what it is asked for again and again it finds without walking the tree.
//! - [`RouteEntry`] is one route as it is served: immutable, with what is counted about it hanging on it.
//! - [`RouteWatch`] tells a tunnel that its route went away from under it.
//! - [`cache`] keeps the last good table on disk.
//!
//! Architecture invariants: a revision becomes visible whole, at one instant, by one store of one
//! pointer. An update makes new objects for the routes it changes and for no other. Versions are freed
//! by the writer, never by a reader.

pub mod cache;
mod entry;
mod hot;
mod known;
mod live;
mod reader;
mod table;
mod tree;
mod tunnel_watch;
mod upstream;
mod writer;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use proto::{Revision, RouteUpdate};
use tokio::sync::watch;

pub use entry::{RouteEntry, Totals};
pub use live::RouteCounters;
pub use reader::{Reader, Recent};
pub use table::Table;
pub use tunnel_watch::{RouteWatch, TunnelEnd};
pub use upstream::{Upstream, UpstreamId, UpstreamShare};
pub use writer::ApplyError;

use table::NameHasher;
use writer::Writer;

/// The table, shared by the workers, the feed and the admin server.
pub struct Routes {
    current: Arc<ArcSwap<Table>>,
    writer: Mutex<Writer>,
    served: watch::Sender<Option<Revision>>,
}

impl Routes {
    /// An empty table, at no revision.
    pub fn new() -> Arc<Self> {
        Self::with_hasher(NameHasher::random())
    }

    /// An empty table whose hashes are keyed by `seed`, for runs that must repeat.
    pub fn with_seed(seed: u64) -> Arc<Self> {
        Self::with_hasher(NameHasher::seeded(seed))
    }

    fn with_hasher(hasher: NameHasher) -> Arc<Self> {
        let current = Arc::new(ArcSwap::from_pointee(Table::empty(hasher)));
        Arc::new(Self { current, writer: Mutex::default(), served: watch::Sender::new(None) })
    }

    /// A way in for one worker.
    pub fn reader(&self) -> Reader {
        Reader::new(self.current.clone())
    }

    /// The table as it is now, to be looked at as a whole. Not for the path of a request, and not to be
    /// kept: as long as it is held its memory is.
    pub fn table(&self) -> Arc<Table> {
        self.current.load_full()
    }

    /// What is served; none before the first table.
    pub fn revision(&self) -> Option<Revision> {
        self.current.load().revision()
    }

    /// How many routes there are.
    pub fn len(&self) -> usize {
        self.current.load().len()
    }

    /// Whether there is no route.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Applies a revision: whole and at one instant, or not at all. A whole table (one without a base)
    /// of a million routes takes about a second, so call it where nobody waits.
    pub fn apply(&self, update: RouteUpdate) -> Result<(), ApplyError> {
        let revision = update.revision;
        let mut writer = self.writer();
        writer.apply(&self.current, update)?;
        self.served.send_replace(Some(revision));
        Ok(())
    }

    /// Tells of each revision once it is served.
    pub fn revisions(&self) -> watch::Receiver<Option<Revision>> {
        self.served.subscribe()
    }

    /// Frees old versions that no reader looks at any more. Every update does so too.
    pub fn free(&self) {
        self.writer().free();
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A panic within an update leaves the served table as it was, and the writer's own state is
        // sound at every step.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(crate) mod tests;
