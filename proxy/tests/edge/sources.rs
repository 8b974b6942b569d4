//! Whom a route serves changes while requests are under way.

use std::net::SocketAddr;
use std::time::Duration;

use http::Request;
use http_body_util::BodyExt;
use proto::BackendProtocol::Http1;
use proto::EdgeProtocol::{Http, Https};
use proxy::tasks::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::backends::{echo, serve};
use crate::client::{exchange, get, read_answer};
use crate::h2::{connect, empty};
use crate::observed::admin;
use crate::stage::{Stage, bound, bound_to, only_from};

const ELSEWHERE: &str = "198.51.100.0/24";
const ASK: &str = "GET / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n";

/// Says `words` and then nothing, until it is hung up on.
async fn falls_silent_after(tasks: &Tasks, words: &'static str) -> SocketAddr {
    serve(tasks, move |mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(words.as_bytes()).await;
        let _ = stream.read(&mut [0; 4096]).await;
    })
    .await
}

/// Sends for as long as someone takes it.
async fn never_ends(tasks: &Tasks) -> SocketAddr {
    serve(tasks, |mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
        let mut sent = stream.write_all(head).await;
        while sent.is_ok() {
            sent = stream.write_all(&[b'x'; 65536]).await;
        }
    })
    .await
}

/// In which nobody has to wait long for requests to count as long ones.
fn stage() -> Stage {
    Stage::with(|config| config.timeouts.watched_after = Duration::from_millis(5))
}

async fn asked(stage: &Stage) -> TcpStream {
    let mut stream = TcpStream::connect(stage.http).await.unwrap();
    stream.write_all(ASK.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_quiet_answer_to_a_source_newly_outside_is_cut() {
    let stage = stage();
    let backend = falls_silent_after(&stage.tasks, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let mut stream = asked(&stage).await;
    let mut heard = Vec::new();
    while !heard.ends_with(b"half") {
        heard.push(stream.read_u8().await.unwrap());
    }
    // Neither a move nor another list with the client in it ends a request.
    stage.apply(vec![bound_to("dep-b", "a.ep-r.io", Http, Http1, &[backend])]);
    stage.apply(vec![only_from(bound("a.ep-r.io", Http, &[backend]), "127.0.0.0/8")]);
    let served = only_from(bound("a.ep-r.io", Http, &[backend]), ELSEWHERE);
    let mut more = [0; 1];
    tokio::select! {
        biased;
        _ = stream.read(&mut more) => panic!("ended by a move"),
        () = tokio::task::yield_now() => stage.apply(vec![served]),
    }
    assert!(matches!(stream.read(&mut more).await, Ok(0) | Err(_)), "cut");
    assert_eq!(get(&stage, "a.ep-r.io", "/").await.refusal(), (403, "source_not_allowed"));
    let metrics = admin(&stage, "/metrics").await.body;
    assert!(metrics.contains("epr_refusals_total{reason=\"source_not_allowed\"} 2\n"), "{metrics}");
}

#[tokio::test]
async fn a_long_answer_is_cut_while_it_moves() {
    let stage = stage();
    let backend = never_ends(&stage.tasks).await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let mut stream = asked(&stage).await;
    stream.read_exact(&mut vec![0; 1 << 20]).await.unwrap();
    stage.apply(vec![only_from(bound("a.ep-r.io", Http, &[backend]), ELSEWHERE)]);
    let mut rest = Vec::new();
    // It would never end otherwise.
    let _ = stream.read_to_end(&mut rest).await;
}

#[tokio::test]
async fn who_still_waits_for_an_answer_is_refused() {
    let stage = stage();
    let backend = falls_silent_after(&stage.tasks, "").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let mut stream = asked(&stage).await;
    while !admin(&stage, "/metrics").await.body.contains("epr_backend_dials_total{outcome=\"opened\"} 1") {
        tokio::task::yield_now().await;
    }
    stage.apply(vec![only_from(bound("a.ep-r.io", Http, &[backend]), ELSEWHERE)]);
    assert_eq!(read_answer(&mut stream).await.refusal(), (403, "source_not_allowed"));
}

#[tokio::test]
async fn an_upload_of_a_source_newly_outside_is_refused() {
    let stage = stage();
    let backend = falls_silent_after(&stage.tasks, "").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let mut stream = TcpStream::connect(stage.http).await.unwrap();
    let half = b"POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 10\r\n\r\nhalf";
    stream.write_all(half).await.unwrap();
    stage.apply(vec![only_from(bound("a.ep-r.io", Http, &[backend]), ELSEWHERE)]);
    let answer = crate::client::Answer::parse(&exchange(&mut stream, b"").await);
    assert_eq!(answer.refusal(), (403, "source_not_allowed"));
}

#[tokio::test]
async fn other_names_on_the_same_connection_go_on() {
    let stage = stage();
    let words = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
    let (quiet, other) = (falls_silent_after(&stage.tasks, words).await, echo(&stage.tasks, "other").await);
    let b = || bound_to("dep-b", "b.ep-r.io", Https, Http1, &[other]);
    stage.apply(vec![bound("a.ep-r.io", Https, &[quiet]), b()]);
    let mut sender = connect(&stage, "a.ep-r.io").await;
    let ask = |host: &str| Request::get(format!("https://{host}/")).body(empty()).unwrap();
    let mut body = sender.send_request(ask("a.ep-r.io")).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
    stage.apply(vec![only_from(bound("a.ep-r.io", Https, &[quiet]), ELSEWHERE)]);
    assert!(body.frame().await.unwrap().is_err(), "its stream is reset");
    assert_eq!(sender.send_request(ask("b.ep-r.io")).await.unwrap().status(), 200);
    assert_eq!(sender.send_request(ask("a.ep-r.io")).await.unwrap().status(), 403);
}
