//! What ties a request to others' records of it: W3C trace context, which is nobody's but the client's and the
//! backend's, and the request's id, which is the client's where it is sound and else ours.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::BodyExt;
use proto::BackendProtocol::{self, H2c, Http1};
use proto::EdgeProtocol::{Http, Https};
use proxy::config::AccessLogTarget;
use tokio::sync::mpsc;

use crate::backends::{h2c, http1, whole};
use crate::client::plain;
use crate::h2::{connect, empty};
use crate::stage::{Stage, bound, bound_to};

const NAMES: [&str; 3] = ["traceparent", "tracestate", "x-request-id"];

type Pairs = Vec<(String, String)>;

/// A backend that tells what it got, and answers with fields of its own.
struct Backend {
    address: SocketAddr,
    heard: mpsc::Receiver<Pairs>,
}

impl Backend {
    async fn open(
        stage: &Stage,
        speaks: BackendProtocol,
        says: &'static [(&'static str, &'static str)],
    ) -> Self {
        let (tell, heard) = mpsc::channel(8);
        let answer = move |request: Request<hyper::body::Incoming>| {
            let _ = tell.try_send(of(request.headers()));
            let mut response = Response::new(whole("ok"));
            for (name, value) in says {
                response.headers_mut().append(*name, HeaderValue::from_static(value));
            }
            async move { response }
        };
        let address = match speaks {
            Http1 => http1(&stage.tasks, answer).await,
            H2c => h2c(&stage.tasks, answer).await,
        };
        Self { address, heard }
    }

    async fn trace(&mut self) -> Pairs {
        self.heard().await.into_iter().filter(|(name, _)| name != "x-request-id").collect()
    }

    async fn heard(&mut self) -> Pairs {
        self.heard.recv().await.unwrap()
    }

    async fn id(&mut self) -> String {
        let ids: Vec<_> = self.heard().await.into_iter().filter(|(name, _)| name == "x-request-id").collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
        ids[0].1.clone()
    }
}

fn of(fields: &HeaderMap) -> Pairs {
    let one =
        |name: &'static str| fields.get_all(name).iter().map(move |value| (name.to_owned(), text(value)));
    NAMES.into_iter().flat_map(one).collect()
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn pairs(fields: &[(&str, &str)]) -> Pairs {
    fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned())).collect()
}

/// Sound, and unsound in every way; an edge that is no part of a trace has no say in it.
const TRACES: [&[(&str, &str)]; 8] = [
    &[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")],
    &[
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),
        ("tracestate", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
    ],
    // A version to come, with more after it.
    &[("traceparent", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-holds")],
    // Upper-case digits, all zeros, junk: all invalid by the letter.
    &[("traceparent", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01")],
    &[("traceparent", "00-00000000000000000000000000000000-0000000000000000-00")],
    &[("traceparent", "not a trace"), ("tracestate", "=,,;")],
    // Several of one name stay several, in their order.
    &[
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("traceparent", "00-5bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
    ],
    &[("tracestate", "alone=1")],
];

#[tokio::test]
async fn trace_context_goes_through_untouched_from_http1() {
    for speaks in [Http1, H2c] {
        let stage = Stage::open();
        let mut backend = Backend::open(&stage, speaks, &[]).await;
        stage.apply(vec![bound_to("dep-a", "a.ep-r.io", Http, speaks, &[backend.address])]);
        for trace in TRACES {
            // Names as clients like to write them.
            for cased in [str::to_owned, |name: &str| name.to_ascii_uppercase()] {
                let lines: String =
                    trace.iter().map(|(name, value)| format!("{}: {value}\r\n", cased(name))).collect();
                let head = format!("GET / HTTP/1.1\r\nhost: a.ep-r.io\r\n{lines}connection: close\r\n\r\n");
                assert_eq!(plain(&stage, &head).await.status, 200);
                assert_eq!(backend.trace().await, pairs(trace), "{speaks:?}");
            }
        }
    }
}

#[tokio::test]
async fn trace_context_goes_through_untouched_from_http2() {
    for speaks in [Http1, H2c] {
        let stage = Stage::open();
        let mut backend = Backend::open(&stage, speaks, &[]).await;
        stage.apply(vec![bound_to("dep-a", "a.ep-r.io", Https, speaks, &[backend.address])]);
        let mut sender = connect(&stage, "a.ep-r.io").await;
        for trace in TRACES {
            let mut request = Request::get("https://a.ep-r.io/");
            for (name, value) in trace {
                request = request.header(*name, *value);
            }
            let response = sender.send_request(request.body(empty()).unwrap()).await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(backend.trace().await, pairs(trace), "{speaks:?}");
        }
    }
}

/// What a backend says of the trace goes back likewise; no id of ours is added to an answer.
#[tokio::test]
async fn an_answers_trace_context_goes_through_untouched() {
    const SAYS: [(&str, &str); 4] = [
        ("traceparent", "00-4BF92F-junk"),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
        ("x-request-id", "the backend's own"),
    ];
    for speaks in [Http1, H2c] {
        let stage = Stage::open();
        let backend = Backend::open(&stage, speaks, &SAYS).await;
        stage.apply(vec![
            bound_to("dep-a", "a.ep-r.io", Http, speaks, &[backend.address]),
            bound_to("dep-a", "b.ep-r.io", Https, speaks, &[backend.address]),
        ]);
        let answer = plain(&stage, "GET / HTTP/1.1\r\nhost: a.ep-r.io\r\nconnection: close\r\n\r\n").await;
        let lines = answer.head.lines().filter_map(|line| line.split_once(": "));
        let heard: Vec<_> = lines.filter(|(name, _)| NAMES.contains(name)).collect();
        let said: Vec<_> = SAYS.iter().map(|(name, value)| (*name, value.to_ascii_lowercase())).collect();
        assert_eq!(heard.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>(), said);
        let mut sender = connect(&stage, "b.ep-r.io").await;
        let request = Request::get("https://b.ep-r.io/").body(empty()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let heard = of(response.headers());
        assert_eq!(heard, pairs(&SAYS));
        response.into_body().collect().await.unwrap();
    }
}

/// What a client may name its request: one word of at most 128 printable characters.
fn kept() -> Vec<String> {
    vec!["a".into(), "mine-1".into(), "~!@#$%^&*()_+{}|:<>?".into(), "x".repeat(128)]
}

fn not_kept() -> Vec<String> {
    vec![
        String::new(),
        "x".repeat(129),
        "x".repeat(8000),
        "two words".into(),
        "a\tb".into(),
        "b\u{fc}".into(),
    ]
}

fn is_ours(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[tokio::test]
async fn a_request_id_is_kept_if_it_is_one_short_word_and_made_otherwise() {
    let stage = Stage::open();
    let mut backend = Backend::open(&stage, Http1, &[]).await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend.address])]);
    let ask = async |lines: String| {
        let head = format!("GET / HTTP/1.1\r\nhost: a.ep-r.io\r\n{lines}connection: close\r\n\r\n");
        assert_eq!(plain(&stage, &head).await.status, 200, "{lines}");
    };
    for id in kept() {
        ask(format!("X-Request-ID: {id}\r\n")).await;
        assert_eq!(backend.id().await, id);
    }
    for id in not_kept() {
        ask(format!("x-request-id: {id}\r\n")).await;
        let made = backend.id().await;
        assert!(is_ours(&made), "{made} for {id:?}");
    }
    // Of several the first counts, and the others go no further.
    ask("x-request-id: first\r\nx-request-id: second\r\n".to_owned()).await;
    assert_eq!(backend.id().await, "first");
    ask(String::new()).await;
    let one = backend.id().await;
    ask(String::new()).await;
    let other = backend.id().await;
    assert!(is_ours(&one) && is_ours(&other) && one != other, "{one} {other}");
}

#[tokio::test]
async fn a_request_id_over_http2_is_judged_alike() {
    let stage = Stage::open();
    let mut backend = Backend::open(&stage, H2c, &[]).await;
    stage.apply(vec![bound_to("dep-a", "a.ep-r.io", Https, H2c, &[backend.address])]);
    let mut sender = connect(&stage, "a.ep-r.io").await;
    let kept = kept().into_iter().map(|id| (id, true));
    for (id, is_kept) in kept.chain(not_kept().into_iter().map(|id| (id, false))) {
        let value = HeaderValue::from_bytes(id.as_bytes()).unwrap();
        let request = Request::get("https://a.ep-r.io/").header("x-request-id", value).body(empty()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
        let heard = backend.id().await;
        assert!(if is_kept { heard == id } else { is_ours(&heard) }, "{heard} for {id:?}");
    }
}

/// A line of the log is one JSON object whatever a client writes where it may write.
#[tokio::test]
async fn what_clients_write_stays_within_its_field_of_the_log() {
    const WORDS: &str = "\"},{\"refusal\":\"none\\u000a";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    let stage = Stage::with(|config| config.access_log = AccessLogTarget::File(path.clone()));
    let mut backend = Backend::open(&stage, Http1, &[]).await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend.address])]);
    let head = format!(
        "GET /p\"%0a?secret=1 HTTP/1.1\r\nhost: a.ep-r.io\r\nx-request-id: {WORDS}\r\nuser-agent: {WORDS}\r\n\
         authorization: Bearer secret\r\ncookie: secret\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(plain(&stage, &head).await.status, 200);
    assert_eq!(backend.id().await, WORDS);
    stage.drain();
    stage.report().await;
    let log = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert_eq!((&lines[0]["request_id"], &lines[0]["user_agent"]), (&WORDS.into(), &WORDS.into()));
    assert_eq!((&lines[0]["path"], &lines[0]["refusal"]), (&"/p\"%0a".into(), &serde_json::Value::Null));
    assert!(!log.contains("secret"), "{log}");
}
