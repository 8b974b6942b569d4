//! What routes depend on, and the routes that follow from it: the heart of the control plane.
//!
//! [`World`] is kept up to date by [`World::apply`], one record at a time, in any order;
//! [`routes_of`] is the whole table that follows from it. A publisher that keeps a table asks for no
//! more than the labels a change touched.
//!
//! ```text
//! change of a record ─► World::apply ─► labels touched ─► World::routes_of_label ─► diff
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use proto::{Backend, Binding, EdgeProtocol, Hostname, ProjectId, Route, SourceRanges, Target};

use super::label::Label;
use super::record::{Place, RecordError, decode};
use super::{Deployment, DeploymentGuid, Lease, LeaseId, StaticRoute};

mod deployed;
#[cfg(test)]
mod tests;

use deployed::{Deployed, Exposed};

/// Everything the routes depend on.
#[derive(Debug, Clone)]
pub struct World {
    domains: Arc<[Hostname]>,
    names: BTreeMap<Label, Name>,
    deployments: HashMap<DeploymentGuid, Entry>,
    leases: HashMap<LeaseId, LeaseEntry>,
    /// One shared text per project, not one per record.
    projects: BTreeSet<ProjectId>,
}

/// Who has a label.
#[derive(Debug, Clone)]
enum Name {
    Static(Box<StaticName>),
    Random(DeploymentGuid, usize),
}

#[derive(Debug, Clone)]
struct StaticName {
    project: ProjectId,
    sources: SourceRanges,
    bound: Option<(DeploymentGuid, super::EndpointName)>,
    last: Option<EdgeProtocol>,
}

/// A deployment as far as it is known: static routes may name it before its record has been seen.
#[derive(Debug, Clone, Default)]
struct Entry {
    live: Option<Deployed>,
    static_labels: BTreeSet<Label>,
}

/// A lease as far as it is known: deployments may name it before its record has been seen.
#[derive(Debug, Clone, Default)]
struct LeaseEntry {
    state: Option<LeaseState>,
    deployments: BTreeSet<DeploymentGuid>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeaseState {
    Held,
    Lapsed,
}

/// The whole table: each label under every base domain.
pub fn routes_of(world: &World) -> BTreeMap<Hostname, Route> {
    let routes = world.names.keys().flat_map(|label| world.routes_of_label(label));
    routes.map(|route| (route.hostname.clone(), route)).collect()
}

/// What `label` means under `domain`; none when it is not routed.
pub fn route_of(world: &World, label: &Label, domain: &Hostname) -> Option<Route> {
    world.domains.contains(domain).then(|| world.route_under(label, &world.meaning(label)?, domain)).flatten()
}

impl World {
    /// Nothing yet; names will be served under `domains`, the first of which is the primary one. One that
    /// is given twice counts once.
    pub fn new(domains: impl IntoIterator<Item = Hostname>) -> Self {
        let mut once: Vec<Hostname> = Vec::new();
        for domain in domains {
            if !once.contains(&domain) {
                once.push(domain);
            }
        }
        Self {
            domains: once.into(),
            names: BTreeMap::new(),
            deployments: HashMap::new(),
            leases: HashMap::new(),
            projects: BTreeSet::new(),
        }
    }

    /// The domains names are served under.
    pub fn domains(&self) -> &[Hostname] {
        &self.domains
    }

    /// Takes in what now stands at `place` (none: nothing any more), and adds to `touched` the labels
    /// whose routes may have changed by it.
    ///
    /// A record that cannot be read leaves what was known of it.
    pub fn apply(
        &mut self,
        place: &Place,
        value: Option<&[u8]>,
        touched: &mut BTreeSet<Label>,
    ) -> Result<(), RecordError> {
        match place {
            Place::Deployment(guid) => {
                let record = value.map(|bytes| decode::<Deployment>("deployment", bytes)).transpose()?;
                self.set_deployment(guid, record.filter(Deployment::is_live), touched);
            }
            Place::StaticRoute(label) => {
                let record = value.map(|bytes| decode::<StaticRoute>("static route", bytes)).transpose()?;
                self.set_static_route(label, record, touched);
            }
            Place::Lease(id) => {
                let record = value.map(|bytes| decode::<Lease>("lease", bytes)).transpose()?;
                let state =
                    record.map(|lease| if lease.lapsed { LeaseState::Lapsed } else { LeaseState::Held });
                self.set_lease(id, state, touched);
            }
        }
        Ok(())
    }

    /// Routed labels after `after`, in order.
    pub fn labels(&self, after: Option<&Label>) -> impl Iterator<Item = &Label> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.names.range::<Label, _>((from, Unbounded)).map(|(label, _)| label)
    }

    /// The routes of `label`, one under each base domain; none when it is not routed.
    pub fn routes_of_label(&self, label: &Label) -> Vec<Route> {
        let Some(meaning) = self.meaning(label) else {
            return Vec::new();
        };
        self.domains.iter().filter_map(|domain| self.route_under(label, &meaning, domain)).collect()
    }

    /// The host names `label` has under the base domains, routed or not.
    pub fn hostnames(&self, label: &Label) -> Vec<Hostname> {
        self.domains.iter().filter_map(|domain| label.under(domain)).collect()
    }

    fn route_under(&self, label: &Label, meaning: &Meaning, domain: &Hostname) -> Option<Route> {
        let (project, sources, target) = meaning.clone();
        Some(Route { hostname: label.under(domain)?, project, target, sources })
    }

    fn meaning(&self, label: &Label) -> Option<Meaning> {
        match self.names.get(label)? {
            Name::Static(name) => {
                let bound = name.bound.as_ref().and_then(|(guid, endpoint)| {
                    let deployed = self.deployments.get(guid)?.live.as_ref()?;
                    Some(self.binding(deployed, deployed.endpoint(endpoint.as_str())?))
                });
                let target = bound.map_or(Target::Unbound { last: name.last }, Target::Bound);
                Some((name.project.clone(), name.sources.clone(), target))
            }
            Name::Random(guid, index) => {
                let deployed = self.deployments.get(guid)?.live.as_ref()?;
                let binding = self.binding(deployed, deployed.endpoints.get(*index)?);
                Some((deployed.project.clone(), SourceRanges::everyone(), Target::Bound(binding)))
            }
        }
    }

    fn binding(&self, deployed: &Deployed, endpoint: &Exposed) -> Binding {
        Binding {
            deployment: deployed.id.clone(),
            endpoint: endpoint.name.clone(),
            protocol: endpoint.protocol,
            backend_protocol: endpoint.backend_protocol,
            backends: self.backends(endpoint).into(),
        }
    }

    /// The fixed backends and the reported ones, each address once, healthy if either says so. What was
    /// reported under a lapsed lease is unhealthy; under a closed one it is void.
    fn backends(&self, endpoint: &Exposed) -> Vec<Backend> {
        let mut backends = endpoint.fixed.to_vec();
        if let Some((lease, reported)) = &endpoint.reported
            && let Some(state) = self.leases.get(lease).and_then(|entry| entry.state)
        {
            backends.extend(reported.iter().map(|backend| Backend {
                address: backend.address,
                healthy: backend.healthy && state == LeaseState::Held,
            }));
        }
        backends.sort_unstable_by_key(|backend| (backend.address, !backend.healthy));
        backends.dedup_by_key(|backend| backend.address);
        backends
    }

    fn set_deployment(
        &mut self,
        guid: &DeploymentGuid,
        record: Option<Deployment>,
        touched: &mut BTreeSet<Label>,
    ) {
        let new = record.and_then(|record| {
            let project = self.shared(&record.project);
            Deployed::read(record, project)
        });
        let entry = self.deployments.entry(guid.clone()).or_default();
        touched.extend(entry.static_labels.iter().cloned());
        let old = std::mem::replace(&mut entry.live, new);
        for label in old.iter().flat_map(Deployed::random_labels).map(|(_, label)| label) {
            if matches!(self.names.get(label), Some(Name::Random(owner, _)) if owner == guid) {
                self.names.remove(label);
            }
            touched.insert(label.clone());
        }
        for lease in old.iter().flat_map(Deployed::leases) {
            self.let_go_of_lease(lease, guid);
        }
        let Some(entry) = self.deployments.get(guid) else {
            return;
        };
        if let Some(live) = &entry.live {
            for (index, label) in live.random_labels() {
                self.names.insert(label.clone(), Name::Random(guid.clone(), index));
                touched.insert(label.clone());
            }
            for lease in live.leases() {
                self.leases.entry(lease.clone()).or_default().deployments.insert(guid.clone());
            }
        }
        self.forget_if_empty(guid);
    }

    fn set_static_route(
        &mut self,
        label: &Label,
        record: Option<StaticRoute>,
        touched: &mut BTreeSet<Label>,
    ) {
        touched.insert(label.clone());
        if let Some(Name::Static(old)) = self.names.remove(label)
            && let Some((guid, _)) = old.bound
        {
            if let Some(entry) = self.deployments.get_mut(&guid) {
                entry.static_labels.remove(label);
            }
            self.forget_if_empty(&guid);
        }
        let Some(record) = record else {
            return;
        };
        let bound = record.bound_to.as_ref();
        if let Some(bound) = bound {
            let entry = self.deployments.entry(bound.deployment.clone()).or_default();
            entry.static_labels.insert(label.clone());
        }
        let name = StaticName {
            project: self.shared(&record.project),
            sources: record.source_ranges.iter().copied().collect(),
            last: bound.map(|bound| bound.protocol).or(record.last_protocol.map(|last| last.0)),
            bound: record.bound_to.map(|bound| (bound.deployment, bound.endpoint)),
        };
        self.names.insert(label.clone(), Name::Static(Box::new(name)));
    }

    fn set_lease(&mut self, id: &LeaseId, state: Option<LeaseState>, touched: &mut BTreeSet<Label>) {
        let entry = self.leases.entry(id.clone()).or_default();
        if entry.state != state {
            entry.state = state;
            for guid in &entry.deployments {
                let deployment = self.deployments.get(guid);
                touched.extend(deployment.iter().flat_map(|entry| entry.static_labels.iter().cloned()));
                let live = deployment.and_then(|entry| entry.live.as_ref());
                touched.extend(
                    live.iter().flat_map(|live| live.random_labels()).map(|(_, label)| label.clone()),
                );
            }
        }
        if entry.state.is_none() && entry.deployments.is_empty() {
            self.leases.remove(id);
        }
    }

    fn let_go_of_lease(&mut self, lease: &LeaseId, guid: &DeploymentGuid) {
        if let Some(entry) = self.leases.get_mut(lease) {
            entry.deployments.remove(guid);
            if entry.state.is_none() && entry.deployments.is_empty() {
                self.leases.remove(lease);
            }
        }
    }

    fn forget_if_empty(&mut self, guid: &DeploymentGuid) {
        if self.deployments.get(guid).is_some_and(|e| e.live.is_none() && e.static_labels.is_empty()) {
            self.deployments.remove(guid);
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

/// What a label means under any domain.
type Meaning = (ProjectId, SourceRanges, Target);
