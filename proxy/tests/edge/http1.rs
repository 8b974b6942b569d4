//! Requests over HTTP/1.1 and 1.0: which are taken, and what the backend gets.

mod accounts;
mod bodies;
mod bodiless;
mod broken;
mod early;
mod expect;
mod halves;
mod heads;
mod hop_by_hop;
mod interim;
mod lengthless;
mod pieces;
mod pipelining;
mod trailers;
mod upgrades;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Response;
use proto::EdgeProtocol::Http;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::backends::{echo, http1, nobody, says, serve, whole};
use crate::client::{Answer, exchange, get, plain, read_answer};
use crate::observed::admin;
use crate::stage::{Stage, bound};

async fn stage() -> Stage {
    let stage = Stage::open();
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    stage
}

#[tokio::test]
async fn requests_that_could_be_read_in_two_ways_are_refused() {
    let stage = stage().await;
    for (request, refusal) in [
        ("GET / HTTP/1.1\r\n\r\n", "missing_host"),
        ("GET / HTTP/1.1\r\nhost: a.ep-r.io\r\nhost: a.ep-r.io\r\n\r\n", "repeated_host"),
        ("GET / HTTP/1.1\r\nhost: u@a.ep-r.io\r\n\r\n", "bad_authority"),
        ("GET / HTTP/1.1\r\nhost: a.ep-r.io:99999\r\n\r\n", "bad_authority"),
        ("GET / HTTP/1.1\r\nhost: b\u{fc}.ep-r.io\r\n\r\n", "bad_authority"),
        ("GET http://u@a.ep-r.io/ HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n", "bad_request"),
        ("GET ftp://a.ep-r.io/ HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n", "bad_request"),
    ] {
        assert_eq!(plain(&stage, request).await.refusal(), (400, refusal), "{request}");
    }
    let connect = plain(&stage, "CONNECT a.ep-r.io:443 HTTP/1.1\r\nhost: a.ep-r.io:443\r\n\r\n").await;
    assert_eq!(connect.refusal(), (501, "connect_not_supported"));
    assert_eq!(plain(&stage, "\x16 nonsense\r\n\r\n").await.status, 400);
}

#[tokio::test]
async fn absolute_form_beats_host() {
    let stage = stage().await;
    let answer = plain(
        &stage,
        "GET http://a.ep-r.io:8080/x?y HTTP/1.1\r\nhost: other.ep-r.io\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.body.starts_with("backend\nGET /x?y HTTP/1.1\n"), "{}", answer.body);
    assert!(answer.body.contains("host: a.ep-r.io:8080\n"), "{}", answer.body);
}

#[tokio::test]
async fn the_backend_learns_who_asks_and_only_from_us() {
    let stage = stage().await;
    let answer = plain(
        &stage,
        "POST /p HTTP/1.1\r\nhost: a.ep-r.io\r\nx-forwarded-for: 10.9.9.9\r\nforwarded: for=10.9.9.9\r\n\
         upgrade: h2c\r\nhttp2-settings: AAM\r\nx-secret: 1\r\nconnection: close, upgrade, x-secret\r\n\
         x-request-id: mine-1\r\ncontent-length: 4\r\n\r\nbody",
    )
    .await;
    let body = answer.body.as_str();
    for line in [
        "POST /p HTTP/1.1\n",
        "x-forwarded-for: 127.0.0.1\n",
        "x-forwarded-proto: http\n",
        "x-forwarded-host: a.ep-r.io\n",
        "forwarded: for=127.0.0.1;proto=http\n",
        "x-request-id: mine-1\n",
        "epr-hop: 1\n",
        "content-length: 4\n",
    ] {
        assert!(body.contains(line), "no {line:?} in {body}");
    }
    assert!(body.ends_with("\nbody"));
    for gone in ["10.9.9.9", "upgrade", "http2-settings", "x-secret", "connection"] {
        assert!(!body.contains(gone), "{gone} in {body}");
    }
}

#[tokio::test]
async fn old_clients_and_half_closed_ones_are_answered() {
    let stage = stage().await;
    let old = plain(&stage, "GET /old HTTP/1.0\r\nhost: a.ep-r.io\r\n\r\n").await;
    assert_eq!(old.status, 200);
    assert!(old.body.starts_with("backend\nGET /old HTTP/1.1\n"), "{}", old.body);
    let mut stream = TcpStream::connect(stage.http).await.unwrap();
    stream.write_all(b"GET /half HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 200);
}

#[tokio::test]
async fn bodies_arrive_whatever_the_method() {
    let stage = stage().await;
    for method in ["GET", "DELETE", "POST"] {
        let chunked = format!(
            "{method} / HTTP/1.1\r\nhost: a.ep-r.io\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n\
             4\r\nbody\r\n0\r\n\r\n"
        );
        let answer = plain(&stage, &chunked).await;
        assert!(answer.body.ends_with("transfer-encoding: chunked\nbody"), "{method} {}", answer.body);
    }
}

#[tokio::test]
async fn a_connection_serves_request_after_request() {
    let stage = stage().await;
    let mut stream = TcpStream::connect(stage.http).await.unwrap();
    for n in 0..3 {
        stream.write_all(format!("GET /{n} HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n").as_bytes()).await.unwrap();
        assert!(read_answer(&mut stream).await.body.contains(&format!("GET /{n} ")));
    }
    // A refusal that leaves no doubt where the next request begins does not close either.
    stream.write_all(b"GET / HTTP/1.1\r\nhost: nobody.ep-r.io\r\n\r\n").await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 404);
    stream.write_all(b"GET /last HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n").await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 200);
}

#[tokio::test]
async fn large_bodies_stream_both_ways() {
    let stage = stage().await;
    let mut stream = TcpStream::connect(stage.http).await.unwrap();
    let body: String = ('a'..='z').cycle().take(3_000_000).collect();
    let request = format!(
        "PUT / HTTP/1.1\r\nhost: a.ep-r.io\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let heard = String::from_utf8(exchange(&mut stream, body.as_bytes()).await).unwrap();
    assert!(heard.ends_with(&body), "{} bytes", heard.len());
}

#[tokio::test]
async fn what_backends_do_wrong_is_told_apart() {
    let stage = Stage::with(|config| config.timeouts.first_byte = std::time::Duration::from_millis(50));
    let silent = serve(&stage.tasks, |mut stream| async move {
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
    });
    let garbage = says(&stage.tasks, b"220 smtp.example ESMTP\r\n");
    let reset = serve(&stage.tasks, |mut stream| async move {
        let _ = stream.read_u8().await;
    });
    let spoof = http1(&stage.tasks, |_| async {
        Response::builder().status(503).header("epr-refusal", "no_route").body(whole("mine")).unwrap()
    });
    stage.apply(vec![
        bound("silent.ep-r.io", Http, &[silent.await]),
        bound("garbage.ep-r.io", Http, &[garbage.await]),
        bound("reset.ep-r.io", Http, &[reset.await]),
        bound("spoof.ep-r.io", Http, &[spoof.await]),
        bound("metadata.ep-r.io", Http, &["169.254.169.254:80".parse().unwrap()]),
        bound("own.ep-r.io", Http, &[stage.http]),
    ]);
    for (host, status, refusal) in [
        ("silent.ep-r.io", 504, "backend_timeout"),
        ("garbage.ep-r.io", 502, "backend_garbage"),
        ("reset.ep-r.io", 502, "backend_reset"),
        ("spoof.ep-r.io", 503, "-"),
        ("metadata.ep-r.io", 502, "backend_forbidden"),
        ("own.ep-r.io", 502, "backend_forbidden"),
    ] {
        assert_eq!(get(&stage, host, "/").await.refusal(), (status, refusal), "{host}");
    }
}

#[tokio::test]
async fn a_backend_that_sends_requests_back_is_stopped() {
    let stage = Stage::open();
    let (edge, passes) = (stage.http, Arc::new(AtomicUsize::new(0)));
    let count = passes.clone();
    let looping = http1(&stage.tasks, move |request| {
        count.fetch_add(1, Ordering::Relaxed);
        let hop = request.headers()["epr-hop"].to_str().unwrap().to_owned();
        async move {
            let mut stream = TcpStream::connect(edge).await.unwrap();
            let again = format!(
                "GET / HTTP/1.1\r\nhost: loop.ep-r.io\r\nepr-hop: {hop}\r\nconnection: close\r\n\r\n"
            );
            let heard = exchange(&mut stream, again.as_bytes()).await;
            Response::new(whole(heard))
        }
    })
    .await;
    stage.apply(vec![bound("loop.ep-r.io", Http, &[looping])]);
    let answer = get(&stage, "loop.ep-r.io", "/").await;
    assert!(answer.body.contains("HTTP/1.1 508"), "{}", answer.body);
    assert_eq!(passes.load(Ordering::Relaxed), 8);
}

#[tokio::test]
async fn another_backend_is_tried_when_nothing_can_happen_twice() {
    let stage = Stage::open();
    let (good, dead) = (echo(&stage.tasks, "good").await, nobody().await);
    let closing = serve(&stage.tasks, |mut stream| async move {
        let mut head = [0; 16];
        let _ = stream.read_exact(&mut head).await;
    })
    .await;
    stage.apply(vec![
        bound("dead.ep-r.io", Http, &[good, dead]),
        bound("closing.ep-r.io", Http, &[good, closing]),
    ]);
    let post = |host: &str| {
        format!("POST / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi")
    };
    let mut reset = 0;
    for _ in 0..20 {
        assert_eq!(plain(&stage, &post("dead.ep-r.io")).await.status, 200, "nothing was sent: any method");
        assert_eq!(get(&stage, "closing.ep-r.io", "/").await.status, 200, "GET may be repeated");
        let answer = plain(&stage, &post("closing.ep-r.io")).await;
        reset += usize::from(answer.refusal() == (502, "backend_reset"));
    }
    assert!(reset > 0, "a POST that may have been taken must not be sent again");
}

#[tokio::test]
async fn an_old_backend_does_not_make_clients_close() {
    let stage = Stage::open();
    let old = says(&stage.tasks, b"HTTP/1.0 200 OK\r\n\r\nold").await;
    stage.apply(vec![bound("old.ep-r.io", Http, &[old])]);
    let mut stream = TcpStream::connect(stage.http).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: old.ep-r.io\r\n\r\n").await.unwrap();
        let (mut heard, whole) = (Vec::new(), b"\r\n\r\n3\r\nold\r\n0\r\n\r\n");
        while !heard.ends_with(whole) {
            heard.push(stream.read_u8().await.unwrap());
        }
        assert!(heard.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&heard));
    }
}

#[tokio::test]
async fn a_body_has_one_framing() {
    let stage = Stage::open();
    let both = says(
        &stage.tasks,
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n4\r\nlong\r\n0\r\n\r\n",
    );
    let coded = says(&stage.tasks, b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
    let (both, coded) = (both.await, coded.await);
    stage.apply(vec![bound("both.ep-r.io", Http, &[both]), bound("coded.ep-r.io", Http, &[coded])]);
    assert_eq!(get(&stage, "both.ep-r.io", "/").await.refusal(), (502, "backend_garbage"));
    assert_eq!(get(&stage, "coded.ep-r.io", "/").await.refusal(), (502, "backend_garbage"));
    let request =
        "POST / HTTP/1.1\r\nhost: both.ep-r.io\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(plain(&stage, request).await.refusal(), (501, "unknown_coding"));
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_broken_off() {
    let stage = Stage::with(|config| config.timeouts.body_idle = std::time::Duration::from_millis(50));
    let quiet = serve(&stage.tasks, |mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
        // Until the proxy gives it up.
        let _ = stream.read(&mut [0; 4096]).await;
    })
    .await;
    stage.apply(vec![bound("quiet.ep-r.io", Http, &[quiet])]);
    let answer = get(&stage, "quiet.ep-r.io", "/").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "half"));
    let metrics = admin(&stage, "/metrics").await.body;
    assert!(metrics.contains("epr_refusals_total{reason=\"backend_timeout\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn clients_that_stop_in_the_middle_are_cut() {
    let stage = Stage::with(|config| config.timeouts.stalled = std::time::Duration::from_millis(50));
    let backend = echo(&stage.tasks, "backend").await;
    let big = http1(&stage.tasks, |_| async { Response::new(whole(vec![b'x'; 50_000_000])) }).await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend]), bound("big.ep-r.io", Http, &[big])]);
    let half = "POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 10\r\n\r\nhalf";
    assert_eq!(plain(&stage, half).await.refusal(), (408, "body_timeout"));
    let mut deaf = TcpStream::connect(stage.http).await.unwrap();
    deaf.write_all(b"GET / HTTP/1.1\r\nhost: big.ep-r.io\r\n\r\n").await.unwrap();
    deaf.read_u8().await.unwrap();
    // It reads on only after the proxy has lost its patience, which the count of connections tells.
    while stage.open_connections() > 0 {
        tokio::task::yield_now().await;
    }
    let mut heard = Vec::new();
    let _ = deaf.read_to_end(&mut heard).await;
    assert!((1..50_000_000).contains(&heard.len()), "{}", heard.len());
}

#[tokio::test]
async fn clients_that_are_always_slow_are_cut_though_they_move() {
    let stage = Stage::with(|config| {
        config.timeouts.body_grace = std::time::Duration::from_millis(50);
        config.limits.body_rate = std::num::NonZeroU32::MAX;
    });
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let mut trickling = TcpStream::connect(stage.http).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 1000000000\r\n\r\n";
    trickling.write_all(head).await.unwrap();
    let (mut from, mut to) = trickling.into_split();
    let mut heard = Vec::new();
    let trickle = async { while to.write_all(b"x").await.is_ok() {} };
    // Which of the two ends first is chance: what was said in time is there all the same.
    let (_, _) = tokio::join!(trickle, from.read_to_end(&mut heard));
    assert_eq!(Answer::parse(&heard).refusal(), (408, "body_timeout"));
}

#[tokio::test]
async fn slow_heads_are_cut() {
    let stage = Stage::with(|config| {
        config.timeouts.head = std::time::Duration::from_millis(50);
        config.timeouts.keep_alive = std::time::Duration::from_millis(100);
    });
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let mut slow = TcpStream::connect(stage.http).await.unwrap();
    let answer = Answer::parse(&exchange(&mut slow, b"GET / HTTP/1.1\r\nhost: a.e").await);
    assert_eq!(answer.refusal(), (408, "head_timeout"));
    let mut silent = TcpStream::connect(stage.http).await.unwrap();
    assert_eq!(exchange(&mut silent, b"").await, b"", "who has said nothing is told nothing");
    let mut idle = TcpStream::connect(stage.http).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n").await.unwrap();
    assert_eq!(read_answer(&mut idle).await.status, 200);
    assert_eq!(exchange(&mut idle, b"").await, b"", "closed when idle");
}
