use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt as _, stream};
use proto::Revision;
use tokio::sync::watch;

use super::super::{Change, Commit, Lagged, Watch};

/// The last commits, shared by all who watch: each watch is only a place in it, so a slow one costs
/// nothing and holds nobody up.
pub(super) struct History {
    ring: Arc<Mutex<Ring>>,
    /// The last commit. Those who watch end when this goes with the store.
    latest: watch::Sender<Revision>,
    /// Where it began: of an earlier epoch than every commit in it.
    start: Revision,
}

struct Ring {
    /// Consecutive numbers; the last is the latest.
    commits: VecDeque<Commit>,
    bytes: usize,
    max_commits: usize,
    max_bytes: usize,
    /// The number of the last commit that is known no more, or was never known.
    forgotten: u64,
}

impl History {
    pub(super) fn new(start: Revision, max_commits: usize, max_bytes: usize) -> Self {
        let forgotten = start.number;
        let ring = Ring { commits: VecDeque::new(), bytes: 0, max_commits, max_bytes, forgotten };
        Self { ring: Arc::new(Mutex::new(ring)), latest: watch::Sender::new(start), start }
    }

    pub(super) fn latest(&self) -> Revision {
        *self.latest.borrow()
    }

    /// Adds commits that readers can see, numbered on from the latest.
    pub(super) fn push(&self, commits: impl IntoIterator<Item = Commit>) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = None;
        for commit in commits {
            last = Some(commit.revision);
            ring.push(commit);
        }
        drop(ring);
        if let Some(last) = last {
            self.latest.send_replace(last);
        }
    }

    pub(super) fn watch(&self, from: Revision) -> Watch {
        if from != self.start && from.epoch != self.latest().epoch {
            return stream::once(async { Err(Lagged) }).boxed();
        }
        let place = Some(Place { ring: self.ring.clone(), latest: self.latest.subscribe(), at: from.number });
        stream::unfold(place, |place| async {
            let mut place = place?;
            match place.next().await? {
                Ok(commit) => Some((Ok(commit), Some(place))),
                Err(Lagged) => Some((Err(Lagged), None)),
            }
        })
        .boxed()
    }
}

impl Ring {
    fn push(&mut self, commit: Commit) {
        self.bytes += bytes(&commit);
        self.commits.push_back(commit);
        while self.commits.len() > self.max_commits.max(1)
            || (self.bytes > self.max_bytes && self.commits.len() > 1)
        {
            let Some(oldest) = self.commits.pop_front() else { break };
            self.bytes -= bytes(&oldest);
            self.forgotten = oldest.revision.number;
        }
    }

    /// The commit after `number`; none when it is not there yet.
    fn after(&self, number: u64) -> Result<Option<Commit>, Lagged> {
        let index = number.checked_sub(self.forgotten).ok_or(Lagged)?;
        Ok(usize::try_from(index).ok().and_then(|index| self.commits.get(index)).cloned())
    }
}

fn bytes(commit: &Commit) -> usize {
    let one =
        |change: &Change| change.key.as_str().len() + change.value.as_ref().map_or(0, |value| value.len());
    commit.changes.iter().map(one).sum()
}

/// Where a watch stands.
struct Place {
    ring: Arc<Mutex<Ring>>,
    latest: watch::Receiver<Revision>,
    at: u64,
}

impl Place {
    /// None once the store is closed.
    async fn next(&mut self) -> Option<Result<Commit, Lagged>> {
        loop {
            // Seen before the ring is looked at: a commit that comes after this wakes the wait below.
            self.latest.borrow_and_update();
            let found = self.ring.lock().unwrap_or_else(PoisonError::into_inner).after(self.at);
            match found {
                Ok(Some(commit)) => {
                    self.at = commit.revision.number;
                    return Some(Ok(commit));
                }
                Ok(None) => self.latest.changed().await.ok()?,
                Err(lagged) => return Some(Err(lagged)),
            }
        }
    }
}
