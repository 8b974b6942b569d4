//! The certificates the edge serves: loaded, chosen by name, replaced as their files change.

mod book;
mod held;
mod news;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;

use crate::CertsError;
use crate::certificate::Certificate;
use crate::fault::Fault;
use crate::sources::{Pair, Sources};
use crate::tickets::Tickets;
use book::Book;
use held::Held;
pub use news::News;
use news::Teller;

/// The certificates the edge serves, chosen by SNI, and replaced without disturbing a handshake.
pub struct Certificates {
    book: ArcSwap<Book>,
    /// Of the last look; whoever asks does not wait for one that is under way.
    faults: ArcSwap<Vec<Fault>>,
    tickets: Arc<Tickets>,
    watch: Mutex<Watch>,
}

/// What is behind the book: only who looks at files needs it.
struct Watch {
    held: Held,
    teller: Teller,
}

impl Certificates {
    /// Loads one certificate; else as [`Certificates::open`].
    ///
    /// # Errors
    /// As [`Certificates::open`].
    pub fn load(chain: &Path, key: &Path, now: SystemTime) -> Result<Arc<Self>, CertsError> {
        let pair = Pair { chain: chain.to_owned(), key: key.to_owned() };
        Self::open(pair.into(), None, now)
    }

    /// Loads every certificate of `sources`. Tickets are sealed with keys derived from the secrets in
    /// `tickets`, or with keys of this process alone without such a file.
    ///
    /// # Errors
    /// All that is wrong: files that can't be read or hold something else, keys that don't go with
    /// their certificates, certificates whose time is over or has not come, names that two are for.
    pub fn open(
        sources: Sources,
        tickets: Option<PathBuf>,
        now: SystemTime,
    ) -> Result<Arc<Self>, CertsError> {
        let tickets = Tickets::new(tickets, now)?;
        let mut held = Held::new(sources);
        let faults = held.look(&tickets, now);
        if !faults.is_empty() {
            return Err(CertsError::Files(faults));
        }
        let book = ArcSwap::from_pointee(Book::new(held.served()));
        let watch = Mutex::new(Watch { held, teller: Teller::default() });
        Ok(Arc::new(Self { book, faults: ArcSwap::default(), tickets, watch }))
    }

    /// The certificate for `name`, a folded host name: one for that very name before a wildcard.
    pub fn choose(&self, name: &str) -> Option<Arc<Certificate>> {
        self.book.load().choose(name).cloned()
    }

    /// Every certificate that is served.
    pub fn all(&self) -> Vec<Arc<Certificate>> {
        self.book.load().all().to_vec()
    }

    /// Looks at the files and the clock: serves what is new there from the next handshake on, keeps
    /// the last good one of what is not good any more, and changes the keys of tickets in time. Returns
    /// what is worth telling, each thing once. Reads files, so it may block.
    pub fn look(&self, now: SystemTime) -> Vec<News> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let turned = self.tickets.turn(now);
        let mut faults = watch.held.look(&self.tickets, now);
        faults.extend(turned.fault);
        self.faults.store(Arc::new(faults.clone()));
        let served = watch.held.served();
        let before = self.book.load_full();
        if !before.is_of(&served) {
            self.book.store(Arc::new(Book::new(served.clone())));
        }
        watch.teller.tell(before.all(), &served, faults, turned.renewed, now)
    }

    /// What was wrong with the files at the last look.
    pub fn faults(&self) -> Arc<Vec<Fault>> {
        self.faults.load_full()
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.book.load().all()).finish()
    }
}

#[cfg(test)]
mod tests;
