//! The route feed over real streams, from a control plane that does as it is told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod control;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use control::{Control, Said};
use proto::wire::follow_response::Message;
use proto::{Epoch, Hostname, Revision, wire};
use proxy::config::FeedConfig;
use proxy::drain::{self, Drain};
use proxy::feed::{FeedState, follow};
use proxy::routes::Routes;
use tokio::task::JoinSet;
use tokio::time::Instant;

struct Proxy {
    routes: Arc<Routes>,
    state: Arc<FeedState>,
    drain: Drain,
    following: JoinSet<()>,
}

impl Proxy {
    fn start(config: FeedConfig) -> Self {
        Self::start_with(config, Routes::new())
    }

    fn start_with(config: FeedConfig, routes: Arc<Routes>) -> Self {
        let state = Arc::<FeedState>::default();
        let (drain, signal) = drain::channel();
        let mut following = JoinSet::new();
        following.spawn(follow(config, routes.clone(), 1000, state.clone(), 1, signal));
        Self { routes, state, drain, following }
    }

    async fn serves(&self, number: u64) {
        let mut revisions = self.routes.revisions();
        let wanted = revisions.wait_for(|revision| *revision == Some(at(number)));
        tokio::time::timeout(PATIENCE, wanted).await.expect("in time").expect("the table lives");
    }

    /// Waits until something has gone wrong, and tells what.
    async fn fails(&self) -> String {
        let failed = self.state.becomes(|status| status.last_error.is_some());
        tokio::time::timeout(PATIENCE, failed).await.expect("in time").last_error.expect("asked for")
    }
}

/// Long enough for any machine; nothing waits that long unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

fn config(url: String) -> FeedConfig {
    let mut config = FeedConfig::new(url, "the-token".into(), "proxy-1".into());
    config.backoff = (Duration::from_millis(1), Duration::from_millis(5));
    config
}

fn at(number: u64) -> Revision {
    Revision::new(Epoch(7), number)
}

fn route(name: &str) -> wire::Route {
    let target = Some(wire::route::Target::Unbound(wire::Unbound::default()));
    wire::Route { hostname: name.into(), project: "project-a".into(), target, ..Default::default() }
}

fn snapshot(number: u64, names: &[&str]) -> Vec<Message> {
    let revision = Some(at(number).into());
    let begin = wire::SnapshotBegin { revision, routes: names.len() as u64 };
    let mut messages = vec![Message::SnapshotBegin(begin)];
    for names in names.chunks(2) {
        let routes = names.iter().map(|name| route(name)).collect();
        messages.push(Message::SnapshotChunk(wire::SnapshotChunk { routes }));
    }
    messages.push(Message::SnapshotEnd(wire::SnapshotEnd { revision }));
    messages
}

fn delta(number: u64, name: &str) -> Message {
    let (base, revision) = (Some(at(number - 1).into()), Some(at(number).into()));
    Message::Delta(wire::Delta { base, revision, upserts: vec![route(name)], removals: vec![] })
}

#[tokio::test]
async fn takes_a_snapshot_then_deltas_and_acknowledges_each() {
    let mut control = Control::start();
    let proxy = Proxy::start(config(control.url()));
    let stream = control.accept().await;
    assert_eq!(stream.token, "Bearer the-token");
    let Said::Hello(hello) = stream.said().await else { panic!("no hello") };
    assert_eq!((hello.proxy_id.as_str(), hello.holds), ("proxy-1", None));
    stream.say_all(snapshot(5, &["a.x", "b.x", "c.x"])).await;
    assert_eq!(stream.said().await, Said::ack(at(5)));
    stream.say(delta(6, "d.x")).await;
    stream.say(delta(7, "e.x")).await;
    assert_eq!((stream.said().await, stream.said().await), (Said::ack(at(6)), Said::ack(at(7))));
    assert_eq!((proxy.routes.len(), proxy.routes.revision()), (5, Some(at(7))));
    let status = proxy.state.status(Instant::now());
    assert!(
        status.connected && status.silent.is_some() && status.applied == 3 && status.last_error.is_none()
    );
}

#[tokio::test]
async fn a_faulty_revision_is_refused_whole_and_a_snapshot_mends_it() {
    let mut control = Control::start();
    let proxy = Proxy::start(config(control.url()));
    let stream = control.accept().await;
    stream.said().await;
    stream.say_all(snapshot(5, &["a.x"])).await;
    stream.said().await;
    let Message::Delta(mut faulty) = delta(6, "good.x") else { panic!("a delta") };
    faulty.upserts.push(route("bad..x"));
    stream.say(Message::Delta(faulty)).await;
    let Said::Nack(nack) = stream.said().await else { panic!("no nack") };
    assert_eq!(nack.revision, Some(at(6).into()));
    assert!(nack.reasons[0].starts_with("upserts[1].hostname: "), "{:?}", nack.reasons);
    let twice = wire::Delta {
        base: Some(at(5).into()),
        revision: Some(at(7).into()),
        upserts: vec![route("z.x"), route("z.x")],
        removals: vec![],
    };
    stream.say(Message::Delta(twice)).await;
    assert_eq!((proxy.routes.len(), proxy.routes.revision()), (1, Some(at(5))));
    stream.say_all(snapshot(7, &["a.x", "good.x"])).await;
    assert_eq!(stream.said().await, Said::ack(at(7)));
    assert_eq!(proxy.state.status(Instant::now()).refused, 1);
}

#[tokio::test]
async fn a_table_grows_no_larger_than_it_may_by_deltas_either() {
    let mut control = Control::start();
    let proxy = Proxy::start(config(control.url()));
    let stream = control.accept().await;
    stream.said().await;
    stream.say_all(snapshot(5, &["a.x"])).await;
    stream.said().await;
    let many = |count: usize| (0..count).map(|n| route(&format!("n{n}.x"))).collect::<Vec<_>>();
    for (number, upserts) in [(6, many(999)), (7, many(1000))] {
        let (base, revision) = (Some(at(number - 1).into()), Some(at(number).into()));
        stream.say(Message::Delta(wire::Delta { base, revision, upserts, removals: vec![] })).await;
    }
    assert_eq!(stream.said().await, Said::ack(at(6)));
    let Said::Nack(nack) = stream.said().await else { panic!("no nack") };
    assert!(nack.reasons[0].contains("more than the 1000 routes"), "{:?}", nack.reasons);
    assert_eq!((proxy.routes.len(), proxy.routes.revision()), (1000, Some(at(6))));
}

#[tokio::test]
async fn comes_back_after_the_stream_ends_and_says_what_it_holds() {
    let mut control = Control::start();
    let proxy = Proxy::start(config(control.url()));
    for number in 1..4 {
        let stream = control.accept().await;
        let Said::Hello(hello) = stream.said().await else { panic!("no hello") };
        assert_eq!(hello.holds.map(Revision::from), (number > 1).then(|| at(number - 1)));
        match number {
            1 => stream.say_all(snapshot(1, &["a.x"])).await,
            _ => stream.say(delta(number, &format!("n{number}.x"))).await,
        }
        assert_eq!(stream.said().await, Said::ack(at(number)));
    }
    assert_eq!(proxy.routes.len(), 3);
}

#[tokio::test]
async fn a_silent_stream_is_opened_anew_and_the_table_served_on() {
    let mut control = Control::start();
    let mut config = config(control.url());
    config.silence = Duration::from_millis(300);
    let proxy = Proxy::start(config);
    let first = control.accept().await;
    first.said().await;
    first.say_all(snapshot(1, &["a.x"])).await;
    first.said().await;
    let second = control.accept().await;
    let Said::Hello(hello) = second.said().await else { panic!("no hello") };
    assert_eq!(hello.holds, Some(at(1).into()));
    let status = proxy.state.status(Instant::now());
    assert!(status.last_error.expect("an error").contains("said nothing for"));
    assert_eq!(proxy.routes.len(), 1);
}

#[tokio::test]
async fn waits_for_a_control_that_is_not_there_yet() {
    let (held, url) = control::nobody();
    let proxy = Proxy::start(config(url));
    let error = proxy.fails().await;
    assert!(error.contains("refused"), "{error}");
    let mut control = Control::start_on(held);
    let stream = control.accept().await;
    stream.said().await;
    stream.say_all(snapshot(1, &["a.x"])).await;
    proxy.serves(1).await;
}

#[tokio::test]
async fn a_refused_token_is_told_as_such() {
    let control = Control::start();
    control.turn_away("the token has not the proxy role");
    let proxy = Proxy::start(config(control.url()));
    let error = proxy.fails().await;
    assert_eq!(error, "control refused: the token has not the proxy role");
}

#[tokio::test]
async fn ends_with_a_drain() {
    let mut control = Control::start();
    let mut proxy = Proxy::start(config(control.url()));
    let _stream = control.accept().await;
    proxy.drain.start();
    let ended = tokio::time::timeout(PATIENCE, proxy.following.join_next()).await;
    ended.expect("in time").expect("it was started").expect("without a panic");
}

#[tokio::test]
async fn speaks_tls_and_only_with_the_control_it_was_told_of() {
    let directory = tempfile::tempdir().unwrap();
    let names = [Hostname::parse("localhost").unwrap()];
    let files = certs::dev_certificates(directory.path(), &names, SystemTime::now()).unwrap();
    let server = certs::Sole::load(&files.chain, &files.key).unwrap().server_config().unwrap();
    let mut control = Control::start_tls(server);
    let mut trusting = config(control.url());
    trusting.ca = Some(certs::client_config(Some(&files.ca)).unwrap());
    let proxy = Proxy::start(trusting);
    let stream = control.accept().await;
    stream.said().await;
    stream.say_all(snapshot(1, &["a.x"])).await;
    proxy.serves(1).await;

    let other = tempfile::tempdir().unwrap();
    let other = certs::dev_certificates(other.path(), &names, SystemTime::now()).unwrap();
    let mut wary = config(control.url());
    wary.ca = Some(certs::client_config(Some(&other.ca)).unwrap());
    let stranger = Proxy::start(wary);
    let untold = Proxy::start(config(control.url()));
    for (proxy, reason) in [(&stranger, "certificate"), (&untold, "no CA")] {
        let error = proxy.fails().await;
        assert!(error.contains(reason), "{error}");
    }
}
