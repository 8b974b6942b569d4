use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proto::{Backend, BackendProtocol, EdgeProtocol, Hostname, Route, Target};

use super::*;
use crate::domain::deployment::{Reported, StoredBackend};
use crate::domain::label::StaticRouteLabel;
use crate::domain::record::encode;
use crate::domain::samples;
use crate::domain::static_route::BoundTo;

/// The records of a store, and the world that followed their changes one by one.
struct Followed {
    world: World,
    table: BTreeMap<Hostname, Route>,
    deployments: BTreeMap<DeploymentGuid, Deployment>,
    routes: BTreeMap<StaticRouteLabel, StaticRoute>,
    leases: BTreeMap<LeaseId, Lease>,
}

fn domains() -> [Hostname; 2] {
    [Hostname::parse("ep-r.io").unwrap(), Hostname::parse("ep-r.localhost").unwrap()]
}

impl Followed {
    fn new() -> Self {
        Self {
            world: World::new(domains()),
            table: BTreeMap::new(),
            deployments: BTreeMap::new(),
            routes: BTreeMap::new(),
            leases: BTreeMap::new(),
        }
    }

    /// Applies one change as a publisher would: only what was touched is looked at again.
    fn follow(&mut self, place: &Place, value: Option<Vec<u8>>) -> BTreeSet<Label> {
        let mut touched = BTreeSet::new();
        self.world.apply(place, value.as_deref(), &mut touched).unwrap();
        for label in &touched {
            for name in self.world.hostnames(label) {
                self.table.remove(&name);
            }
            self.table.extend(self.world.routes_of_label(label).into_iter().map(|r| (r.hostname.clone(), r)));
        }
        touched
    }

    fn put_deployment(&mut self, record: &Deployment) -> BTreeSet<Label> {
        self.deployments.insert(record.guid.clone(), record.clone());
        self.follow(&Place::Deployment(record.guid.clone()), Some(encode("deployment", record).unwrap()))
    }

    fn put_route(&mut self, record: &StaticRoute) -> BTreeSet<Label> {
        self.routes.insert(record.label.clone(), record.clone());
        self.follow(&Place::StaticRoute(record.label.as_label()), Some(encode("route", record).unwrap()))
    }

    fn put_lease(&mut self, record: &Lease) -> BTreeSet<Label> {
        self.leases.insert(record.id.clone(), record.clone());
        self.follow(&Place::Lease(record.id.clone()), Some(encode("lease", record).unwrap()))
    }

    fn close_lease(&mut self, id: &LeaseId) -> BTreeSet<Label> {
        self.leases.remove(id);
        self.follow(&Place::Lease(id.clone()), None)
    }

    fn target(&self, name: &str) -> &Target {
        &self.table.get(name).unwrap().target
    }

    /// The table, thought out from the records alone.
    fn naive(&self) -> BTreeMap<Hostname, Route> {
        let mut table = BTreeMap::new();
        for domain in domains() {
            for deployment in self.deployments.values().filter(|d| d.is_live()) {
                for endpoint in deployment.external_endpoints() {
                    let label = endpoint.random.as_ref().unwrap();
                    let target = self.naive_target(deployment, endpoint.name.as_str()).unwrap();
                    let hostname = Hostname::parse(&format!("{label}.{domain}")).unwrap();
                    let (project, sources) = (deployment.project.clone(), SourceRanges::everyone());
                    table.insert(hostname.clone(), Route { hostname, project, target, sources });
                }
            }
            for route in self.routes.values() {
                let bound = route.bound_to.as_ref().and_then(|bound| {
                    let deployment = self.deployments.get(&bound.deployment).filter(|d| d.is_live())?;
                    self.naive_target(deployment, bound.endpoint.as_str())
                });
                let last = route.bound_to.as_ref().map(|b| b.protocol).or(route.last_protocol.map(|l| l.0));
                let hostname = Hostname::parse(&format!("{}.{domain}", route.label)).unwrap();
                let target = bound.unwrap_or(Target::Unbound { last });
                let sources = route.source_ranges.iter().copied().collect();
                table.insert(
                    hostname.clone(),
                    Route { hostname, project: route.project.clone(), target, sources },
                );
            }
        }
        table
    }

    fn naive_target(&self, deployment: &Deployment, endpoint: &str) -> Option<Target> {
        let endpoint = deployment.external_endpoints().find(|e| e.name.as_str() == endpoint)?;
        let mut backends: BTreeMap<proto::BackendAddr, bool> = BTreeMap::new();
        let mut see = |backend: &StoredBackend, healthy: bool| {
            *backends.entry(backend.address).or_default() |= healthy;
        };
        for fixed in &endpoint.fixed {
            see(fixed, fixed.healthy);
        }
        if let Some(reported) = &endpoint.reported
            && let Some(lease) = self.leases.get(&reported.lease)
        {
            for backend in &reported.backends {
                see(backend, backend.healthy && !lease.lapsed);
            }
        }
        let crate::domain::package::EndpointKind::External { protocol, backend_protocol, .. } = endpoint.kind
        else {
            return None;
        };
        Some(Target::Bound(Binding {
            deployment: proto::DeploymentId::parse(deployment.guid.as_str())?,
            endpoint: proto::EndpointName::parse(endpoint.name.as_str())?,
            protocol,
            backend_protocol,
            backends: backends.into_iter().map(|(address, healthy)| Backend { address, healthy }).collect(),
        }))
    }
}

fn backend(text: &str, healthy: bool) -> StoredBackend {
    StoredBackend { address: text.parse().unwrap(), healthy }
}

#[test]
fn a_route_moves_with_its_record_alone() {
    let mut followed = Followed::new();
    let (a, b) = (samples::web_deployment(1, "10.0.0.1:80"), samples::web_deployment(2, "10.0.0.2:80"));
    let mut route = samples::static_route("shop");
    followed.put_deployment(&a);
    followed.put_deployment(&b);
    followed.put_route(&route);
    assert_eq!(followed.target("shop.ep-r.io"), &Target::Unbound { last: None });

    for deployment in [&a, &b] {
        route.bound_to = deployment.bound_to(&samples::web());
        let touched = followed.put_route(&route);
        assert_eq!(touched.into_iter().collect::<Vec<_>>(), [route.label.as_label()]);
        let Target::Bound(binding) = followed.target("shop.ep-r.localhost") else { panic!("not bound") };
        assert_eq!(binding.deployment.as_str(), deployment.guid.as_str());
    }
    route.unbind(route.created_at);
    followed.put_route(&route);
    assert_eq!(followed.target("shop.ep-r.io"), &Target::Unbound { last: Some(EdgeProtocol::Http) });
}

#[test]
fn a_domain_given_twice_counts_once() {
    let [primary, other] = domains();
    let mut world = World::new([primary.clone(), other.clone(), primary.clone()]);
    let route = samples::static_route("shop");
    let place = Place::StaticRoute(route.label.as_label());
    world.apply(&place, Some(&encode("static route", &route).unwrap()), &mut BTreeSet::new()).unwrap();
    let routes = world.routes_of_label(&route.label.as_label());
    let names: Vec<_> = routes.into_iter().map(|route| route.hostname).collect();
    let label = route.label.as_label();
    assert_eq!(names, [label.under(&primary).unwrap(), label.under(&other).unwrap()]);
}

#[test]
fn records_may_come_in_any_order() {
    let mut followed = Followed::new();
    let deployment = samples::web_deployment(1, "10.0.0.1:80");
    let mut route = samples::static_route("shop");
    route.bound_to = deployment.bound_to(&samples::web());
    followed.put_route(&route);
    assert!(matches!(followed.target("shop.ep-r.io"), Target::Unbound { .. }));
    let touched = followed.put_deployment(&deployment);
    assert!(touched.contains("shop"));
    assert!(matches!(followed.target("shop.ep-r.io"), Target::Bound(_)));
}

#[test]
fn a_lease_decides_whether_what_was_reported_counts() {
    let mut followed = Followed::new();
    let mut lease = samples::lease(1);
    let mut deployment = samples::web_deployment(1, "10.0.0.1:80");
    let reported = vec![backend("10.0.0.2:80", true)];
    deployment.endpoints[0].reported = Some(Reported { lease: lease.id.clone(), backends: reported });
    let label = deployment.endpoints[0].random.clone().unwrap();
    let name = format!("{label}.ep-r.io");
    let health = |followed: &Followed| match followed.target(&name) {
        Target::Bound(binding) => binding.backends.iter().map(|b| b.healthy).collect::<Vec<_>>(),
        Target::Unbound { .. } => panic!("a random route is never unbound"),
    };
    followed.put_deployment(&deployment);
    assert_eq!(health(&followed), [true], "only the fixed one, for the lease is not known");
    assert_eq!(followed.put_lease(&lease), [label.as_label()].into());
    assert_eq!(health(&followed), [true, true]);
    assert_eq!(followed.put_lease(&lease), BTreeSet::new(), "nothing changed");
    lease.lapsed = true;
    followed.put_lease(&lease);
    assert_eq!(health(&followed), [true, false]);
    followed.close_lease(&lease.id);
    assert_eq!(health(&followed), [true]);
}

#[test]
fn a_stopped_deployment_has_no_routes_and_leaves_nothing_behind() {
    let mut followed = Followed::new();
    let mut deployment = samples::web_deployment(1, "10.0.0.1:80");
    let lease = samples::lease(1);
    deployment.endpoints[0].reported = Some(Reported { lease: lease.id.clone(), backends: Vec::new() });
    followed.put_deployment(&deployment);
    assert_eq!(followed.table.len(), 2);
    let held = deployment.stop(deployment.created_at);
    assert_eq!(held.random.len(), 1);
    followed.put_deployment(&deployment);
    assert!(followed.table.is_empty());
    let world = &followed.world;
    assert!(world.deployments.is_empty() && world.names.is_empty() && world.leases.is_empty());
}

#[test]
fn a_record_that_cannot_be_read_leaves_what_was_known() {
    let mut followed = Followed::new();
    let route = samples::static_route("shop");
    followed.put_route(&route);
    let place = Place::of("project/p/static-route/shop".split('/').map(Cow::from)).unwrap();
    let mut touched = BTreeSet::new();
    assert!(followed.world.apply(&place, Some(b"{}"), &mut touched).is_err());
    assert!(touched.is_empty() && routes_of(&followed.world) == followed.table);
    assert_eq!(
        route_of(&followed.world, &route.label.as_label(), &domains()[1]).as_ref(),
        followed.table.get("shop.ep-r.localhost")
    );
    assert_eq!(
        route_of(&followed.world, &route.label.as_label(), &Hostname::parse("other.io").unwrap()),
        None
    );
}

/// One change of some record.
#[derive(Debug, Clone)]
enum Step {
    Deploy {
        n: u8,
        backends: Vec<(u8, bool)>,
        reported: Option<(u8, Vec<(u8, bool)>)>,
        h2c: bool,
    },
    /// In one commit, of which records come in any order: those of `routes` lead here, others do not.
    Update {
        n: u8,
        renamed: bool,
        routes: [bool; 4],
        routes_first: bool,
    },
    Stop(u8),
    Bind {
        route: u8,
        to: u8,
    },
    Unbind(u8),
    DeleteRoute(u8),
    Lease {
        n: u8,
        lapsed: bool,
    },
    CloseLease(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let backends = || prop::collection::vec((0_u8..4, any::<bool>()), 0..3);
    prop_oneof![
        3 => (0_u8..4, backends(), prop::option::of((0_u8..3, backends())), any::<bool>())
            .prop_map(|(n, backends, reported, h2c)| Step::Deploy { n, backends, reported, h2c }),
        3 => (0_u8..4, any::<bool>(), any::<[bool; 4]>(), any::<bool>()).prop_map(
            |(n, renamed, routes, routes_first)| Step::Update { n, renamed, routes, routes_first }
        ),
        1 => (0_u8..4).prop_map(Step::Stop),
        3 => (0_u8..4, 0_u8..4).prop_map(|(route, to)| Step::Bind { route, to }),
        1 => (0_u8..4).prop_map(Step::Unbind),
        1 => (0_u8..4).prop_map(Step::DeleteRoute),
        2 => (0_u8..3, any::<bool>()).prop_map(|(n, lapsed)| Step::Lease { n, lapsed }),
        1 => (0_u8..3).prop_map(Step::CloseLease),
    ]
}

/// What an update of `to` does with a static route: takes it, from wherever it is, or gives it up.
fn update_route(followed: &mut Followed, to: &Deployment, name: &str, leads_here: bool) {
    let label = StaticRouteLabel::parse(name).unwrap();
    let known = followed.routes.get(&label).cloned();
    if leads_here {
        let mut route = known.unwrap_or_else(|| samples::static_route(name));
        route.bind(to.bound_to(&to.endpoints[0].name).unwrap(), route.created_at);
        followed.put_route(&route);
    } else if let Some(mut route) = known
        && route.bound_to.as_ref().is_some_and(|bound| bound.deployment == to.guid)
    {
        route.unbind(route.created_at);
        followed.put_route(&route);
    }
}

fn take(followed: &mut Followed, step: &Step) {
    let stored = |list: &[(u8, bool)]| {
        list.iter().map(|(n, healthy)| backend(&format!("10.0.0.{n}:80"), *healthy)).collect::<Vec<_>>()
    };
    match step {
        Step::Deploy { n, backends, reported, h2c } => {
            let mut record = samples::web_deployment(*n, "10.0.0.9:80");
            record.endpoints[0].fixed = stored(backends);
            record.endpoints[0].reported = reported
                .as_ref()
                .map(|(lease, list)| Reported { lease: samples::lease(*lease).id, backends: stored(list) });
            if let crate::domain::package::EndpointKind::External { backend_protocol, .. } =
                &mut record.endpoints[0].kind
            {
                *backend_protocol = if *h2c { BackendProtocol::H2c } else { BackendProtocol::Http1 };
            }
            followed.put_deployment(&record);
        }
        Step::Update { n, renamed, routes, routes_first } => {
            let record = samples::updated_deployment(*n, *renamed);
            if !routes_first {
                followed.put_deployment(&record);
            }
            for (route, leads_here) in routes.iter().enumerate() {
                update_route(followed, &record, &format!("route-{route}"), *leads_here);
            }
            followed.put_deployment(&record);
        }
        Step::Stop(n) => {
            let mut record = samples::web_deployment(*n, "10.0.0.9:80");
            record.stop(record.created_at);
            followed.put_deployment(&record);
        }
        Step::Bind { route, to } => {
            let mut record = samples::static_route(&format!("route-{route}"));
            let deployment = samples::web_deployment(*to, "10.0.0.9:80");
            record.bind(deployment.bound_to(&samples::web()).unwrap(), record.created_at);
            followed.put_route(&record);
        }
        Step::Unbind(route) => {
            let label = StaticRouteLabel::parse(&format!("route-{route}")).unwrap();
            if let Some(mut record) = followed.routes.get(&label).cloned() {
                record.unbind(record.created_at);
                followed.put_route(&record);
            }
        }
        Step::DeleteRoute(route) => {
            let label = StaticRouteLabel::parse(&format!("route-{route}")).unwrap();
            followed.routes.remove(&label);
            followed.follow(&Place::StaticRoute(label.as_label()), None);
        }
        Step::Lease { n, lapsed } => {
            followed.put_lease(&Lease { lapsed: *lapsed, ..samples::lease(*n) });
        }
        Step::CloseLease(n) => {
            followed.close_lease(&samples::lease(*n).id);
        }
    }
}

proptest! {
    /// Whatever happens in whatever order: the table kept by what was touched, the whole table that
    /// follows from the world, and the one thought out from the records are the same.
    #[test]
    fn incremental_equals_whole_equals_naive(steps in prop::collection::vec(step(), 0..40)) {
        let mut followed = Followed::new();
        for step in &steps {
            take(&mut followed, step);
            prop_assert_eq!(&followed.table, &followed.naive());
        }
        prop_assert_eq!(routes_of(&followed.world), followed.table);
    }
}

#[test]
fn a_binding_to_an_endpoint_that_is_not_there_is_unbound() {
    let mut followed = Followed::new();
    let deployment = samples::web_deployment(1, "10.0.0.1:80");
    let mut route = samples::static_route("shop");
    route.bound_to = Some(BoundTo {
        endpoint: crate::domain::EndpointName::parse("OTHER").unwrap(),
        ..deployment.bound_to(&samples::web()).unwrap()
    });
    followed.put_deployment(&deployment);
    followed.put_route(&route);
    assert_eq!(followed.target("shop.ep-r.io"), &Target::Unbound { last: Some(EdgeProtocol::Http) });
}
