use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use proto::{BackendAddr, ProjectId};
use tokio::time::Instant;

use super::Standing;
use crate::domain::record::{AddressOwner, BACKEND_ADDRESS, Place, decode};
use crate::domain::{Deployment, DeploymentGuid, LeaseId};
use crate::store::Key;

/// What the deployments say of the addresses they use; the same whatever order it is told in.
#[derive(Default)]
pub(super) struct Known {
    deployments: HashMap<DeploymentGuid, Held>,
    leases: HashMap<LeaseId, LeaseEntry>,
    /// How many deployments of which project use an address; never empty lists.
    uses: HashMap<BackendAddr, Vec<(ProjectId, usize)>>,
    /// Addresses that belong to a project, or did, and that nobody uses.
    left: HashMap<BackendAddr, Left>,
    projects: HashSet<ProjectId>,
}

/// The addresses of a live deployment.
struct Held {
    project: ProjectId,
    fixed: Box<[BackendAddr]>,
    reported: Box<[(LeaseId, Box<[BackendAddr]>)]>,
}

#[derive(Default)]
struct LeaseEntry {
    /// What was reported under a lease that is closed is void; what was under a lapsed one may revive.
    is_open: bool,
    deployments: HashSet<DeploymentGuid>,
}

struct Left {
    project: ProjectId,
    at: Instant,
}

impl Known {
    /// Takes in what now stands under `key`. A record that cannot be read leaves what was known of it.
    pub(super) fn apply(&mut self, key: &Key, value: Option<&[u8]>, now: Instant) {
        match Place::of(key.parts()) {
            Some(Place::Deployment(guid)) => match value.map(|bytes| decode("deployment", bytes)).transpose()
            {
                Ok(record) => self.set_deployment(&guid, record, now),
                Err(error) => tracing::error!(%key, %error, "its backend addresses count as they were"),
            },
            Some(Place::Lease(id)) => self.set_lease(&id, value.is_some(), now),
            Some(Place::StaticRoute(_)) => {}
            None => self.set_owner(key, value, now),
        }
    }

    /// Goes on as `loaded`, which has it all but for how long nobody has used what.
    pub(super) fn begin_anew(&mut self, mut loaded: Self) {
        for (address, left) in &mut loaded.left {
            if let Some(before) = self.left.get(address).filter(|before| before.project == left.project) {
                left.at = before.at;
            }
        }
        *self = loaded;
    }

    /// How `address` stands for `project`.
    pub(super) fn standing(
        &self,
        project: &ProjectId,
        address: BackendAddr,
        quarantine: Duration,
        now: Instant,
    ) -> Standing {
        if self.uses.get(&address).is_some_and(|uses| uses.iter().any(|(user, _)| user != project)) {
            return Standing::InUse;
        }
        let left = self.left.get(&address).filter(|left| left.project != *project);
        let rest = left.map(|left| (left.at + quarantine).saturating_duration_since(now));
        match rest {
            Some(rest) if !rest.is_zero() => Standing::Quarantined(rest),
            Some(_) | None => Standing::Free,
        }
    }

    /// Whether nobody uses `address`, nor has of late.
    pub(super) fn is_due(&self, address: BackendAddr, quarantine: Duration, now: Instant) -> bool {
        !self.uses.contains_key(&address)
            && self.left.get(&address).is_none_or(|left| left.at + quarantine <= now)
    }

    /// Up to `most` addresses of which that is so.
    pub(super) fn due(&self, quarantine: Duration, now: Instant, most: usize) -> Vec<BackendAddr> {
        let due = self.left.iter().filter(|(_, left)| left.at + quarantine <= now);
        due.map(|(address, _)| *address).take(most).collect()
    }

    /// It belongs to nobody, and did not of late.
    pub(super) fn forget(&mut self, address: BackendAddr) {
        self.left.remove(&address);
    }

    fn set_owner(&mut self, key: &Key, value: Option<&[u8]>, now: Instant) {
        let mut parts = key.parts();
        if parts.next().as_deref() != Some(BACKEND_ADDRESS) {
            return;
        }
        let Some(address) = parts.next().and_then(|text| text.parse::<BackendAddr>().ok()) else { return };
        match value.map(|bytes| decode::<AddressOwner>("backend address", bytes)).transpose() {
            Ok(None) => self.forget(address),
            Ok(Some(_)) if self.uses.contains_key(&address) => {}
            Ok(Some(owner)) => {
                let project = self.shared(&owner.project);
                self.left.entry(address).or_insert(Left { project, at: now });
            }
            Err(error) => tracing::error!(%key, %error, "whose it is stays as it was"),
        }
    }

    fn set_deployment(&mut self, guid: &DeploymentGuid, record: Option<Deployment>, now: Instant) {
        if let Some(old) = self.deployments.remove(guid) {
            let used = self.used(&old);
            for (lease, _) in &old.reported {
                if let Some(entry) = self.leases.get_mut(lease) {
                    entry.deployments.remove(guid);
                }
                self.forget_if_void(lease);
            }
            let new = record.filter(Deployment::is_live).map(|record| self.read(record));
            let still = new.as_ref().map(|new| self.used(new)).unwrap_or_default();
            // What it goes on using is not given up in between.
            for address in &still {
                self.add(*address, &old.project);
            }
            for address in used {
                self.remove(address, &old.project, now);
            }
            self.keep(guid, new);
        } else if let Some(record) = record.filter(Deployment::is_live) {
            let new = self.read(record);
            for address in self.used(&new) {
                self.add(address, &new.project);
            }
            self.keep(guid, Some(new));
        }
    }

    fn read(&mut self, record: Deployment) -> Held {
        let mut fixed = BTreeSet::new();
        let mut reported = Vec::new();
        for endpoint in record.endpoints {
            fixed.extend(endpoint.fixed.iter().map(|backend| backend.address));
            if let Some(said) = endpoint.reported {
                reported.push((said.lease, said.backends.iter().map(|backend| backend.address).collect()));
            }
        }
        let project = self.shared(&record.project);
        Held { project, fixed: fixed.into_iter().collect(), reported: reported.into() }
    }

    fn keep(&mut self, guid: &DeploymentGuid, held: Option<Held>) {
        let Some(held) = held.filter(|held| !held.fixed.is_empty() || !held.reported.is_empty()) else {
            return;
        };
        for (lease, _) in &held.reported {
            self.leases.entry(lease.clone()).or_default().deployments.insert(guid.clone());
        }
        self.deployments.insert(guid.clone(), held);
    }

    fn set_lease(&mut self, id: &LeaseId, is_open: bool, now: Instant) {
        let entry = self.leases.entry(id.clone()).or_default();
        let concerned: Vec<_> = match entry.is_open == is_open {
            true => Vec::new(),
            false => entry.deployments.iter().cloned().collect(),
        };
        let used = |known: &Self, guid| known.deployments.get(guid).map(|held| known.used(held));
        let before: Vec<_> = concerned.iter().map(|guid| used(self, guid).unwrap_or_default()).collect();
        if let Some(entry) = self.leases.get_mut(id) {
            entry.is_open = is_open;
        }
        for (guid, before) in concerned.iter().zip(before) {
            let Some(project) = self.deployments.get(guid).map(|held| held.project.clone()) else { continue };
            let after = used(self, guid).unwrap_or_default();
            for address in after.difference(&before) {
                self.add(*address, &project);
            }
            for address in before.difference(&after) {
                self.remove(*address, &project, now);
            }
        }
        self.forget_if_void(id);
    }

    fn forget_if_void(&mut self, id: &LeaseId) {
        if self.leases.get(id).is_some_and(|entry| !entry.is_open && entry.deployments.is_empty()) {
            self.leases.remove(id);
        }
    }

    /// The addresses a deployment uses now, each once.
    fn used(&self, held: &Held) -> BTreeSet<BackendAddr> {
        let open = |lease: &LeaseId| self.leases.get(lease).is_some_and(|entry| entry.is_open);
        let reported = held.reported.iter().filter(|(lease, _)| open(lease));
        held.fixed.iter().chain(reported.flat_map(|(_, addresses)| addresses)).copied().collect()
    }

    fn add(&mut self, address: BackendAddr, project: &ProjectId) {
        self.left.remove(&address);
        let uses = self.uses.entry(address).or_default();
        match uses.iter_mut().find(|(user, _)| user == project) {
            Some((_, count)) => *count += 1,
            None => uses.push((project.clone(), 1)),
        }
    }

    fn remove(&mut self, address: BackendAddr, project: &ProjectId, now: Instant) {
        let Some(uses) = self.uses.get_mut(&address) else { return };
        if let Some((_, count)) = uses.iter_mut().find(|(user, _)| user == project) {
            *count = count.saturating_sub(1);
        }
        uses.retain(|(_, count)| *count > 0);
        if uses.is_empty() {
            self.uses.remove(&address);
            self.left.insert(address, Left { project: project.clone(), at: now });
        }
    }

    fn shared(&mut self, project: &ProjectId) -> ProjectId {
        if let Some(shared) = self.projects.get(project) {
            return shared.clone();
        }
        self.projects.insert(project.clone());
        project.clone()
    }
}
