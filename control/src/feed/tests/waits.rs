use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proto::{Epoch, Hostname, Revision, Target};

use super::super::fleet::{Fleet, FleetLimits};
use super::super::{FeedLimits, Lagging, ProxyId};
use super::stage::{Stage, patient};

const LONG: Duration = Duration::from_secs(600);

fn id(name: &str) -> ProxyId {
    ProxyId::parse(name).unwrap()
}

#[tokio::test]
async fn a_wait_ends_when_every_proxy_has_acknowledged() {
    let stage = Stage::with(patient(), &[]).await;
    let mut proxies = [stage.proxy("edge-2", None).await, stage.proxy("edge-1", None).await];
    for proxy in &mut proxies {
        proxy.table().await;
    }
    let revision = stage.put_route("route-a").await;
    let follow = async {
        for proxy in &mut proxies {
            let (_, delta) = proxy.delta().await;
            proxy.ack(delta.revision).await;
        }
    };
    let (receipt, ()) = tokio::join!(stage.feed.wait_applied(revision, LONG), follow);
    assert_eq!((receipt.revision, receipt.applied_by), (revision, vec![id("edge-1"), id("edge-2")]));
    assert_eq!(receipt.lagging, []);
}

#[tokio::test]
async fn with_no_proxy_there_is_nothing_to_wait_for() {
    let stage = Stage::with(patient(), &[]).await;
    let mut gone = stage.proxy("gone", None).await;
    gone.table().await;
    drop(gone);
    stage.fleet_until(|proxies| (!proxies[0].connected).then_some(())).await;
    let receipt = stage.feed.wait_applied(Revision::new(Epoch(7), 99), LONG).await;
    assert!(receipt.applied_by.is_empty() && receipt.lagging.is_empty());
}

#[tokio::test]
async fn a_commit_that_changes_no_route_is_applied_by_those_who_have_what_was_before() {
    let stage = Stage::with(patient(), &["route-a"]).await;
    let mut proxy = stage.proxy("edge-1", None).await;
    let at = proxy.table().await.revision;
    let other = stage.put_other().await;
    let acknowledge = async { proxy.ack(at).await };
    let (receipt, ()) = tokio::join!(stage.feed.wait_applied(other, LONG), acknowledge);
    assert_eq!(receipt.applied_by, [id("edge-1")]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_runs_out_tells_who_lags_and_why() {
    // A proxy that is silent and one that refuses; the first table came to neither's liking.
    let stage = Stage::with(FeedLimits::default(), &[]).await;
    let mut slow = stage.proxy("slow", None).await;
    let mut picky = stage.proxy("picky", None).await;
    let start = slow.table().await.revision;
    slow.ack(start).await;
    picky.table().await;
    let revision = stage.put_route("route-a").await;
    picky.nack(revision, "no such route").await;
    stage.fleet_until(|proxies| proxies.iter().find_map(|p| p.nack.clone())).await;
    stage.fleet_until(|proxies| proxies.iter().find_map(|p| p.applied)).await;
    let receipt = stage.feed.wait_applied(revision, Duration::from_secs(5)).await;
    assert_eq!(receipt.applied_by, []);
    let expected = [
        Lagging { proxy: id("picky"), at: None, nack: Some("no such route".into()) },
        Lagging { proxy: id("slow"), at: Some(start), nack: None },
    ];
    assert_eq!(receipt.lagging, expected);
}

#[tokio::test]
async fn routes_are_told_as_the_edge_has_them() {
    let stage = Stage::with(patient(), &["route-a", "route-b"]).await;
    let (revision, deployment) = stage.put_deployment(1, "10.0.0.1:80").await;
    stage.feed.wait_taken_in(revision).await;
    let page = stage.feed.routes(None, None, 2);
    assert_eq!((page.routes.len(), page.revision), (2, revision));
    let rest = stage.feed.routes(Some(&deployment.project), page.next.as_ref(), 2);
    assert_eq!((rest.routes.len(), rest.next), (1, None));
    let label = deployment.endpoints[0].random.clone().unwrap();
    let random = stage.feed.route(&Hostname::parse(&format!("{label}.ep-r.io")).unwrap()).unwrap();
    assert!(matches!(random.target, Target::Bound(binding) if binding.backends.len() == 1));
    assert_eq!(stage.feed.route(&Hostname::parse("route-x.ep-r.io").unwrap()), None);
    let nobody = proto::ProjectId::parse("project-other").unwrap();
    assert!(stage.feed.routes(Some(&nobody), None, 2).routes.is_empty());
}

#[tokio::test]
async fn a_page_of_routes_looks_at_so_many_and_no_more() {
    let limits = FeedLimits { page_looks_at: 2, ..patient() };
    let names = ["route-a", "route-b", "route-c", "route-d", "route-e"];
    let stage = Stage::with(limits, &names).await;
    let nobody = proto::ProjectId::parse("project-other").unwrap();
    let first = stage.feed.routes(Some(&nobody), None, 10);
    assert_eq!((first.routes.len(), first.next.as_ref().unwrap().as_str()), (0, "route-b.ep-r.io"));
    let second = stage.feed.routes(Some(&nobody), first.next.as_ref(), 10);
    assert_eq!((second.routes.len(), second.next.as_ref().unwrap().as_str()), (0, "route-d.ep-r.io"));
    assert_eq!(stage.feed.routes(Some(&nobody), second.next.as_ref(), 10).next, None);

    let (mut seen, mut next) = (Vec::new(), None);
    loop {
        let page = stage.feed.routes(Some(&crate::domain::built_in_project()), next.as_ref(), 1);
        seen.extend(page.routes.into_iter().map(|route| route.hostname.to_string()));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(seen, names.map(|name| format!("{name}.ep-r.io")));
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_has_gone_is_remembered_for_a_while() {
    let limits = FleetLimits { proxies: 10, remembered: Duration::from_secs(60) };
    let fleet = Fleet::new(Arc::new(|| SystemTime::UNIX_EPOCH), limits);
    let first = fleet.join(id("edge-1"), "1".into(), None, None).unwrap();
    fleet.ack(&first, Revision::new(Epoch(1), 5));
    let second = fleet.join(id("edge-1"), "2".into(), None, None).unwrap();
    assert!(first.taken_over.is_cancelled() && !second.taken_over.is_cancelled());
    fleet.leave(&first);
    let known = fleet.all();
    assert!(known[0].connected && known[0].version == "2", "a stream that was taken over says nothing");

    fleet.leave(&second);
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(fleet.all().iter().all(|proxy| !proxy.connected) && fleet.connected().is_empty());
    assert_eq!(fleet.all().len(), 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(fleet.all().is_empty());
}
