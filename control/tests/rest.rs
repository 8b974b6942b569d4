//! The JSON API as it is on the wire: statuses, paths, bounds, and how it ends.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

#[path = "rest/bounds.rs"]
mod bounds;
#[path = "rest/late.rs"]
mod late;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use control::config::{ApiLimits, Config};
use control::tasks::Tasks;
use control::{Control, OpenError};
use proto::Hostname;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// A control plane that serves the API, until it is ended.
struct Stage {
    dir: TempDir,
    api: SocketAddr,
    grpc: SocketAddr,
    end: oneshot::Sender<()>,
    tasks: Tasks,
}

/// What was answered.
#[derive(Debug)]
struct Told {
    status: u16,
    head: String,
    body: Value,
}

fn config(dir: &TempDir, limits: ApiLimits) -> Config {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let domains = vec![Hostname::parse("ep-r.io").unwrap()];
    let config = Config::new(dir.path().to_owned(), domains);
    Config { grpc: any, api: Some(any), api_limits: limits, ..config }
}

impl Stage {
    async fn set(limits: ApiLimits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let control = Control::open(config(&dir, limits)).await.unwrap();
        let (api, grpc) = (control.api_addr().unwrap(), control.grpc_addr());
        let (end, ended) = oneshot::channel::<()>();
        let tasks = Tasks::new();
        tasks.spawn("control", async move {
            let told = async {
                let _ = ended.await;
            };
            control.run(told).await.unwrap();
        });
        Self { dir, api, grpc, end, tasks }
    }

    fn token(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(file)).unwrap().trim().to_owned()
    }

    async fn send(&self, bytes: &[u8]) -> Told {
        let mut stream = TcpStream::connect(self.api).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        told(stream).await
    }

    /// A request of the administrator, with further lines in its head.
    async fn ask(&self, what: &str, lines: &str, body: &str) -> Told {
        self.ask_as(&self.token("admin.token"), what, lines, body).await
    }

    /// A request of whoever holds `token`.
    async fn ask_as(&self, token: &str, what: &str, lines: &str, body: &str) -> Told {
        let length = body.len();
        let request = format!(
            "{what} HTTP/1.1\r\nhost: api\r\nconnection: close\r\nauthorization: Bearer {token}\r\n{lines}\
             content-length: {length}\r\n\r\n{body}"
        );
        self.send(request.as_bytes()).await
    }

    async fn get(&self, path: &str) -> Told {
        self.ask(&format!("GET {path}"), "", "").await
    }

    async fn post(&self, path: &str, body: &Value) -> Told {
        self.ask(&format!("POST {path}"), "content-type: application/json\r\n", &body.to_string()).await
    }

    async fn end(self) {
        self.end.send(()).unwrap();
        self.tasks.finished().await;
    }
}

async fn told(mut stream: TcpStream) -> Told {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() };
    Told { status, head: head.to_lowercase(), body }
}

impl Told {
    fn error(&self) -> &str {
        self.body["error"].as_str().unwrap()
    }
}

fn route(name: &str) -> Value {
    json!({ "metadata": { "name": name } })
}

#[tokio::test]
async fn paths_are_served_with_and_without_their_last_slash() {
    let stage = Stage::set(ApiLimits::default()).await;
    for path in
        ["/v2/staticroutes/", "/v2/staticroutes", "/v2/packages/?continue=0&limit=50&guids=&names=&regions="]
    {
        let told = stage.get(path).await;
        assert_eq!((told.status, told.body["items"].as_array().map(Vec::len)), (200, Some(0)), "{path}");
        assert!(told.body["metadata"]["continue"].is_null(), "{path}");
    }
    assert_eq!(stage.post("/v2/staticroutes", &route("shop-one")).await.status, 201);
    for name in ["shop-one", "shop-one/", "shop%2Done/", "shop-one.ep-r.io"] {
        assert_eq!(
            stage.get(&format!("/v2/staticroutes/{name}")).await.body["spec"]["url"],
            "shop-one.ep-r.io"
        );
    }
    stage.end().await;
}

#[tokio::test]
async fn every_error_is_json_with_its_status() {
    let stage = Stage::set(ApiLimits::default()).await;
    stage.post("/v2/staticroutes/", &route("shop-one")).await;
    for (what, lines, body, status, word) in [
        ("GET /v2/nothing/", "", "", 404, "/openapi.json"),
        ("GET /v2/staticroutes/a%ffb/", "", "", 400, "UTF-8"),
        ("GET /v2/staticroutes/missing-one/", "", "", 404, "no static route"),
        ("PUT /v2/staticroutes/", "", "", 405, "PUT is not served"),
        ("POST /v2/staticroutes/", "", "", 400, "not valid JSON"),
        ("POST /v2/staticroutes/", "", "{\"a\":", 400, "not valid JSON"),
        ("POST /v2/staticroutes/", "", "[]", 400, "mapping"),
        ("POST /v2/staticroutes/", "content-type: text/yaml\r\n", "a: 1", 415, "application/json"),
        ("POST /v2/staticroutes/", "", r#"{"metadata":{"name":"shop-one"}}"#, 409, "exists already"),
        ("POST /v2/staticroutes/", "", r#"{"metadata":{"name":"X"}}"#, 400, "metadata.name"),
        ("POST /v2/staticroutes/", "", r#"{"metadata":{"name":"shop-two"},"kind":"Package"}"#, 400, "kind"),
        (
            "POST /v2/staticroutes/",
            "",
            r#"{"metadata":{"name":"shop-two","project":"other"}}"#,
            400,
            "metadata.project",
        ),
        ("GET /v2/packages/?limit=0", "", "", 400, "limit"),
        ("GET /v2/packages/?limit=1001", "", "", 400, "limit"),
        ("GET /v2/packages/?continue=-1", "", "", 400, "continue"),
        ("GET /v2/packages/?continue=1&continue=2", "", "", 400, "more than once"),
        ("GET /v2/packages/?labelSelector=x", "", "", 400, "KEY=VALUE"),
        ("GET /v2/deployments/?phases=Running", "", "", 400, "Succeeded"),
        ("GET /v2/packages/", "project: project-aaaaaaaaaaaaaaaaaaaa\r\n", "", 404, "no project"),
        ("GET /v2/packages/", "organizationguid: org-aaaaaaaaaaaaaaaaaaaa\r\n", "", 400, "organizationguid"),
        (
            "DELETE /v2/projects/default/",
            "organizationguid: org-aaaaaaaaaaaaaaaaaaaa\r\n",
            "",
            400,
            "organizationguid",
        ),
        ("POST /user/login", "", "{}", 400, "no passwords"),
        ("POST /refreshtoken", "", "{}", 400, "token"),
        ("POST /refreshtoken", "", r#"{"token":"epr_x"}"#, 401, "token"),
    ] {
        let told = stage.ask(what, lines, body).await;
        assert_eq!(told.status, status, "{what} {body}: {told:?}");
        assert!(told.error().contains(word), "{what} {body}: {}", told.error());
        assert!(told.head.contains("content-type: application/json"), "{}", told.head);
    }
    stage.end().await;
}

#[tokio::test]
async fn nobody_comes_in_without_a_token_for_people() {
    let stage = Stage::set(ApiLimits::default()).await;
    let ask = async |lines: &str| {
        let request = format!("GET /v2/packages/ HTTP/1.1\r\nhost: api\r\nconnection: close\r\n{lines}\r\n");
        stage.send(request.as_bytes()).await
    };
    let admin = format!("authorization: Bearer {}\r\n", stage.token("admin.token"));
    for (lines, status) in [
        (String::new(), 401),
        ("authorization: Basic eA==\r\n".to_owned(), 401),
        (format!("authorization: Bearer epr_{}\r\n", "a".repeat(40)), 401),
        (format!("{admin}{admin}"), 401),
        (format!("authorization: Bearer {}\r\n", stage.token("proxy.token")), 403),
        (format!("authorization: Bearer {}\r\n", stage.token("runtime.token")), 403),
        (admin, 200),
    ] {
        let told = ask(&lines).await;
        assert_eq!(told.status, status, "{lines}: {told:?}");
        assert_eq!(told.head.contains("www-authenticate: bearer"), status == 401, "{}", told.head);
    }
    let open = stage.send(b"GET /openapi.json HTTP/1.1\r\nhost: api\r\nconnection: close\r\n\r\n").await;
    assert_eq!((open.status, open.body["openapi"].as_str()), (200, Some("3.1.0")));
    stage.end().await;
}

#[tokio::test]
async fn a_walk_over_a_list_sees_each_once_whatever_is_deleted_on_the_way() {
    let stage = Stage::set(ApiLimits::default()).await;
    for number in 0..10 {
        assert_eq!(stage.post("/v2/staticroutes/", &route(&format!("shop-{number}"))).await.status, 201);
    }
    let (mut seen, mut next) = (Vec::new(), 0);
    loop {
        let told = stage.get(&format!("/v2/staticroutes/?continue={next}&limit=3")).await;
        let items = told.body["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()));
        // What has been seen may go: the walk goes on behind it all the same.
        for name in seen.iter().rev().take(2) {
            stage.ask(&format!("DELETE /v2/staticroutes/{name}/"), "", "").await;
        }
        match told.body["metadata"]["continue"].as_u64() {
            Some(further) if further > next => next = further,
            Some(further) => panic!("{further} does not move on from {next}"),
            None => break,
        }
    }
    assert_eq!(seen, (0..10).map(|number| format!("shop-{number}")).collect::<Vec<_>>());
    // A place nobody remembers is counted.
    let told = stage.get("/v2/staticroutes/?continue=1&limit=50").await;
    assert_eq!(told.body["items"].as_array().unwrap().len(), 2, "{told:?}");
    assert_eq!(stage.get("/v2/staticroutes/?continue=99").await.body["items"], json!([]));
    stage.end().await;
}

#[tokio::test]
async fn bodies_are_bounded_in_bytes_and_time() {
    let limits = ApiLimits { body_bytes: 1_000, body: Duration::from_millis(50), ..ApiLimits::default() };
    let stage = Stage::set(limits).await;
    let large = json!({ "metadata": { "name": "shop-one", "labels": { "a": "x".repeat(2_000) } } });
    let told = stage.post("/v2/staticroutes/", &large).await;
    assert!(told.status == 413 && told.error().contains("1000 bytes"), "{told:?}");
    let token = stage.token("admin.token");
    let half = format!(
        "POST /v2/staticroutes/ HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {token}\r\ncontent-length: 100\r\n\r\n{{"
    );
    // It keeps the connection open, so that waiting for it would take for ever.
    let told = stage.send(half.as_bytes()).await;
    assert!(told.status == 408 && told.head.contains("connection: close"), "{told:?}");
    stage.end().await;
}

#[tokio::test]
async fn a_drain_answers_what_is_under_way_and_takes_nothing_new() {
    let stage = Stage::set(ApiLimits::default()).await;
    let token = stage.token("admin.token");
    let mut idle = TcpStream::connect(stage.api).await.unwrap();
    let mut busy = TcpStream::connect(stage.api).await.unwrap();
    let body = route("shop-one").to_string();
    let head = format!(
        "POST /v2/staticroutes/ HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {token}\r\nexpect: 100-continue\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    busy.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body when it is at work on the request.
    let mut interim = [0; 25];
    busy.read_exact(&mut interim).await.unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100 Continue"));
    let api = stage.api;
    let clients = async {
        let mut nothing = Vec::new();
        idle.read_to_end(&mut nothing).await.unwrap();
        busy.write_all(body.as_bytes()).await.unwrap();
        assert_eq!(told(busy).await.status, 201);
    };
    tokio::join!(stage.end(), clients);
    assert!(TcpStream::connect(api).await.is_err());
}

#[tokio::test]
async fn beyond_loopback_it_takes_a_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let open = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let config = Config { api: Some(open), ..config(&dir, ApiLimits::default()) };
    let refused = Control::open(config).await.err().unwrap();
    assert!(matches!(refused, OpenError::Insecure { what: "the JSON API", .. }), "{refused}");
}
