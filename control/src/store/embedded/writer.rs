use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use proto::{Epoch, Revision};
use redb::{Database, ReadableTable as _, Table};
use tokio::sync::{mpsc, oneshot};

use super::super::{Batch, Change, Commit, CommitError, Key, Op, Operation, StoreError, Version};
use super::Shared;
use super::file::{ENTRIES, EPOCH, META, Opener, QUICK_REPAIR, REVISION, failed, stand};

/// Most batches made durable by one fsync: enough to amortise it, few enough to bound what one failure
/// takes with it.
const MAX_GROUP: usize = 64;

/// What the writer is asked for.
pub(super) enum Request {
    /// Commit this, and say what became of it.
    Commit { batch: Batch, reply: oneshot::Sender<Verdict> },
    /// A read has failed and left its mark: open the file again.
    Reopen,
}

impl Request {
    fn waiting(self) -> Option<Waiting> {
        match self {
            Self::Commit { batch, reply } => Some((batch, reply)),
            Self::Reopen => None,
        }
    }
}

type Verdict = Result<Revision, CommitError>;
type Waiting = (Batch, oneshot::Sender<Verdict>);

/// Owns every write to the database.
pub(super) struct Writer {
    shared: Arc<Shared>,
    requests: mpsc::Receiver<Request>,
    opener: Opener,
    path: PathBuf,
    /// Of everything this writer commits.
    epoch: Epoch,
    /// Commits whose transaction failed at the very end. Nobody was promised them, but they may be in
    /// the file; if they are, those who watch must learn of them.
    doubtful: Vec<Commit>,
}

/// What one group of batches comes to.
struct Outcome {
    verdicts: Vec<Verdict>,
    commits: Vec<Commit>,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        requests: mpsc::Receiver<Request>,
        opener: Opener,
        epoch: Epoch,
        path: PathBuf,
    ) -> Self {
        Self { shared, requests, opener, path, epoch, doubtful: Vec::new() }
    }

    /// Works until the store is dropped, then closes the file.
    pub(super) fn run(mut self) {
        while let Some(first) = self.requests.blocking_recv() {
            let mut group = Vec::new();
            group.extend(first.waiting());
            while group.len() < MAX_GROUP
                && let Ok(next) = self.requests.try_recv()
            {
                group.extend(next.waiting());
            }
            if self.shared.suspect.load(Ordering::Acquire) {
                self.reopen();
            }
            if !group.is_empty() {
                self.serve(group);
            }
        }
        *self.shared.database.write().unwrap_or_else(PoisonError::into_inner) = Err("it is closed".into());
    }

    /// Commits a group and answers each of those who wait.
    fn serve(&mut self, group: Vec<Waiting>) {
        let (batches, replies): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let verdicts = match self.commit(&batches) {
            Ok(outcome) => {
                self.shared.history.push(outcome.commits);
                outcome.verdicts
            }
            Err(mut error) => {
                tracing::error!(%error, "a commit failed; opening the store again");
                let before = self.shared.history.latest();
                self.reopen();
                error.reason.push_str(self.what_became_of_it(before));
                // Those that conflicted too: what they conflicted with may not be there after all.
                batches.iter().map(|_| Err(error.clone().into())).collect()
            }
        };
        for (reply, verdict) in replies.into_iter().zip(verdicts) {
            // Whoever has stopped waiting will read what became of it.
            let _ = reply.send(verdict);
        }
    }

    /// What the one whose commit failed on top of `before` is to know of it. What landed after all is not
    /// acknowledged: a sync that failed once may not have reached the disk the second time.
    fn what_became_of_it(&self, before: Revision) -> &'static str {
        let settled = self.doubtful.is_empty() && self.shared.history.latest() == before;
        if settled { " (nothing was changed)" } else { " (it may have been done: look before trying again)" }
    }

    /// Writes what can be written of `batches` in one durable transaction.
    fn commit(&mut self, batches: &[Batch]) -> Result<Outcome, StoreError> {
        let shared = self.shared.clone();
        shared.read("commit", |database| {
            self.transact(database, batches).map_err(|error| failed("commit", &error))
        })
    }

    fn transact(&mut self, database: &Database, batches: &[Batch]) -> Result<Outcome, redb::Error> {
        let mut at = self.shared.history.latest();
        let mut transaction = database.begin_write()?;
        transaction.set_quick_repair(QUICK_REPAIR);
        let mut outcome = Outcome { verdicts: Vec::with_capacity(batches.len()), commits: Vec::new() };
        let mut entries = transaction.open_table(ENTRIES)?;
        for batch in batches {
            let verdict = match conflict(&entries, batch)? {
                Some(conflict) => Err(conflict),
                None if batch.only_checks() => Ok(at),
                None => {
                    at = Revision::new(self.epoch, at.number + 1);
                    outcome.commits.push(write(&mut entries, batch, at)?);
                    Ok(at)
                }
            };
            outcome.verdicts.push(verdict);
        }
        drop(entries);
        if outcome.commits.is_empty() {
            transaction.abort()?;
            return Ok(outcome);
        }
        let mut meta = transaction.open_table(META)?;
        meta.insert(REVISION, at.number)?;
        meta.insert(EPOCH, at.epoch.0)?;
        drop(meta);
        self.doubtful.clone_from(&outcome.commits);
        transaction.commit()?;
        self.doubtful.clear();
        Ok(outcome)
    }

    /// Puts a newly opened database in the place of one that has failed.
    fn reopen(&mut self) {
        let shared = self.shared.clone();
        let mut place = shared.database.write().unwrap_or_else(PoisonError::into_inner);
        // The old one goes first: it holds the lock of the file.
        *place = Err("it is being opened".into());
        match self.open_again() {
            Ok(database) => {
                tracing::info!("the store is open again");
                *place = Ok(database);
                self.shared.suspect.store(false, Ordering::Release);
            }
            // The next request finds it suspect and tries again.
            Err(reason) => {
                self.shared.suspect.store(true, Ordering::Release);
                tracing::error!(reason, "the store stays closed until the next attempt");
                *place = Err(reason);
            }
        }
    }

    fn open_again(&mut self) -> Result<Database, String> {
        let database = (self.opener)(false).map_err(|error| error.to_string())?;
        let found = stand(&database, self.epoch, &self.path).map_err(|error| error.to_string())?;
        let known = self.shared.history.latest();
        let landed = self.doubtful.iter().filter(|commit| commit.revision.number <= found.number);
        let landed: Vec<_> = landed.cloned().collect();
        let expected = landed.last().map_or(known, |commit| commit.revision);
        if found != expected {
            // Another file lies there now, or this one has lost what was acknowledged. Going on would
            // give the same numbers to other commits.
            return Err(format!("it stands at {found}, not at {expected}; restart epr to accept that"));
        }
        self.shared.history.push(landed);
        self.doubtful.clear();
        Ok(database)
    }
}

/// The first key of `batch` that is not as it expects.
fn conflict(
    entries: &Table<'_, &'static str, (u64, &'static [u8])>,
    batch: &Batch,
) -> Result<Option<CommitError>, redb::Error> {
    for Operation { key, expect, .. } in batch.operations() {
        let found = entries.get(key.as_str())?.map(|entry| Version(entry.value().0));
        if !expect.holds(found) {
            let (key, expected) = (key.clone(), *expect);
            return Ok(Some(CommitError::Conflict { key, expected, found }));
        }
    }
    Ok(None)
}

fn write(
    entries: &mut Table<'_, &'static str, (u64, &'static [u8])>,
    batch: &Batch,
    revision: Revision,
) -> Result<Commit, redb::Error> {
    let mut changes = Vec::with_capacity(batch.operations().len());
    for Operation { key, op, .. } in batch.operations() {
        let key: &Key = key;
        let value = match op {
            Op::Check => continue,
            Op::Put(value) => {
                entries.insert(key.as_str(), (revision.number, value.as_ref()))?;
                Some(value.clone())
            }
            Op::Delete if entries.remove(key.as_str())?.is_none() => continue,
            Op::Delete => None,
        };
        changes.push(Change { key: key.clone(), value });
    }
    Ok(Commit { revision, changes: changes.into() })
}
