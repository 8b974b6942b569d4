use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proto::wire::follow_request::Message as Say;
use proto::wire::follow_response::Message;
use proto::wire::route_feed_service_client::RouteFeedServiceClient;
use proto::wire::{self, FollowRequest, FollowResponse};
use proto::{Epoch, Hostname, Revision};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::Server;
use tonic::{Code, Streaming};

use super::super::{Feed, FeedLimits};
use crate::config::StoreLimits;
use crate::domain::record::encode;
use crate::domain::{Deployment, built_in_project, samples};
use crate::drain::Drain;
use crate::metrics::FeedMetrics;
use crate::service::keys;
use crate::store::{Batch, Embedded, EmbeddedConfig, Expect, Key, Store};
use crate::tasks::Tasks;

/// A feed over a real store, served on a real socket.
pub(super) struct Stage {
    pub(super) feed: Feed,
    pub(super) store: Arc<dyn Store>,
    pub(super) tasks: Tasks,
    pub(super) drain: Drain,
    limits: FeedLimits,
    address: SocketAddr,
    _dir: TempDir,
}

/// Limits under which nothing is said only because time has passed.
pub(super) fn patient() -> FeedLimits {
    FeedLimits { heartbeat: Duration::from_secs(3600), ..FeedLimits::default() }
}

impl Stage {
    /// With `routes` static routes in the store before anything starts.
    pub(super) async fn with(limits: FeedLimits, routes: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let limits_of_store = StoreLimits { history_commits: 8, ..StoreLimits::default() };
        let config = EmbeddedConfig { path: dir.path().join("store"), limits: limits_of_store };
        // In an earlier run, so that the first commit of this one begins another epoch.
        let store: Arc<dyn Store> = Arc::new(Embedded::open(&config, Epoch(6)).unwrap());
        for route in routes {
            put_route(&store, route).await;
        }
        drop(store);
        let store: Arc<dyn Store> = Arc::new(Embedded::open(&config, Epoch(7)).unwrap());
        let (tasks, drain) = (Tasks::new(), Drain::new());
        let (feed, address) = serve(&store, limits.clone(), "ep-r.io", &tasks, &drain).await;
        Self { feed, store, tasks, drain, limits, address, _dir: dir }
    }

    /// Stops the feed, and opens another one on the same store, with names under `domain`.
    pub(super) async fn reopen(&mut self, domain: &str) {
        self.drain.start();
        self.tasks.finished().await;
        (self.tasks, self.drain) = (Tasks::new(), Drain::new());
        (self.feed, self.address) =
            serve(&self.store, self.limits.clone(), domain, &self.tasks, &self.drain).await;
    }

    /// A proxy's stream, before it has said anything.
    pub(super) async fn connect(&self) -> Proxy {
        let url = format!("http://{}", self.address);
        let mut client = RouteFeedServiceClient::connect(url).await.unwrap();
        let (says, outgoing) = mpsc::channel(16);
        let incoming = client.follow(ReceiverStream::new(outgoing)).await.unwrap().into_inner();
        Proxy { says, incoming }
    }

    /// A proxy called `id` that holds `holds`.
    pub(super) async fn proxy(&self, id: &str, holds: Option<Revision>) -> Proxy {
        let proxy = self.connect().await;
        let holds = holds.map(Into::into);
        proxy.say(Say::Hello(wire::Hello { proxy_id: id.into(), version: "test".into(), holds })).await;
        proxy
    }

    pub(super) async fn put_route(&self, name: &str) -> Revision {
        put_route(&self.store, name).await
    }

    /// Puts the `n`th deployment with a backend at `address`.
    pub(super) async fn put_deployment(&self, n: u8, address: &str) -> (Revision, Deployment) {
        let record = samples::web_deployment(n, address);
        let key = keys::deployment(&built_in_project(), &record.guid);
        let batch = Batch::new().put(key, Expect::Any, encode("deployment", &record).unwrap());
        (self.store.commit(batch).await.unwrap(), record)
    }

    /// A commit that no route depends on.
    pub(super) async fn put_other(&self) -> Revision {
        let batch = Batch::new().put(Key::of(["other"]), Expect::Any, "x");
        self.store.commit(batch).await.unwrap()
    }

    /// Waits until the fleet is as `look` wants it.
    pub(super) async fn fleet_until<T>(&self, look: impl Fn(&[super::super::ProxyState]) -> Option<T>) -> T {
        let mut told = self.feed.shared.fleet.told();
        loop {
            told.borrow_and_update();
            if let Some(seen) = look(&self.feed.proxies()) {
                return seen;
            }
            told.changed().await.unwrap();
        }
    }
}

async fn serve(
    store: &Arc<dyn Store>,
    limits: FeedLimits,
    domain: &str,
    tasks: &Tasks,
    drain: &Drain,
) -> (Feed, SocketAddr) {
    let domains = vec![Hostname::parse(domain).unwrap()];
    let clock = Arc::new(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let opened = Feed::open(store.clone(), domains, limits, clock, FeedMetrics::default()).await;
    let (feed, publisher) = opened.unwrap();
    tasks.spawn("publisher", publisher.run(drain.signal()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = feed.route_feed_server(tasks.clone(), drain.signal());
    let signal = drain.signal();
    tasks.spawn("server", async move {
        let router = Server::builder().add_service(server);
        let incoming = TcpListenerStream::new(listener);
        router.serve_with_incoming_shutdown(incoming, async move { signal.given().await }).await.unwrap();
    });
    (feed, address)
}

async fn put_route(store: &Arc<dyn Store>, name: &str) -> Revision {
    let route = samples::static_route(name);
    let key = keys::static_route(&built_in_project(), &route.label);
    let batch = Batch::new().put(key, Expect::Any, encode("static route", &route).unwrap());
    store.commit(batch).await.unwrap()
}

/// The other end of a stream.
pub(super) struct Proxy {
    pub(super) says: mpsc::Sender<FollowRequest>,
    pub(super) incoming: Streaming<FollowResponse>,
}

/// A table, as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) revision: Revision,
    pub(super) names: Vec<String>,
}

impl Proxy {
    pub(super) async fn say(&self, message: Say) {
        self.says.send(FollowRequest { message: Some(message) }).await.unwrap();
    }

    pub(super) async fn ack(&self, revision: Revision) {
        self.say(Say::Ack(wire::Ack { revision: Some(revision.into()) })).await;
    }

    pub(super) async fn nack(&self, revision: Revision, reason: &str) {
        let nack = wire::Nack { revision: Some(revision.into()), reasons: vec![reason.into()] };
        self.say(Say::Nack(nack)).await;
    }

    /// The next message that is not a heartbeat.
    pub(super) async fn next(&mut self) -> Message {
        loop {
            match self.incoming.message().await.unwrap().unwrap().message.unwrap() {
                Message::Heartbeat(_) => {}
                other => return other,
            }
        }
    }

    /// A whole table, which must come next.
    pub(super) async fn table(&mut self) -> Sent {
        let Message::SnapshotBegin(begin) = self.next().await else { panic!("no table began") };
        let mut names = Vec::new();
        loop {
            match self.next().await {
                Message::SnapshotChunk(chunk) => names.extend(chunk.routes.into_iter().map(|r| r.hostname)),
                Message::SnapshotEnd(end) => {
                    assert_eq!((begin.revision, begin.routes), (end.revision, names.len() as u64));
                    return Sent { revision: end.revision.unwrap().into(), names };
                }
                other => panic!("{other:?} within a table"),
            }
        }
    }

    /// A delta, which must come next: its base, its revision, and the names it brings.
    pub(super) async fn delta(&mut self) -> (Revision, Sent) {
        let Message::Delta(delta) = self.next().await else { panic!("not a delta") };
        let names = delta.upserts.into_iter().map(|route| route.hostname).collect();
        (delta.base.unwrap().into(), Sent { revision: delta.revision.unwrap().into(), names })
    }

    /// How the stream ends, whatever is sent before.
    pub(super) async fn end(&mut self) -> Code {
        loop {
            match self.incoming.message().await {
                Ok(Some(_)) => {}
                Ok(None) => return Code::Ok,
                Err(status) => return status.code(),
            }
        }
    }
}

impl Feed {
    /// Waits until the publisher has taken `revision` in.
    pub(super) async fn wait_taken_in(&self, revision: Revision) {
        let mut moved = self.shared.moved.subscribe();
        while !self.revision().includes(revision) {
            moved.changed().await.unwrap();
        }
    }
}
