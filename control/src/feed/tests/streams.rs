use std::time::Duration;

use proto::wire::follow_request::Message as Say;
use proto::wire::{self};
use proto::{Epoch, Revision};
use tokio::time::Instant;
use tonic::Code;

use super::super::FeedLimits;
use super::stage::{Stage, patient};

#[tokio::test]
async fn a_new_proxy_gets_the_table_in_chunks_then_deltas() {
    let limits = FeedLimits { chunk_routes: 2, ..patient() };
    let stage = Stage::with(limits, &["route-a", "route-c", "route-b"]).await;
    let mut proxy = stage.proxy("edge-1", None).await;
    let sent = proxy.table().await;
    assert_eq!(sent.names, ["route-a.ep-r.io", "route-b.ep-r.io", "route-c.ep-r.io"]);
    assert_eq!(sent.revision, stage.feed.revision());

    let revision = stage.put_route("route-d").await;
    let (base, delta) = proxy.delta().await;
    assert_eq!(
        (base, delta.revision, delta.names),
        (sent.revision, revision, vec!["route-d.ep-r.io".into()])
    );
}

#[tokio::test]
async fn who_holds_a_known_revision_gets_only_what_is_missing() {
    let stage = Stage::with(patient(), &["route-a"]).await;
    let held = stage.feed.revision();
    let next = stage.put_route("route-b").await;
    stage.feed.wait_taken_in(next).await;
    let mut behind = stage.proxy("behind", Some(held)).await;
    assert_eq!(behind.delta().await.1.names, ["route-b.ep-r.io"]);
    let mut current = stage.proxy("current", Some(next)).await;
    // Both are at the same place now.
    let last = stage.put_route("route-c").await;
    for proxy in [&mut behind, &mut current] {
        let (base, delta) = proxy.delta().await;
        assert_eq!((base, delta.revision), (next, last));
    }
    for unknown in [Revision::new(Epoch(6), 1), Revision::new(Epoch(7), 99)] {
        let mut proxy = stage.proxy("other-life", Some(unknown)).await;
        assert_eq!(proxy.table().await.names.len(), 3);
    }
}

#[tokio::test]
async fn other_base_domains_are_another_revision() {
    let mut stage = Stage::with(patient(), &["route-a"]).await;
    let held = stage.feed.revision();
    stage.reopen("ep-r.io").await;
    assert_eq!(stage.feed.revision(), held, "the same table is the same revision");
    stage.reopen("other.io").await;
    let mut proxy = stage.proxy("edge-1", Some(held)).await;
    let sent = proxy.table().await;
    assert_eq!(sent.names, ["route-a.other.io"]);
    assert!(sent.revision > held);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_answered_by_the_table_and_repeated_ones_less_and_less_often() {
    let stage = Stage::with(FeedLimits::default(), &["route-a"]).await;
    let mut proxy = stage.proxy("edge-1", None).await;
    let first = proxy.table().await;
    let mut waits = Vec::new();
    for _ in 0..7 {
        let refused = Instant::now();
        proxy.nack(first.revision, "route-a is poisonous").await;
        assert_eq!(proxy.table().await, first);
        waits.push(refused.elapsed());
    }
    // Paused time runs on only when nobody has anything to do: the waits are at least these.
    for (waited, least) in waits.iter().zip([0, 1, 2, 4, 8, 15, 15]) {
        assert!(*waited >= Duration::from_secs(least), "{waits:?}");
    }
    let nack = stage.fleet_until(|proxies| proxies[0].nack.clone()).await;
    assert_eq!((nack.revision, nack.reasons), (first.revision, vec!["route-a is poisonous".into()]));

    proxy.ack(first.revision).await;
    stage.fleet_until(|proxies| proxies[0].applied).await;
    let refused = Instant::now();
    proxy.nack(first.revision, "again").await;
    proxy.table().await;
    assert!(refused.elapsed() < Duration::from_secs(15), "an acknowledgement wipes the slate clean");
}

#[tokio::test]
async fn a_second_stream_of_the_same_name_takes_over() {
    let stage = Stage::with(patient(), &["route-a"]).await;
    let mut first = stage.proxy("edge-1", None).await;
    first.table().await;
    let mut second = stage.proxy("edge-1", None).await;
    assert_eq!(first.end().await, Code::Aborted);
    second.table().await;
    let proxies = stage.feed.proxies();
    assert_eq!((proxies.len(), proxies[0].connected), (1, true));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_speak_as_agreed_is_told() {
    let stage = Stage::with(patient(), &[]).await;
    let mut silent = stage.connect().await;
    assert_eq!(silent.end().await, Code::DeadlineExceeded);
    let mut nameless = stage.proxy("two words", None).await;
    assert_eq!(nameless.end().await, Code::InvalidArgument);
    let mut hasty = stage.connect().await;
    hasty.say(Say::Ack(wire::Ack { revision: None })).await;
    assert_eq!(hasty.end().await, Code::InvalidArgument);
    let mut twice = stage.proxy("edge-1", None).await;
    twice.say(Say::Hello(wire::Hello::default())).await;
    assert_eq!(twice.end().await, Code::InvalidArgument);
}

#[tokio::test]
async fn there_may_be_no_more_proxies_than_the_limit() {
    let stage = Stage::with(FeedLimits { proxies: 1, ..patient() }, &[]).await;
    let mut first = stage.proxy("edge-1", None).await;
    first.table().await;
    assert_eq!(stage.proxy("edge-2", None).await.end().await, Code::ResourceExhausted);
    drop(first);
    stage.fleet_until(|proxies| (!proxies[0].connected).then_some(())).await;
    stage.proxy("edge-2", None).await.table().await;
    assert_eq!(stage.feed.proxies().len(), 1, "the one that has gone makes room");
}

#[tokio::test]
async fn streams_end_with_the_control_plane() {
    let stage = Stage::with(patient(), &["route-a"]).await;
    let mut proxy = stage.proxy("edge-1", None).await;
    proxy.table().await;
    let mut unspoken = stage.connect().await;
    stage.drain.start();
    assert_eq!(proxy.end().await, Code::Unavailable);
    assert_eq!(unspoken.end().await, Code::Unavailable);
    stage.tasks.finished().await;
    assert!(!stage.feed.proxies()[0].connected);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_kept_alive_and_learns_of_revisions_without_routes() {
    let stage = Stage::with(FeedLimits::default(), &["route-a"]).await;
    let mut proxy = stage.proxy("edge-1", None).await;
    let at = proxy.table().await.revision;
    let heartbeat = proxy.incoming.message().await.unwrap().unwrap().message.unwrap();
    let expected = wire::Heartbeat { revision: Some(at.into()) };
    assert_eq!(heartbeat, wire::follow_response::Message::Heartbeat(expected));

    let other = stage.put_other().await;
    let (base, delta) = proxy.delta().await;
    assert_eq!((base, delta.revision, delta.names.len()), (at, other, 0));
}

#[tokio::test]
async fn a_publisher_that_missed_commits_reads_everything_again() {
    let stage = Stage::with(patient(), &[]).await;
    let mut proxy = stage.proxy("edge-1", None).await;
    proxy.table().await;
    // Together, so that the store has forgotten the first before the publisher looks.
    let routes: Vec<_> = (0..40).map(|n| format!("route-{n:02}")).collect();
    futures_util::future::join_all(routes.iter().map(|route| stage.put_route(route))).await;
    let mut names = std::collections::BTreeSet::new();
    while names.len() < 40 {
        match proxy.next().await {
            wire::follow_response::Message::SnapshotBegin(_) => names.clear(),
            wire::follow_response::Message::SnapshotChunk(chunk) => {
                names.extend(chunk.routes.into_iter().map(|route| route.hostname));
            }
            wire::follow_response::Message::Delta(delta) => {
                names.extend(delta.upserts.into_iter().map(|route| route.hostname));
            }
            _ => {}
        }
    }
}
