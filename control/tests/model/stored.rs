//! What is stored, and what must hold of it after every commit.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use control::domain::record::{self, Claim, GuidIndex, NameIndex, RouteCount, decode};
use control::domain::{Deployment, StaticRoute};
use control::store::{Change, Key};

use crate::reference::{Reference, Running};

/// Everything under every key, and what of it the clients work on.
#[derive(Default)]
pub(crate) struct Stored {
    pub(crate) everything: BTreeMap<Key, Bytes>,
    routes: BTreeMap<Vec<String>, StaticRoute>,
    deployments: BTreeMap<Vec<String>, Deployment>,
    claims: BTreeMap<String, Claim>,
    names: BTreeMap<Vec<String>, NameIndex>,
    guids: BTreeMap<Vec<String>, GuidIndex>,
    uses: BTreeSet<Vec<String>>,
    counts: BTreeMap<String, RouteCount>,
    /// Most static routes there may be.
    pub(crate) most: Option<usize>,
    /// Every random label there has been, with its deployment.
    randoms: BTreeMap<String, String>,
}

fn take<K: Ord, T: serde::de::DeserializeOwned>(of: &mut BTreeMap<K, T>, key: K, value: Option<&Bytes>) {
    match value {
        Some(value) => of.insert(key, decode("record", value).unwrap()),
        None => of.remove(&key),
    };
}

impl Stored {
    /// Whether the clients' wishes can have to do with a change.
    pub(crate) fn concerns(change: &Change) -> bool {
        let kind = change.key.parts().nth(2);
        kind.is_some_and(|kind| kind == record::DEPLOYMENT || kind == record::STATIC_ROUTE)
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        let value = change.value.as_ref();
        match value {
            Some(value) => self.everything.insert(change.key.clone(), value.clone()),
            None => self.everything.remove(&change.key),
        };
        let parts: Vec<String> = change.key.parts().map(Into::into).collect();
        match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [record::LABEL, label] => take(&mut self.claims, (*label).to_owned(), value),
            [record::ROUTE_COUNT, organization] => take(&mut self.counts, (*organization).to_owned(), value),
            [record::PROJECT, _, record::STATIC_ROUTE, _] => take(&mut self.routes, parts, value),
            [record::PROJECT, _, record::DEPLOYMENT, _] => take(&mut self.deployments, parts, value),
            [record::PROJECT, _, record::DEPLOYMENT_NAME, _] => take(&mut self.names, parts, value),
            [record::PROJECT, _, record::GUID, _] => take(&mut self.guids, parts, value),
            [record::PROJECT, _, record::PACKAGE_USE, ..] if value.is_some() => {
                self.uses.insert(parts);
            }
            [record::PROJECT, _, record::PACKAGE_USE, ..] => {
                self.uses.remove(&parts);
            }
            _ => {}
        }
    }

    fn live(&self) -> impl Iterator<Item = &Deployment> {
        self.deployments.values().filter(|deployment| deployment.is_live())
    }

    /// What must hold whatever anybody did.
    pub(crate) fn assert_sound(&mut self) {
        self.assert_claims_have_owners();
        self.assert_mirrors_agree();
        self.assert_indices_lead_somewhere();
        self.assert_random_labels_are_new();
        for count in self.counts.values() {
            assert_eq!(usize::try_from(count.used).unwrap(), self.routes.len(), "routes that are counted");
        }
        assert!(self.most.is_none_or(|most| self.routes.len() <= most), "more than there may be");
    }

    /// A name has one owner, and whoever is routed by a name owns it.
    fn assert_claims_have_owners(&self) {
        let mut owned = BTreeSet::new();
        for route in self.routes.values() {
            let claim = Claim::StaticRoute { project: route.project.clone() };
            assert_eq!(self.claims.get(route.label.as_str()), Some(&claim), "{}", route.label);
            assert!(owned.insert(route.label.as_str().to_owned()), "{} is there twice", route.label);
        }
        for deployment in self.live() {
            for random in deployment.endpoints.iter().filter_map(|endpoint| endpoint.random.as_ref()) {
                let claim = Claim::RandomRoute { deployment: deployment.guid.clone() };
                assert_eq!(self.claims.get(random.as_str()), Some(&claim), "{random}");
                assert!(owned.insert(random.as_str().to_owned()), "{random} is there twice");
            }
        }
        let claims = self.claims.iter().filter(|(_, claim)| !matches!(claim, Claim::Released { .. }));
        let claimed: BTreeSet<String> = claims.map(|(label, _)| label.clone()).collect();
        assert_eq!(claimed, owned, "claims, and those who are routed by them");
    }

    /// A static route leads to one deployment at most, which knows of it; and no other thinks it does.
    fn assert_mirrors_agree(&self) {
        let (mut led, mut mirrored) = (BTreeSet::new(), BTreeSet::new());
        for route in self.routes.values() {
            if let Some(bound) = &route.bound_to {
                led.insert((
                    route.label.to_string(),
                    bound.deployment.to_string(),
                    bound.endpoint.to_string(),
                ));
            }
        }
        for deployment in self.deployments.values() {
            assert!(deployment.is_live() || deployment.static_routes.is_empty(), "{}", deployment.guid);
            for binding in &deployment.static_routes {
                let (label, endpoint) = (binding.label.to_string(), binding.endpoint.to_string());
                assert!(mirrored.insert((label, deployment.guid.to_string(), endpoint)));
            }
        }
        assert_eq!(led, mirrored, "where routes lead, and what deployments know of it");
    }

    fn assert_indices_lead_somewhere(&self) {
        let named = self.names.iter().filter_map(|(key, index)| Some((key, index.live.as_ref()?)));
        let named: BTreeSet<_> = named.map(|(key, guid)| (key[1].clone(), key[3].clone(), guid)).collect();
        let live = self.live().map(|d| (d.project.as_str().to_owned(), d.name.to_string(), &d.guid));
        assert_eq!(named, live.collect(), "names of live deployments");

        let users: BTreeSet<_> = self.uses.iter().filter_map(|key| key.last()).map(String::as_str).collect();
        let live: BTreeSet<_> = self.live().map(|deployment| deployment.guid.as_str()).collect();
        assert_eq!((users.len(), &users), (self.uses.len(), &live), "users of packages");

        let found = self.guids.iter().filter(|(_, index)| matches!(index, GuidIndex::StaticRoute { .. }));
        let found: BTreeSet<_> = found.map(|(key, _)| key[3].as_str()).collect();
        let routes: BTreeSet<_> = self.routes.values().map(|route| route.guid.as_str()).collect();
        assert_eq!(found, routes, "guids of static routes");
    }

    fn assert_random_labels_are_new(&mut self) {
        let live = self.deployments.values().filter(|deployment| deployment.is_live());
        for deployment in live {
            for random in deployment.endpoints.iter().filter_map(|endpoint| endpoint.random.as_ref()) {
                let guid = deployment.guid.to_string();
                let owner = self.randoms.entry(random.to_string()).or_insert_with(|| guid.clone());
                assert_eq!(*owner, guid, "{random} is given again");
            }
        }
    }

    /// The same, as the reference would have it.
    pub(crate) fn as_reference(&self) -> Reference {
        let route = |route: &StaticRoute| {
            let bound = route.bound_to.as_ref().map(|bound| bound.deployment.to_string());
            (route.label.to_string(), (route.project.as_str().to_owned(), bound))
        };
        let running = |deployment: &Deployment| {
            let (project, name) = (deployment.project.as_str().to_owned(), deployment.name.to_string());
            (deployment.guid.to_string(), Running { project, name, generation: deployment.generation })
        };
        let ended = self.names.iter().filter(|(_, index)| index.last_stopped.is_some());
        Reference {
            routes: self.routes.values().map(route).collect(),
            deployments: self.live().map(running).collect(),
            most: self.most,
            ended: ended.map(|(key, _)| (key[1].clone(), key[3].clone())).collect(),
        }
    }

    /// How many static routes a project has.
    pub(crate) fn static_routes_in(&self, project: &str) -> usize {
        self.routes.values().filter(|route| route.project.as_str() == project).count()
    }
}
