//! The store on one file of this machine, over redb.
//!
//! One thread owns every write: it takes the batches that are waiting, judges each against what the
//! ones before it wrote, and makes them durable together with one fsync. Readers see whole commits and
//! wait for nobody.

mod file;
mod history;
#[cfg(test)]
mod tests;
mod writer;

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use proto::{Epoch, Revision};
use redb::Database;
use tokio::sync::{mpsc, oneshot};

pub use file::OpenError;

use self::file::Opener;
use self::history::History;
use self::writer::{Request, Writer};
use super::{Batch, CommitError, Key, Page, Prefix, Store, StoreError, Versioned, Watch};
use crate::config::StoreLimits;

/// Which file an embedded store is on, and its numbers.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    /// The file; its directory is made when missing.
    pub path: PathBuf,
    /// How much of each thing there may be.
    pub limits: StoreLimits,
}

impl EmbeddedConfig {
    /// The defaults, on the file at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), limits: StoreLimits::default() }
    }
}

/// A [`Store`] on one file. Dropping it finishes what was queued and closes the file.
pub struct Embedded {
    shared: Arc<Shared>,
    queue: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
}

/// What readers and the writer have in common.
struct Shared {
    /// Why it is closed, while the file could not be opened again after a failure. The write side is
    /// taken only to open it again, so that no reader holds the old one meanwhile.
    database: RwLock<Result<Database, String>>,
    /// A read has failed: one failure of its file makes the database refuse that file for good.
    suspect: AtomicBool,
    history: History,
}

impl Embedded {
    /// Opens the store at `config.path`, or makes a new one. The epoch of what is committed from now on is
    /// `fresh`, a random number.
    pub fn open(config: &EmbeddedConfig, fresh: Epoch) -> Result<Self, OpenError> {
        Self::start(file::opener(config)?, config, fresh)
    }

    fn start(opener: Opener, config: &EmbeddedConfig, fresh: Epoch) -> Result<Self, OpenError> {
        let opened = contained(|| -> Result<_, OpenError> {
            let database = opener(true)?;
            let stand = file::stand(&database, fresh, &config.path)?;
            Ok((database, stand))
        });
        let damaged = |reason| OpenError::Unreadable { path: config.path.clone(), reason };
        let (database, stand) = opened.map_err(damaged)??;
        let shared = Arc::new(Shared {
            database: RwLock::new(Ok(database)),
            suspect: AtomicBool::new(false),
            history: History::new(stand, config.limits.history_commits, config.limits.history_bytes),
        });
        let (queue, requests) = mpsc::channel(config.limits.queue.max(1));
        let writer = Writer::new(shared.clone(), requests, opener, fresh, config.path.clone());
        let writer = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer.run())
            .map_err(|error| OpenError::Thread(error.to_string()))?;
        Ok(Self { shared, queue: Some(queue), writer: Some(writer) })
    }

    /// Hands on what was read; has a database that failed opened again.
    fn notice<T>(&self, result: Reading<T>) -> Reading<T> {
        if result.is_err() {
            self.shared.suspect.store(true, Ordering::Release);
            // A full queue is no loss: whatever the writer does next, it looks at the mark first.
            let _ = self.queue.as_ref().map(|queue| queue.try_send(Request::Reopen));
        }
        result
    }

    async fn submit(&self, batch: Batch) -> Result<Revision, CommitError> {
        batch.judge()?;
        let (reply, verdict) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        queue.send(Request::Commit { batch, reply }).await.map_err(|_| ended())?;
        verdict.await.map_err(|_| ended())?
    }
}

type Reading<T> = Result<T, StoreError>;

/// The writer's thread is gone, which only a defect in the storage engine can bring about.
fn ended() -> StoreError {
    let reason = "its writer has ended; see the log, start epr again, and look whether this was done".into();
    StoreError { doing: "commit", reason }
}

impl Shared {
    fn read<T>(&self, doing: &'static str, read: impl FnOnce(&Database) -> Reading<T>) -> Reading<T> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let closed = |why: &String| StoreError {
            doing,
            reason: format!(
                "its file failed and could not be opened again yet ({why}); once that is mended, try again"
            ),
        };
        let database = database.as_ref().map_err(closed)?;
        let damaged = |why| StoreError {
            doing,
            reason: format!("its file is damaged ({why}); stop epr and restore the file from a copy"),
        };
        contained(|| read(database)).unwrap_or_else(|why| Err(damaged(why)))
    }
}

/// Runs `work` on the database. redb panics where a page of its file makes no sense; what it said becomes
/// the error. Its transactions undo themselves as they unwind, and the file is opened again before the next.
fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it makes no sense").to_owned()
    })
}

impl Store for Embedded {
    fn revision(&self) -> Revision {
        self.shared.history.latest()
    }

    // Not handed to another thread, unlike `list`: one look-up of a page that is nearly always cached.
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Reading<Option<Versioned>>> {
        std::future::ready(self.notice(self.shared.read("read", |database| file::get(database, key)))).boxed()
    }

    fn list<'a>(
        &'a self,
        prefix: &'a Prefix,
        after: Option<&'a Key>,
        limit: usize,
    ) -> BoxFuture<'a, Reading<Page>> {
        let shared = self.shared.clone();
        let (prefix, after) = (prefix.clone(), after.cloned());
        let listing =
            move || shared.read("list", |database| file::list(database, &prefix, after.as_ref(), limit));
        async move {
            let failed =
                |error: tokio::task::JoinError| StoreError { doing: "list", reason: error.to_string() };
            self.notice(tokio::task::spawn_blocking(listing).await.map_err(failed)?)
        }
        .boxed()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision, CommitError>> {
        self.submit(batch).boxed()
    }

    fn watch(&self, from: Revision) -> Watch {
        self.shared.history.watch(from)
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer panicked");
        }
    }
}
