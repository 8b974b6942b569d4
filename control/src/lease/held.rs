use std::collections::{BTreeSet, HashMap};

use proto::ProjectId;
use tokio::time::Instant;

use super::ttl;
use crate::domain::{Lease, LeaseId};

/// The open leases, and when each is to be looked at.
///
/// A lease that is kept alive does not move among the looks: when its turn comes and it has time left, it
/// is put in again. Keeping alive is by far the most frequent of all that happens here.
#[derive(Default)]
pub(super) struct Held {
    leases: HashMap<LeaseId, Open>,
    /// At most one for each lease, so that neither those who come and go nor those who lapse and revive
    /// leave any behind.
    looks: BTreeSet<(Instant, LeaseId)>,
}

struct Open {
    /// With `lapsed` as it is stored, or is being stored.
    lease: Lease,
    runs_out: Instant,
    /// When it is to be looked at; none while it has lapsed.
    look: Option<Instant>,
}

impl Held {
    pub(super) fn len(&self) -> usize {
        self.leases.len()
    }

    /// `lease` has its full time from `now`, unless it has lapsed.
    pub(super) fn insert(&mut self, lease: Lease, now: Instant) {
        let (id, runs_out, lapsed) = (lease.id.clone(), now + ttl(&lease), lease.lapsed);
        self.leases.insert(id.clone(), Open { lease, runs_out, look: None });
        if !lapsed {
            self.look_at(&id, runs_out);
        }
    }

    pub(super) fn remove(&mut self, id: &LeaseId) {
        if let Some(Open { look: Some(when), .. }) = self.leases.remove(id) {
            self.looks.remove(&(when, id.clone()));
        }
    }

    /// The lapsed lease that ran out first, with its project.
    pub(super) fn longest_lapsed(&self) -> Option<(LeaseId, ProjectId)> {
        let lapsed = self.leases.values().filter(|open| open.lease.lapsed);
        let first = lapsed.min_by_key(|open| open.runs_out)?;
        Some((first.lease.id.clone(), first.lease.project.clone()))
    }

    pub(super) fn is_of(&self, id: &LeaseId, project: &ProjectId) -> bool {
        self.leases.get(id).is_some_and(|open| open.lease.project == *project)
    }

    /// Gives it its full time from `now`, and returns it as it was until now.
    pub(super) fn keep(&mut self, id: &LeaseId, now: Instant) -> Option<Lease> {
        let open = self.leases.get_mut(id)?;
        open.runs_out = now + ttl(&open.lease);
        Some(open.lease.clone())
    }

    /// It is about to be stored that it lives. It is looked at again whatever comes of that.
    pub(super) fn revive(&mut self, id: &LeaseId) {
        if let Some(open) = self.leases.get_mut(id) {
            open.lease.lapsed = false;
            let runs_out = open.runs_out;
            self.look_at(id, runs_out);
        }
    }

    /// It may be stored that it has lapsed.
    pub(super) fn mark_lapsed(&mut self, id: &LeaseId) {
        if let Some(open) = self.leases.get_mut(id) {
            open.lease.lapsed = true;
        }
    }

    /// It is to be looked at then, and not when it was to be before.
    pub(super) fn look_at(&mut self, id: &LeaseId, when: Instant) {
        let Some(open) = self.leases.get_mut(id) else { return };
        if let Some(before) = open.look.replace(when) {
            self.looks.remove(&(before, id.clone()));
        }
        self.looks.insert((when, id.clone()));
    }

    /// When the next lease is to be looked at.
    pub(super) fn next_look(&self) -> Option<Instant> {
        self.looks.first().map(|(when, _)| *when)
    }

    /// The next lease that has run out by `now`, with its project.
    pub(super) fn take_run_out(&mut self, now: Instant) -> Option<(LeaseId, ProjectId)> {
        while self.next_look().is_some_and(|when| when <= now) {
            let (_, id) = self.looks.pop_first()?;
            let Some(open) = self.leases.get_mut(&id) else { continue };
            open.look = None;
            if open.runs_out <= now {
                return Some((id, open.lease.project.clone()));
            }
            let runs_out = open.runs_out;
            self.look_at(&id, runs_out);
        }
        None
    }

    /// Marks it as lapsed if it has run out by `now`. False when it has been kept alive meanwhile; then it
    /// is looked at again.
    pub(super) fn lapse(&mut self, id: &LeaseId, now: Instant) -> bool {
        let Some(open) = self.leases.get_mut(id) else {
            return false;
        };
        if open.runs_out <= now {
            open.lease.lapsed = true;
            return true;
        }
        let runs_out = open.runs_out;
        self.look_at(id, runs_out);
        false
    }
}
