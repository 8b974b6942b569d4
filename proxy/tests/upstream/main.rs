//! Connections to backends, with real backends on ports of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod backend;
mod h2c;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use backend::{Backend, Behaviour};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use proto::{
    BackendProtocol, Binding, DeploymentId, EdgeProtocol, EndpointName, Epoch, Hostname, ProjectId, Revision,
    Route, RouteUpdate, SourceRanges, Target,
};
use proxy::config::{BackendPolicy, Limits};
use proxy::metrics::Metrics;
use proxy::per_worker::WorkerId;
use proxy::refusal::Refusal;
use proxy::routes::{RouteEntry, Routes};
use proxy::upstream::{DialError, Fault, Forbidden, Networks, SendError, UpstreamBody, Upstreams};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::LocalSet;

type Body = Full<Bytes>;

struct Stage {
    upstreams: Rc<Upstreams<Body>>,
    metrics: Arc<Metrics>,
    worker: WorkerId,
}

impl Stage {
    fn new(policy: BackendPolicy) -> Self {
        let policy = policy.with_loopback();
        let worker = WorkerId::all(1).next().expect("one worker");
        let networks = Arc::new(Networks::new(&policy, vec![]));
        let metrics = Metrics::new();
        let connect = Duration::from_secs(5);
        let upstreams =
            Upstreams::new(worker, &policy, &Limits::default(), connect, networks, metrics.clone(), 1);
        Self { upstreams, metrics, worker }
    }

    async fn send(
        &self,
        entry: &RouteEntry,
        path: &str,
    ) -> Result<Response<UpstreamBody<Body>>, SendError<Body>> {
        let lease = self.upstreams.choose(entry, None).expect("a healthy backend");
        self.upstreams.send(lease, request(path)).await
    }

    /// Sends a request and reads the response to its end.
    async fn get(&self, entry: &RouteEntry, path: &str) -> (StatusCode, String) {
        let response = self.send(entry, path).await.expect("a response");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a whole body").to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    fn reused(&self) -> u64 {
        self.metrics.worker(self.worker).reused.get()
    }
}

fn request(path: &str) -> Request<Body> {
    Request::builder().uri(path).header("host", "a.x").body(Full::default()).expect("a sound request")
}

fn entry(deployment: &str, protocol: BackendProtocol, backends: &[&Backend]) -> Arc<RouteEntry> {
    let addresses: Vec<_> = backends.iter().map(|backend| backend.address.to_string()).collect();
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    entries(&[(deployment, protocol, &addresses)]).remove(0)
}

/// Entries of one table, so that equal upstreams are one.
fn entries(of: &[(&str, BackendProtocol, &[&str])]) -> Vec<Arc<RouteEntry>> {
    let name = |at: usize| Hostname::parse(&format!("n{at}.x")).expect("a name");
    let upserts = of.iter().enumerate().map(|(at, (deployment, protocol, addresses))| Route {
        hostname: name(at),
        project: ProjectId::parse("project-a").expect("an id"),
        target: Target::Bound(Binding {
            deployment: DeploymentId::parse(deployment).expect("an id"),
            endpoint: EndpointName::parse("WEB").expect("a name"),
            protocol: EdgeProtocol::Https,
            backend_protocol: *protocol,
            backends: addresses
                .iter()
                .map(|address| proto::Backend {
                    address: address.parse().expect("an address"),
                    healthy: true,
                })
                .collect(),
        }),
        sources: SourceRanges::everyone(),
    });
    let revision = Revision::new(Epoch(1), 1);
    let update = RouteUpdate { revision, base: None, upserts: upserts.collect(), removals: vec![] };
    let routes = Routes::new();
    routes.apply(update).expect("a sound update");
    let mut reader = routes.reader();
    (0..of.len()).map(|at| reader.get(name(at).as_str()).expect("it was put there")).collect()
}

/// Runs a test where `!Send` tasks can be spawned.
async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

/// Lets the tasks that drive connections see what has happened to their sockets.
async fn until(mut met: impl FnMut() -> bool) {
    for _ in 0..1_000_000 {
        if met() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it did not come to that");
}

#[tokio::test]
async fn a_connection_is_used_again_when_the_response_was_read() {
    local(async {
        let (stage, backend) = (Stage::new(BackendPolicy::default()), Backend::start(Behaviour::Http1).await);
        let entry = entry("dep-a", BackendProtocol::Http1, &[&backend]);
        for n in 0..5 {
            assert_eq!(stage.get(&entry, &format!("/{n}")).await, (StatusCode::OK, format!("/{n}")));
            until(|| stage.upstreams.idle() == 1).await;
        }
        assert_eq!((backend.connections(), stage.reused()), (1, 4));
        assert_eq!(entry.backends[0].in_flight(), 0);
        let unread = stage.send(&entry, "/big").await.expect("a response");
        assert_eq!(entry.backends[0].in_flight(), 1);
        drop(unread);
        assert_eq!((stage.upstreams.idle(), entry.backends[0].in_flight()), (0, 0));
        stage.get(&entry, "/again").await;
        assert_eq!(backend.connections(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_response_without_a_body_gives_its_connection_back_at_once() {
    local(async {
        let (stage, backend) = (Stage::new(BackendPolicy::default()), Backend::start(Behaviour::Http1).await);
        let entry = entry("dep-a", BackendProtocol::Http1, &[&backend]);
        let response = stage.send(&entry, "/empty").await.expect("a response");
        assert_eq!((response.status(), stage.upstreams.idle()), (StatusCode::NO_CONTENT, 1));
    })
    .await;
}

#[tokio::test]
async fn connections_are_never_shared_between_deployments() {
    local(async {
        let (stage, backend) = (Stage::new(BackendPolicy::default()), Backend::start(Behaviour::Http1).await);
        let address = backend.address.to_string();
        let same: &[&str] = &[&address];
        let entries = entries(&[
            ("dep-a", BackendProtocol::Http1, same),
            ("dep-b", BackendProtocol::Http1, same),
            ("dep-a", BackendProtocol::Http1, same),
        ]);
        for entry in &entries {
            stage.get(entry, "/").await;
            until(|| stage.upstreams.idle() > 0).await;
        }
        assert_eq!((backend.connections(), stage.reused()), (2, 1), "two routes of one endpoint share");
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_its_backend_closed_costs_no_request() {
    local(async {
        let (stage, backend) =
            (Stage::new(BackendPolicy::default()), Backend::start(Behaviour::OneEach).await);
        let entry = entry("dep-a", BackendProtocol::Http1, &[&backend]);
        for n in 0..20 {
            assert_eq!(stage.get(&entry, &format!("/{n}")).await.1, format!("/{n}"));
        }
        assert_eq!(backend.connections(), 20);
    })
    .await;
}

#[tokio::test]
async fn idle_connections_are_bounded_in_number_and_age() {
    local(async {
        let policy = BackendPolicy { idle_per_backend: 2, idle_per_worker: 3, ..BackendPolicy::default() };
        let timeout = policy.idle_timeout;
        let (stage, backend) = (Stage::new(policy), Backend::start(Behaviour::Http1).await);
        let entry = entry("dep-a", BackendProtocol::Http1, &[&backend]);
        let five = (0..5).map(|_| stage.get(&entry, "/"));
        futures_util::future::join_all(five).await;
        assert_eq!((backend.connections(), stage.upstreams.idle()), (5, 2));
        let others = ["dep-b", "dep-c"].map(|other| self::entry(other, BackendProtocol::Http1, &[&backend]));
        for other in &others {
            stage.get(other, "/").await;
        }
        assert_eq!(stage.upstreams.idle(), 3, "as many as a worker keeps in all");
        stage.upstreams.make_room();
        assert_eq!(stage.upstreams.idle(), 0);
        futures_util::future::join_all((0..2).map(|_| stage.get(&entry, "/"))).await;
        tokio::time::pause();
        tokio::time::advance(timeout - Duration::from_secs(1)).await;
        stage.upstreams.reap();
        assert_eq!(stage.upstreams.idle(), 2);
        tokio::time::advance(Duration::from_secs(2)).await;
        stage.upstreams.reap();
        tokio::time::resume();
        assert_eq!(stage.upstreams.idle(), 0);
        stage.get(&entry, "/").await;
        stage.upstreams.close();
        stage.get(&entry, "/").await;
        assert_eq!(stage.upstreams.idle(), 0, "nothing is kept after the close");
        stage.upstreams.tasks().finished().await;
    })
    .await;
}

#[tokio::test]
async fn a_backend_that_refuses_is_put_aside_and_hands_the_request_back() {
    local(async {
        let (stage, good) = (Stage::new(BackendPolicy::default()), Backend::start(Behaviour::Http1).await);
        let (_held, gone) = backend::gone();
        let good = good.address.to_string();
        let both = entries(&[("dep-a", BackendProtocol::Http1, &[&good, &gone])]).remove(0);
        let bad =
            both.backends.iter().find(|upstream| upstream.address().to_string() == gone).expect("there").id();
        let mut refused = 0;
        for n in 0..50 {
            let lease = stage.upstreams.choose(&both, None).expect("a backend");
            match stage.upstreams.send(lease, request(&format!("/{n}"))).await {
                Ok(_) => {}
                Err(error) => {
                    assert_eq!((error.fault, error.upstream), (Fault::Dial(DialError::Refused), bad));
                    assert_eq!(error.fault.refusal(), Refusal::ConnectFailed);
                    let unsent = error.unsent.expect("nothing was sent");
                    let other = stage.upstreams.choose(&both, Some(bad)).expect("the good one");
                    stage.upstreams.send(other, *unsent).await.expect("served by the other");
                    refused += 1;
                }
            }
        }
        assert_eq!(refused, 1, "aside after the first failure");
        let alone = entries(&[("dep-b", BackendProtocol::Http1, &[&gone])]).remove(0);
        for _ in 0..2 {
            assert!(stage.send(&alone, "/").await.is_err(), "alone it is tried all the same");
        }
        assert!(stage.upstreams.choose(&alone, Some(alone.backends[0].id())).is_none());
        assert_eq!(alone.backends[0].failed_dials(), 2);
    })
    .await;
}

#[tokio::test]
async fn forbidden_addresses_are_not_dialled() {
    local(async {
        let stage = Stage::new(BackendPolicy::default());
        let entry = entries(&[("dep-a", BackendProtocol::Http1, &["169.254.169.254:80"])]).remove(0);
        let error = stage.send(&entry, "/").await.expect_err("forbidden");
        assert_eq!(error.fault, Fault::Dial(DialError::Forbidden(Forbidden::Never)));
        assert_eq!(error.fault.refusal(), Refusal::BackendForbidden);
    })
    .await;
}

#[tokio::test]
async fn what_a_backend_does_wrong_is_told_apart() {
    local(async {
        let stage = Stage::new(BackendPolicy::default());
        for (behaviour, fault) in [(Behaviour::Silent, Fault::Closed), (Behaviour::Garbage, Fault::Garbage)] {
            let backend = Backend::start(behaviour).await;
            let entry = entry("dep-a", BackendProtocol::Http1, &[&backend]);
            let error = stage.send(&entry, "/").await.expect_err("no answer");
            assert_eq!((error.fault, error.unsent.is_none()), (fault, true), "{behaviour:?}");
            assert_eq!(entry.backends[0].in_flight(), 0);
        }
        assert!(Fault::Closed.may_repeat(&Method::GET) && !Fault::Closed.may_repeat(&Method::POST));
    })
    .await;
}

#[tokio::test]
async fn a_response_can_be_upgraded_and_keeps_its_lease() {
    local(async {
        let (stage, backend) = (Stage::new(BackendPolicy::default()), Backend::start(Behaviour::Http1).await);
        let entry = entry("dep-a", BackendProtocol::Http1, &[&backend]);
        let mut upgrade = request("/upgrade");
        upgrade.headers_mut().insert("connection", http::HeaderValue::from_static("upgrade"));
        upgrade.headers_mut().insert("upgrade", http::HeaderValue::from_static("echo"));
        let lease = stage.upstreams.choose(&entry, None).expect("a backend");
        let response = stage.upstreams.send(lease, upgrade).await.expect("a response");
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        let (mut tunnel, lease) = response.into_body().into_tunnel().expect("a tunnel");
        tunnel.write_all(b"there and back").await.expect("written");
        let mut echoed = [0; 14];
        tunnel.read_exact(&mut echoed).await.expect("echoed");
        assert_eq!((&echoed, entry.backends[0].in_flight()), (b"there and back", 1));
        drop(lease);
        assert_eq!((entry.backends[0].in_flight(), stage.upstreams.idle()), (0, 0));
    })
    .await;
}
