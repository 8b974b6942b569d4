use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use proto::{
    Backend, BackendProtocol, Binding, DeploymentId, EdgeProtocol, EndpointName, Epoch, Hostname, ProjectId,
    Route, SourceRanges, Target,
};

use super::*;
use crate::per_worker::WorkerId;

pub(crate) fn unbound(name: &str) -> Route {
    Route {
        hostname: Hostname::parse(name).unwrap(),
        project: ProjectId::parse("project-a").unwrap(),
        target: Target::Unbound { last: Some(EdgeProtocol::Https) },
        sources: SourceRanges::everyone(),
    }
}

pub(crate) fn bound(name: &str, deployment: &str, backends: &[&str]) -> Route {
    let backend = |address: &&str| Backend { address: address.parse().unwrap(), healthy: true };
    Route {
        target: Target::Bound(Binding {
            deployment: DeploymentId::parse(deployment).unwrap(),
            endpoint: EndpointName::parse("WEB").unwrap(),
            protocol: EdgeProtocol::Https,
            backend_protocol: BackendProtocol::Http1,
            backends: backends.iter().map(backend).collect(),
        }),
        ..unbound(name)
    }
}

pub(crate) fn snapshot(number: u64, upserts: Vec<Route>) -> RouteUpdate {
    RouteUpdate { revision: Revision::new(Epoch(1), number), base: None, upserts, removals: Vec::new() }
}

pub(crate) fn delta(number: u64, upserts: Vec<Route>, removals: &[&str]) -> RouteUpdate {
    let removals = removals.iter().map(|name| Hostname::parse(name).unwrap()).collect();
    let base = Some(Revision::new(Epoch(1), number - 1));
    RouteUpdate { base, removals, ..snapshot(number, upserts) }
}

fn only(text: &str) -> SourceRanges {
    [SourceRanges::parse_one(text).unwrap()].into_iter().collect()
}

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

#[test]
fn what_an_update_does_not_change_stays_the_very_object() {
    let routes = Routes::new();
    let mut reader = routes.reader();
    let a = bound("a.x", "dep-a", &["10.0.0.1:80"]);
    routes.apply(snapshot(1, vec![a.clone(), bound("b.x", "dep-b", &["10.0.0.2:80"])])).unwrap();
    let (a1, b1) = (reader.get("a.x").unwrap(), reader.get("b.x").unwrap());
    routes.apply(delta(2, vec![bound("b.x", "dep-c", &["10.0.0.3:80"])], &[])).unwrap();
    assert!(Arc::ptr_eq(&a1, &reader.get("a.x").unwrap()));
    assert!(!Arc::ptr_eq(&b1, &reader.get("b.x").unwrap()));
    routes.apply(snapshot(3, vec![a])).unwrap();
    assert!(Arc::ptr_eq(&a1, &reader.get("a.x").unwrap()), "a whole table too keeps what is the same");
    assert!(reader.get("b.x").is_none());
}

#[test]
fn counts_and_upstreams_outlive_a_change_of_the_route() {
    let routes = Routes::new();
    let mut reader = routes.reader();
    let worker = WorkerId::all(2).next().unwrap();
    routes.apply(snapshot(1, vec![bound("a.x", "dep-a", &["10.0.0.1:80"])])).unwrap();
    let before = reader.get("a.x").unwrap();
    let closed = Route { sources: only("10.0.0.0/8"), ..bound("a.x", "dep-a", &["10.0.0.1:80"]) };
    routes.apply(delta(2, vec![closed], &[])).unwrap();
    before.counters(worker).requests.add(3);
    let after = reader.get("a.x").unwrap();
    after.counters(worker).requests.inc();
    assert_eq!((before.totals().requests, after.totals().requests), (4, 4));
    assert!(Arc::ptr_eq(&before.backends[0], &after.backends[0]));
}

#[test]
fn an_update_that_does_not_fit_changes_nothing() {
    let routes = Routes::new();
    let held = Revision::new(Epoch(1), 5);
    assert!(matches!(routes.apply(delta(5, vec![], &[])), Err(ApplyError::Base { held: None, .. })));
    routes.apply(snapshot(5, vec![unbound("a.x")])).unwrap();
    let late = delta(5, vec![unbound("b.x")], &[]);
    assert!(matches!(routes.apply(late.clone()), Err(ApplyError::Base { .. })));
    let backwards = RouteUpdate { base: Some(held), ..late };
    assert!(matches!(routes.apply(backwards), Err(ApplyError::Backwards { .. })));
    let twice = delta(6, vec![unbound("b.x")], &["b.x"]);
    assert_eq!(routes.apply(twice), Err(ApplyError::Repeated(Hostname::parse("b.x").unwrap())));
    assert_eq!((routes.revision(), routes.len()), (Some(held), 1));
    let restored = RouteUpdate { revision: Revision::new(Epoch(2), 1), ..snapshot(1, vec![]) };
    routes.apply(restored).unwrap();
    assert!(routes.is_empty());
    let next = Revision::new(Epoch(3), 2);
    let leads_on = RouteUpdate {
        revision: next,
        base: Some(Revision::new(Epoch(2), 1)),
        ..delta(2, vec![unbound("b.x")], &[])
    };
    routes.apply(leads_on).unwrap();
    assert_eq!((routes.revision(), routes.len()), (Some(next), 1), "the first commit after a start");
}

#[test]
fn old_versions_are_freed_by_the_writer_alone() {
    let routes = Routes::new();
    let mut reader = routes.reader();
    routes.apply(snapshot(1, vec![unbound("a.x")])).unwrap();
    let old = Arc::downgrade(reader.table());
    routes.apply(delta(2, vec![unbound("b.x")], &[])).unwrap();
    reader.refresh();
    assert_eq!(old.strong_count(), 1, "the reader has let it go, the writer has not");
    routes.free();
    assert_eq!(old.strong_count(), 0);
}

#[test]
fn what_is_asked_for_again_is_remembered_until_its_route_changes() {
    let routes = Routes::new();
    let mut reader = routes.reader();
    let is_remembered = |reader: &Reader, name: &str| {
        let table = routes.table();
        reader.hot.find(table.generation, table.hasher.hash(name), name).is_some()
    };
    routes.apply(snapshot(1, vec![unbound("a.x"), unbound("b.x")])).unwrap();
    for name in ["a.x", "a.x", "b.x", "b.x"] {
        reader.look_up(name).unwrap();
    }
    assert!(is_remembered(&reader, "a.x") && is_remembered(&reader, "b.x"));
    routes.apply(delta(2, vec![bound("b.x", "dep-b", &[])], &[])).unwrap();
    assert!(is_remembered(&reader, "a.x") && !is_remembered(&reader, "b.x"));
    assert!(reader.look_up("b.x").unwrap().binding().is_some());
    routes.apply(snapshot(3, vec![unbound("b.x")])).unwrap();
    assert!(!is_remembered(&reader, "a.x") && reader.look_up("a.x").is_none());
}

#[test]
fn a_reader_lets_go_of_routes_that_are_no_more() {
    let routes = Routes::new();
    let mut reader = routes.reader();
    routes.apply(snapshot(1, vec![unbound("a.x")])).unwrap();
    let entry = Arc::downgrade(reader.look_up("a.x").unwrap());
    reader.look_up("a.x").unwrap();
    routes.apply(delta(2, vec![], &["a.x"])).unwrap();
    reader.refresh();
    routes.free();
    assert_eq!(entry.strong_count(), 0);
}

#[test]
fn a_recent_answer_is_asked_again_when_name_or_route_changed() {
    let routes = Routes::new();
    let (mut reader, mut recent) = (routes.reader(), Recent::default());
    assert!(reader.get_recent(&mut recent, "a.x").is_none());
    routes.apply(snapshot(1, vec![unbound("a.x"), unbound("b.x")])).unwrap();
    assert_eq!(reader.get_recent(&mut recent, "a.x").unwrap().route.hostname.as_str(), "a.x");
    assert_eq!(reader.get_recent(&mut recent, "b.x").unwrap().route.hostname.as_str(), "b.x");
    routes.apply(delta(2, vec![], &["b.x"])).unwrap();
    assert!(reader.get_recent(&mut recent, "b.x").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_hears_of_a_move_and_of_being_forbidden_and_of_nothing_else() {
    let routes = Routes::new();
    routes.apply(snapshot(1, vec![bound("a.x", "dep-a", &["10.0.0.1:80"]), unbound("b.x")])).unwrap();
    let entry = routes.reader().get("a.x").unwrap();
    let mut watch = routes.watch(&entry);
    let quiet = |result: Result<TunnelEnd, _>| assert!(result.is_err(), "{result:?}");
    let a_second = std::time::Duration::from_secs(1);

    routes.apply(delta(2, vec![bound("b.x", "dep-b", &[])], &[])).unwrap();
    routes.apply(delta(3, vec![bound("a.x", "dep-a", &["10.0.0.9:80"])], &[])).unwrap();
    quiet(tokio::time::timeout(a_second, watch.ended(CLIENT)).await);

    routes.apply(delta(4, vec![unbound("a.x")], &[])).unwrap();
    assert_eq!(watch.ended(CLIENT).await, TunnelEnd::Moved);
    routes.apply(delta(5, vec![bound("a.x", "dep-c", &[])], &[])).unwrap();
    quiet(tokio::time::timeout(a_second, watch.ended(CLIENT)).await);
    let closed = Route { sources: only("198.51.100.0/24"), ..unbound("a.x") };
    routes.apply(delta(6, vec![closed], &[])).unwrap();
    assert_eq!(watch.ended(CLIENT).await, TunnelEnd::Forbidden);
}

#[tokio::test(start_paused = true)]
async fn a_watch_begun_late_hears_what_it_missed() {
    let routes = Routes::new();
    let a = || bound("a.x", "dep-a", &["10.0.0.1:80"]);
    routes.apply(snapshot(1, vec![a()])).unwrap();
    let entry = routes.reader().get("a.x").unwrap();
    routes.apply(delta(2, vec![bound("a.x", "dep-b", &[])], &[])).unwrap();
    assert_eq!(routes.watch(&entry).ended(CLIENT).await, TunnelEnd::Moved);
    // Removed and made again: another route, though it looks the same.
    routes.apply(delta(3, vec![], &["a.x"])).unwrap();
    routes.apply(delta(4, vec![a()], &[])).unwrap();
    assert_eq!(routes.watch(&entry).ended(CLIENT).await, TunnelEnd::Moved);
}

#[tokio::test]
async fn a_whole_table_without_the_route_ends_its_tunnels() {
    let routes = Routes::new();
    routes.apply(snapshot(1, vec![bound("a.x", "dep-a", &["10.0.0.1:80"])])).unwrap();
    let entry = routes.reader().get("a.x").unwrap();
    let mut watch = routes.watch(&entry);
    routes.apply(snapshot(2, vec![unbound("b.x")])).unwrap();
    assert_eq!(watch.ended(CLIENT).await, TunnelEnd::Moved);
}

/// Every revision gives each of a hundred names the same deployment. A reader that saw two of them in
/// one version would have seen half a revision.
#[test]
fn a_reader_never_sees_half_a_revision() {
    let routes = Routes::new();
    let names: Vec<String> = (0..100).map(|n| format!("n{n}.x")).collect();
    let all = |number: u64| {
        names.iter().map(|name| bound(name, &format!("dep-{number}"), &["10.0.0.1:80"])).collect::<Vec<_>>()
    };
    routes.apply(snapshot(1, all(1))).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| read_until(&done, &mut routes.reader(), &names));
        }
        for number in 2..300 {
            let update = match number % 50 {
                0 => snapshot(number, all(number)),
                _ => delta(number, all(number), &[]),
            };
            routes.apply(update).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}

fn read_until(done: &AtomicBool, reader: &mut Reader, names: &[String]) {
    let mut newest = 0;
    while !done.load(Ordering::Relaxed) {
        // What is looked up by itself, and by now is in the cache, is never older than what was seen before.
        for name in names {
            let bound = reader.look_up(name).unwrap().binding().unwrap();
            let number = bound.deployment.as_str().trim_start_matches("dep-").parse().unwrap();
            assert!(number >= newest, "{number} after {newest}");
            newest = number;
        }
        let table = reader.table();
        let deployments: std::collections::HashSet<_> =
            names.iter().map(|name| table.get(name).unwrap().binding().unwrap().deployment.clone()).collect();
        assert_eq!(deployments.len(), 1, "{deployments:?} at {:?}", table.revision());
    }
}

/// Watches begun while updates race with them: none misses the move.
#[test]
fn no_watch_misses_a_move() {
    let routes = Routes::new();
    for round in 0..2000 {
        routes.apply(snapshot(1, vec![bound("a.x", "dep-a", &["10.0.0.1:80"])])).unwrap();
        let entry = routes.reader().get("a.x").unwrap();
        let mut watch = std::thread::scope(|scope| {
            let begun = scope.spawn(|| routes.watch(&entry));
            let moved = vec![unbound("a.x")];
            routes.apply(if round % 2 == 0 { delta(2, moved, &[]) } else { snapshot(2, moved) }).unwrap();
            begun.join().unwrap()
        });
        let mut ended = std::pin::pin!(watch.ended(CLIENT));
        let now = ended.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        assert_eq!(now, std::task::Poll::Ready(TunnelEnd::Moved), "round {round}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// After any history of deltas and whole tables the table is what a sorted map is.
    #[test]
    fn agrees_with_a_naive_model(
        seed in any::<u64>(),
        history in prop::collection::vec(
            (prop::bool::weighted(0.1),
             prop::collection::btree_map(0_u16..300, prop::option::of(0_u8..6), 0..150)), 1..20),
    ) {
        let routes = Routes::with_seed(seed);
        let mut reader = routes.reader();
        let mut model = BTreeMap::new();
        let name = |n: u16| format!("n{n}.ep-r.io");
        for (number, (whole, changes)) in (1..).zip(history) {
            let whole = whole || number == 1;
            if whole {
                model.clear();
            }
            let mut update = snapshot(number, Vec::new());
            update.base = (!whole).then(|| Revision::new(Epoch(1), number - 1));
            for (n, change) in changes {
                match change {
                    Some(d) => {
                        let route = bound(&name(n), &format!("dep-{d}"), &["10.0.0.1:80"]);
                        model.insert(name(n), route.clone());
                        update.upserts.push(route);
                    }
                    None if whole => {}
                    None => {
                        model.remove(&name(n));
                        update.removals.push(Hostname::parse(&name(n)).unwrap());
                    }
                }
            }
            routes.apply(update).unwrap();
            prop_assert_eq!(routes.len(), model.len());
            for n in 0..300 {
                // The first miss is noted, the second lets the name into the cache, the third finds it there.
                for _ in 0..3 {
                    let found = reader.look_up(&name(n)).map(|entry| entry.route.clone());
                    prop_assert_eq!(found.as_ref(), model.get(&name(n)));
                }
            }
        }
        let mut paged = Vec::new();
        while let page = reader.table().page(paged.last(), 7) && !page.is_empty() {
            paged.extend(page.iter().map(|entry| entry.route.hostname.clone()));
        }
        paged.sort();
        prop_assert!(paged.iter().map(Hostname::as_str).eq(model.keys().map(String::as_str)));
    }
}
