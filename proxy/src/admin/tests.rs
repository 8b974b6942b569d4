use std::net::SocketAddr;
use std::time::SystemTime;

use http::StatusCode;
use proto::{EdgeProtocol, Hostname, Route, SourceRanges, Target};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::config::{BackendPolicy, Config};
use crate::drain::{self, Drain};
use crate::routes::tests::{bound, delta, snapshot, unbound};

/// An admin server on a port of its own.
struct Stage {
    admin: Arc<Admin>,
    drain: Drain,
    address: SocketAddr,
    server: tokio::task::JoinSet<()>,
}

impl Stage {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let domain = Hostname::parse("ep-r.io").unwrap();
        let files = certs::dev_certificates(directory.path(), &[domain], SystemTime::now()).unwrap();
        let (drain, signal) = drain::channel();
        let admin = Arc::new(Admin {
            routes: Routes::new(),
            metrics: Metrics::new(),
            limits: limits::Common::new(&Config::default(), 1, tokio::time::Instant::now()),
            networks: Arc::new(Networks::new(&BackendPolicy::default(), vec![])),
            certificates: Certificates::load(&files.chain, &files.key, SystemTime::now()).unwrap(),
            redirect_to_https: true,
            feed: Some(Arc::default()),
            cache: Some(Arc::default()),
            log: Arc::default(),
            extra_metrics: Some(Arc::new(|| "more 1\n# EOF\n".to_owned())),
            drain: signal,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = tokio::task::JoinSet::new();
        server.spawn(serve(listener, admin.clone()));
        Self { admin, drain, address, server }
    }

    async fn ask(&self, method: &str, target: &str) -> (StatusCode, String) {
        self.ask_by("localhost", method, target).await
    }

    async fn ask_by(&self, host: &str, method: &str, target: &str) -> (StatusCode, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    async fn json(&self, target: &str) -> Value {
        let (status, body) = self.ask("GET", target).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    async fn explained(&self, url: &str) -> Value {
        self.json(&format!("/explain?url={url}")).await["refusal"].clone()
    }
}

/// As a page would whose own name was made to lead to a loopback address.
#[tokio::test]
async fn a_page_of_another_name_is_told_nothing() {
    let stage = Stage::new().await;
    for target in ["/routes", "/metrics", "/explain?url=http://a.x", "/live"] {
        let (status, body) = stage.ask_by("evil.example:9901", "GET", target).await;
        assert_eq!(
            (status, &*body),
            (StatusCode::MISDIRECTED_REQUEST, "Ask by an IP address or as localhost.\n")
        );
    }
    assert_eq!(stage.ask_by(&stage.address.to_string(), "GET", "/live").await.0, StatusCode::OK);
}

#[tokio::test]
async fn it_is_ready_when_it_has_a_table_and_until_it_drains() {
    let mut stage = Stage::new().await;
    assert_eq!(stage.ask("GET", "/live").await.0, StatusCode::OK);
    assert_eq!(stage.ask("GET", "/ready").await.0, StatusCode::SERVICE_UNAVAILABLE);
    stage.admin.routes.apply(snapshot(1, vec![])).unwrap();
    assert_eq!(stage.ask("GET", "/ready").await, (StatusCode::OK, "ready\n".to_owned()));
    assert_eq!(stage.ask("HEAD", "/ready").await, (StatusCode::OK, String::new()));
    stage.drain.start();
    assert_eq!(stage.ask("GET", "/ready").await, (StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned()));
    assert_eq!(stage.ask("GET", "/live").await.0, StatusCode::OK);
    assert_eq!(stage.ask("POST", "/ready").await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(stage.ask("GET", "/nothing").await.0, StatusCode::NOT_FOUND);
    assert!(stage.server.try_join_next().is_none());
}

#[tokio::test]
async fn metrics_tell_of_table_feed_cache_log_and_drain() {
    let stage = Stage::new().await;
    stage.admin.routes.apply(snapshot(7, vec![unbound("a.ep-r.io")])).unwrap();
    let (status, page) = stage.ask("GET", "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        "epr_routes 1",
        "epr_routes_revision{epoch=\"1\"} 7",
        "epr_feed_connected 0",
        "epr_feed_silent_seconds +Inf",
        "epr_route_cache_writes_total{outcome=\"written\"} 0",
        "epr_access_log_lost_total{cause=\"queue_full\"} 0",
        "epr_draining 0",
        "more 1",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
    assert!(!page.contains("# EOF"));
}

#[tokio::test]
async fn routes_come_in_pages_that_hold_each_once() {
    let stage = Stage::new().await;
    let all = (0..25).map(|n| bound(&format!("n{n}.ep-r.io"), "dep-a", &["10.0.0.1:80"])).collect();
    stage.admin.routes.apply(snapshot(3, all)).unwrap();
    let (mut names, mut after) = (Vec::new(), String::new());
    loop {
        let page = stage.json(&format!("/routes?limit=10&after={after}")).await;
        assert_eq!((page["total"].as_u64(), page["revision"].as_str()), (Some(25), Some("1/3")));
        names.extend(page["routes"].as_array().unwrap().iter().map(|route| route["hostname"].to_string()));
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 25);
    let one = stage.json("/routes?name=N3.ep-r.io").await;
    assert_eq!((&one["state"], &one["backends"][0]["address"]), (&"bound".into(), &"10.0.0.1:80".into()));
    for (target, status) in [("?name=none.x", 404), ("?name=a..b", 400), ("?limit=0", 400), ("?limit=x", 400)]
    {
        assert_eq!(stage.ask("GET", &format!("/routes{target}")).await.0.as_u16(), status, "{target}");
    }
}

#[tokio::test]
async fn explains_by_the_matrix() {
    let stage = Stage::new().await;
    let speaking = |name: &str, protocol: EdgeProtocol, address: &str| {
        let mut route = bound(name, "dep-a", &[address]);
        if let Target::Bound(binding) = &mut route.target {
            binding.protocol = protocol;
        }
        route
    };
    let closed = Route {
        sources: [SourceRanges::parse_one("192.0.2.0/24").unwrap()].into_iter().collect(),
        ..speaking("closed.ep-r.io", EdgeProtocol::Https, "10.0.0.1:80")
    };
    let routes = vec![
        speaking("plain.ep-r.io", EdgeProtocol::Http, "10.0.0.1:80"),
        speaking("web.ep-r.io", EdgeProtocol::Https, "10.0.0.1:80"),
        speaking("tcp.ep-r.io", EdgeProtocol::SecureTcp, "10.0.0.1:80"),
        speaking("metadata.ep-r.io", EdgeProtocol::Https, "169.254.169.254:80"),
        speaking("far.example.org", EdgeProtocol::Https, "10.0.0.1:80"),
        unbound("free.ep-r.io"),
        closed,
    ];
    stage.admin.routes.apply(snapshot(1, routes)).unwrap();
    for (url, refusal) in [
        ("http://plain.ep-r.io/", None),
        ("plain.ep-r.io", None),
        ("https://plain.ep-r.io/", Some("http_on_tls")),
        ("https://web.ep-r.io/", None),
        ("wss://web.ep-r.io/", None),
        ("http://web.ep-r.io/", Some("redirect_to_https")),
        ("tls://tcp.ep-r.io", None),
        ("tcp.ep-r.io", None),
        ("http://tcp.ep-r.io/", Some("secure_tcp_on_plain")),
        ("https://metadata.ep-r.io/", Some("backend_forbidden")),
        ("https://far.example.org/", Some("not_covered")),
        ("https://free.ep-r.io/", Some("unbound")),
        ("https://none.ep-r.io/", Some("no_route")),
        ("https://closed.ep-r.io/", None),
        ("https://closed.ep-r.io/&source=192.0.2.7", None),
        ("https://closed.ep-r.io/&source=198.51.100.7", Some("source_not_allowed")),
        ("https://a..b/", Some("bad_authority")),
    ] {
        assert_eq!(stage.explained(url).await, refusal.map_or(Value::Null, Value::from), "{url}");
    }
    stage.admin.routes.apply(delta(2, vec![bound("web.ep-r.io", "dep-a", &[])], &[])).unwrap();
    assert_eq!(stage.explained("https://web.ep-r.io/").await, "no_backend");
    assert_eq!(stage.ask("GET", "/explain").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(stage.ask("GET", "/explain?url=a.x&source=me").await.0, StatusCode::BAD_REQUEST);
}
