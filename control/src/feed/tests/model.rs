use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message as _;
use proto::wire::{self, follow_response::Message};
use proto::{Epoch, Hostname, Revision, Route, RouteUpdate};

use super::super::frame::Frame;
use super::super::projection::Projection;
use super::super::published::{DeltaLimits, Next, Position, Published};
use super::super::table::Table;
use crate::domain::deployment::Reported;
use crate::domain::record::encode;
use crate::domain::{Deployment, Lease, Place, World, built_in_project, routes_of, samples};
use crate::service::keys;
use crate::store::{Change, Commit, Key};

fn domains() -> Vec<Hostname> {
    ["ep-r.io", "ep-r.localhost"].map(|name| Hostname::parse(name).unwrap()).into()
}

/// A change of some record: which, and what becomes of it.
type Step = (u8, u8, u8);

fn step() -> impl Strategy<Value = Step> {
    (0..10_u8, 0..3_u8, 0..4_u8)
}

fn deployment(n: u8, variant: u8) -> Deployment {
    let mut record = samples::web_deployment(n, &format!("10.0.0.{}:80", variant + 1));
    if variant > 1 {
        let (lease, backends) = (samples::lease(n).id, record.endpoints[0].fixed.clone());
        record.endpoints[0].reported = Some(Reported { lease, backends });
        record.endpoints[0].fixed.clear();
    }
    record
}

/// An update that takes one static route and gives another up, all in one commit.
fn update(n: u8, variant: u8) -> Vec<Change> {
    let project = built_in_project();
    let record = samples::updated_deployment(n, variant > 1);
    let mut taken = samples::static_route(&format!("route-{}", variant % 3));
    taken.bind(record.bound_to(&record.endpoints[0].name).unwrap(), taken.created_at);
    let mut given_up = samples::static_route(&format!("route-{}", (variant + 1) % 3));
    given_up.bind(record.bound_to(&record.endpoints[0].name).unwrap(), given_up.created_at);
    given_up.unbind(given_up.created_at);
    let routes = [taken, given_up].map(|route| Change {
        key: keys::static_route(&project, &route.label),
        value: Some(encode("static route", &route).unwrap().into()),
    });
    let value = Some(encode("deployment", &record).unwrap().into());
    let mut changes = vec![Change { key: keys::deployment(&project, &record.guid), value }];
    changes.extend(routes);
    changes
}

fn changes_of(step: Step) -> Vec<Change> {
    match step {
        (8.., n, variant) => update(n, variant),
        other => vec![change(other)],
    }
}

fn change((kind, n, variant): Step) -> Change {
    let project = built_in_project();
    let put = |key: Key, value: Vec<u8>| Change { key, value: Some(value.into()) };
    let lease = samples::lease(n);
    let route = samples::static_route(&format!("route-{n}"));
    let route_key = keys::static_route(&project, &route.label);
    match kind {
        0 | 1 => {
            let record = deployment(n, variant);
            put(keys::deployment(&project, &record.guid), encode("deployment", &record).unwrap())
        }
        2 => {
            let mut record = deployment(n, variant);
            record.stop(record.created_at);
            put(keys::deployment(&project, &record.guid), encode("deployment", &record).unwrap())
        }
        3 | 4 => {
            let mut route = route;
            if variant > 0 {
                let to = deployment(variant - 1, 0);
                route.bind(to.bound_to(&samples::web()).unwrap(), route.created_at);
            }
            put(route_key, encode("static route", &route).unwrap())
        }
        5 => Change { key: route_key, value: None },
        6 => {
            let key = keys::lease(&project, &lease.id);
            let lapsed = Lease { lapsed: variant > 1, ..lease };
            if variant == 0 {
                Change { key, value: None }
            } else {
                put(key, encode("lease", &lapsed).unwrap())
            }
        }
        // What no route depends on, and what cannot be read.
        _ if variant > 1 => put(Key::of(["token", &n.to_string()]), b"{}".to_vec()),
        _ => put(Key::of(["project", "p", "static-route", "broken-record"]), b"broken".to_vec()),
    }
}

/// A proxy that follows, not always at once, and judges as a real one does.
struct Proxy {
    table: BTreeMap<Hostname, Route>,
    at: Revision,
    position: Position,
    tables_taken: usize,
}

impl Proxy {
    fn catch_up(&mut self, published: &Published) {
        loop {
            match published.next(self.position) {
                Next::Wait => return,
                Next::TakeTable => {
                    let (table, revision, position) = published.snapshot();
                    let routes = table.after(None).map(|route| route.decode().unwrap());
                    self.table = routes.map(|route| (route.hostname.clone(), route)).collect();
                    (self.at, self.position) = (revision, position);
                    self.tables_taken += 1;
                }
                Next::Send(frame, next) => {
                    self.apply(frame);
                    self.position = next;
                }
            }
        }
    }

    fn apply(&mut self, Frame(bytes): Frame) {
        let Some(Message::Delta(delta)) = wire::FollowResponse::decode(bytes).unwrap().message else {
            panic!("not a delta");
        };
        let update = RouteUpdate::try_from(delta).unwrap();
        assert_eq!(update.base, Some(self.at));
        for route in update.upserts {
            let name = route.hostname.clone();
            let old = self.table.insert(name, route.clone());
            assert_ne!(old, Some(route), "only what has changed is sent");
        }
        for name in update.removals {
            assert!(self.table.remove(&name).is_some(), "only what is there is removed");
        }
        self.at = update.revision;
    }
}

fn from_the_start(stored: &BTreeMap<Key, Bytes>) -> (Projection, Table) {
    let mut projection = Projection::new(&domains());
    for (key, value) in stored {
        projection.learn(key, Some(value));
    }
    let table = projection.table();
    (projection, table)
}

/// The whole table that follows from what is stored.
fn whole(stored: &BTreeMap<Key, Bytes>) -> BTreeMap<Hostname, Route> {
    let mut world = World::new(domains());
    for (key, value) in stored {
        if let Some(place) = Place::of(key.parts()) {
            let _ = world.apply(&place, Some(value), &mut BTreeSet::new());
        }
    }
    routes_of(&world)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    /// Whatever is committed, in whatever portions it is taken in, however far a proxy falls behind:
    /// what it has is the whole table that follows from the store.
    #[test]
    fn incremental_is_whole_for_everyone_who_follows(
        history in prop::collection::vec((prop::collection::vec(step(), 0..4), any::<[bool; 3]>()), 1..30),
    ) {
        let at = |number| Revision::new(Epoch(1), number);
        let limits = DeltaLimits { count: 3, bytes: 2_000, one: 900 };
        let mut stored: BTreeMap<Key, Bytes> = BTreeMap::new();
        let (mut projection, table) = from_the_start(&stored);
        let mut published = Published::new(table, at(0), limits);
        let position = published.position(at(0)).unwrap();
        let mut proxy = Proxy { table: BTreeMap::new(), at: at(0), position, tables_taken: 0 };
        let mut waiting = Vec::new();
        let mut number = 0;
        for (steps, [take_in, settle, catch_up]) in history {
            let mut changes: BTreeMap<Key, Change> = BTreeMap::new();
            for change in steps.into_iter().flat_map(changes_of) {
                changes.insert(change.key.clone(), change);
            }
            for Change { key, value } in changes.values() {
                match value {
                    Some(value) => stored.insert(key.clone(), value.clone()),
                    None => stored.remove(key),
                };
            }
            number += 1;
            waiting.push(Commit { revision: at(number), changes: changes.into_values().collect() });
            if take_in {
                let standings = projection.apply(&waiting);
                published.advance(standings, at(number));
                waiting.clear();
            }
            if settle {
                published.settle();
            }
            if catch_up {
                proxy.catch_up(&published);
            }
        }
        published.advance(projection.apply(&waiting), at(number));
        published.settle();
        proxy.catch_up(&published);
        prop_assert_eq!(&proxy.table, &whole(&stored));
        prop_assert_eq!(proxy.at, at(number));

        let (_, anew) = from_the_start(&stored);
        prop_assert!(anew.after(None).eq(published.table().after(None)), "a start makes the same table");
    }
}
