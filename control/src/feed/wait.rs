use std::time::Duration;

use proto::Revision;
use tokio::time::{Instant, timeout_at};

use super::fleet::{ProxyId, ProxyState};
use super::{Feed, Shared};

/// Who had a revision when the wait for it was over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The revision waited for.
    pub revision: Revision,
    /// The proxies that have it.
    pub applied_by: Vec<ProxyId>,
    /// Those that followed when the wait began and have not.
    pub lagging: Vec<Lagging>,
}

/// A proxy that has not applied a revision yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lagging {
    /// Which.
    pub proxy: ProxyId,
    /// What it serves instead, if it has told.
    pub at: Option<Revision>,
    /// Why it refused the revision, if it did.
    pub nack: Option<String>,
}

impl Feed {
    /// Waits until every proxy that follows now has applied `revision`, at most `timeout`. With no proxy
    /// there is nothing to wait for.
    pub async fn wait_applied(&self, revision: Revision, timeout: Duration) -> Receipt {
        let (shared, deadline) = (&self.shared, Instant::now() + timeout);
        let mut told = shared.fleet.told();
        let mut receipt = Receipt { revision, applied_by: Vec::new(), lagging: Vec::new() };
        let mut missing = shared.fleet.connected();
        let mut needed = revision;
        if !missing.is_empty()
            && let Some(enough) = shared.taken_in(revision, deadline).await
        {
            needed = enough;
        }
        while !missing.is_empty() {
            // Seen before the fleet is looked at: what is told after this wakes the wait below.
            told.borrow_and_update();
            missing.retain(|proxy| {
                let has = shared.fleet.look(proxy, |state| has(state, needed)).unwrap_or(false);
                if has {
                    receipt.applied_by.push(proxy.clone());
                }
                !has
            });
            if missing.is_empty() || timeout_at(deadline, told.changed()).await.is_err() {
                break;
            }
        }
        receipt.applied_by.sort_unstable();
        receipt.lagging = missing.into_iter().map(|proxy| shared.lagging(proxy, needed)).collect();
        receipt
    }
}

fn has(state: &ProxyState, needed: Revision) -> bool {
    state.applied.is_some_and(|applied| applied.includes(needed))
}

impl Shared {
    /// Waits until the publisher has taken `revision` in, and returns what a proxy must have for it: the
    /// revision itself, or an earlier one when no route has changed since. None when the time is over.
    async fn taken_in(&self, revision: Revision, deadline: Instant) -> Option<Revision> {
        let mut moved = self.moved.subscribe();
        loop {
            moved.borrow_and_update();
            let (at, reached) = {
                let published = self.published();
                (published.at(), published.reached())
            };
            // Both are of this run, in which numbers go on even where its first commit changes the epoch.
            if reached.number >= revision.number {
                return Some(if at.includes(revision) { revision } else { at });
            }
            timeout_at(deadline, moved.changed()).await.ok()?.ok()?;
        }
    }

    fn lagging(&self, proxy: ProxyId, needed: Revision) -> Lagging {
        let seen = self.fleet.look(&proxy, |state| {
            let nack = state.nack.as_ref().filter(|nack| nack.revision.includes(needed));
            (state.applied, nack.map(|nack| nack.reasons.join("; ")))
        });
        let (at, nack) = seen.unwrap_or_default();
        Lagging { proxy, at, nack }
    }
}
