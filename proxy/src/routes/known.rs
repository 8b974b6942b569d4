use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::{Arc, Weak};

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use proto::{Backend, Binding, EndpointName, ProjectId};

use super::upstream::{Upstream, UpstreamKey};

/// What the writer has met before, so that equal things are one thing.
///
/// For upstreams this is what makes routes to the same endpoint share their counts and connections;
/// for texts it saves memory.
#[derive(Default)]
pub(super) struct Known {
    upstreams: HashTable<Weak<Upstream>>,
    sweep_at: usize,
    projects: Texts<ProjectId>,
    endpoints: Texts<EndpointName>,
    hasher: RandomState,
}

/// Texts that many routes repeat.
struct Texts<T>(HashSet<T, RandomState>);

/// The set is forgotten when it grows above this: it is there for what repeats, and what repeats comes
/// again.
const TEXTS_MAX: usize = 4096;
/// Dead upstreams are not looked for in a smaller table than this.
const SWEEP_LEAST: usize = 1024;

impl Known {
    pub(super) fn project(&mut self, project: &ProjectId) -> ProjectId {
        self.projects.shared(project)
    }

    /// The upstreams of a binding's healthy backends. The binding's texts become those they share.
    pub(super) fn upstreams(&mut self, binding: &mut Binding) -> Box<[Arc<Upstream>]> {
        binding.endpoint = self.endpoints.shared(&binding.endpoint);
        let healthy = binding.backends.iter().filter(|backend| backend.healthy);
        let upstreams: Box<[_]> = healthy.map(|backend| self.upstream(binding, backend)).collect();
        if let Some(first) = upstreams.first() {
            binding.deployment = first.deployment().clone();
        }
        upstreams
    }

    fn upstream(&mut self, binding: &Binding, backend: &Backend) -> Arc<Upstream> {
        let key = UpstreamKey {
            deployment: binding.deployment.clone(),
            endpoint: binding.endpoint.clone(),
            address: backend.address,
            protocol: binding.backend_protocol,
        };
        let hash = self.hasher.hash_one(&key);
        let same = |known: &Weak<Upstream>| known.upgrade().filter(|upstream| *upstream.key() == key);
        if let Some(known) = self.upstreams.find(hash, |known| same(known).is_some()).and_then(Weak::upgrade)
        {
            return known;
        }
        self.sweep();
        let upstream = Arc::new(Upstream::new(key));
        let hasher = &self.hasher;
        self.upstreams.insert_unique(hash, Arc::downgrade(&upstream), |known| rehash(hasher, known));
        upstream
    }

    /// Forgets upstreams no route leads to, each time the table has doubled.
    fn sweep(&mut self) {
        if self.upstreams.len() < self.sweep_at.max(SWEEP_LEAST) {
            return;
        }
        self.upstreams.retain(|known| known.strong_count() > 0);
        self.sweep_at = 2 * self.upstreams.len();
        let hasher = &self.hasher;
        self.upstreams.shrink_to(self.sweep_at, |known| rehash(hasher, known));
    }
}

/// The hash of a known upstream. A dead one is never looked for again, so any hash will do for it.
fn rehash(hasher: &RandomState, known: &Weak<Upstream>) -> u64 {
    known.upgrade().map_or(0, |upstream| hasher.hash_one(upstream.key()))
}

impl<T: Clone + Eq + std::hash::Hash> Texts<T> {
    fn shared(&mut self, text: &T) -> T {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        if self.0.len() >= TEXTS_MAX {
            self.0.clear();
        }
        self.0.insert(text.clone());
        text.clone()
    }
}

impl<T> Default for Texts<T> {
    fn default() -> Self {
        Self(HashSet::default())
    }
}

#[cfg(test)]
mod tests {
    use proto::{BackendProtocol, DeploymentId, EdgeProtocol};

    use super::*;

    fn binding(deployment: &str, backends: &[(&str, bool)]) -> Binding {
        let backends = backends
            .iter()
            .map(|(address, healthy)| Backend { address: address.parse().unwrap(), healthy: *healthy });
        Binding {
            deployment: DeploymentId::parse(deployment).unwrap(),
            endpoint: EndpointName::parse("WEB").unwrap(),
            protocol: EdgeProtocol::Http,
            backend_protocol: BackendProtocol::Http1,
            backends: backends.collect(),
        }
    }

    #[test]
    fn an_upstream_is_one_for_all_routes_of_an_endpoint_and_another_for_another_deployment() {
        let mut known = Known::default();
        let a = known.upstreams(&mut binding("dep-a", &[("10.0.0.1:80", true), ("10.0.0.2:80", false)]));
        let again = known.upstreams(&mut binding("dep-a", &[("10.0.0.1:80", true)]));
        let b = known.upstreams(&mut binding("dep-b", &[("10.0.0.1:80", true)]));
        assert_eq!(a.len(), 1, "an unhealthy backend is no upstream");
        assert!(Arc::ptr_eq(&a[0], &again[0]));
        assert_ne!(a[0].id(), b[0].id());
    }

    #[test]
    fn dead_upstreams_are_forgotten() {
        let mut known = Known::default();
        let kept = known.upstreams(&mut binding("dep-kept", &[("10.0.0.1:80", true)]));
        for n in 0..10 * SWEEP_LEAST {
            known.upstreams(&mut binding(&format!("dep-{n}"), &[("10.0.0.1:80", true)]));
        }
        assert!(known.upstreams.len() <= SWEEP_LEAST + 1);
        let again = known.upstreams(&mut binding("dep-kept", &[("10.0.0.1:80", true)]));
        assert!(Arc::ptr_eq(&kept[0], &again[0]));
    }
}
