//! Interim answers (RFC 9110 15.2): each goes to a client that can know what it is.

use std::io::ErrorKind;
use std::time::Duration;

use proxy::config::Config;

use crate::client::Answer;
use crate::wire::{DOORS, Door, End, Scene, answer, cross, last_answer};

const GET: &str = "GET / HTTP/1.1";
const HINTS: &str =
    "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\nlink: </b.js>; rel=preload\r\n\r\n";
const PROCESSING: &str = "HTTP/1.1 102 Processing\r\n\r\n";
const UNKNOWN: &str = "HTTP/1.1 199 \r\nx: y\r\n\r\n";

async fn asked(scene: &Scene, door: Door, line: &str) -> (End, End) {
    let (client, mut backend) = scene.ask(door, door.request(line, "")).await;
    backend.hears(door.forwarded(&line.replace("1.0", "1.1"), "", "")).await;
    (client, backend)
}

#[tokio::test]
async fn each_is_passed_on_when_it_comes() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = asked(&scene, door, GET).await;
        for interim in [HINTS, PROCESSING, UNKNOWN, HINTS, "HTTP/1.1 100 Continue\r\n\r\n"] {
            backend.says(interim).await;
            client.hears(interim).await;
        }
        backend.says(answer("200 OK", "ok")).await;
        client.hears(answer("200 OK", "ok")).await;
        // All at once, on the same connections.
        client.says(door.request(GET, "")).await;
        backend.hears(door.forwarded(GET, "", "")).await;
        let all = [HINTS, HINTS, PROCESSING, &answer("200 OK", "ok")].concat();
        backend.says(&all).await;
        client.hears(&all).await;
    }
}

#[tokio::test]
async fn the_fields_of_a_hop_stay_on_it() {
    let scene = Scene::open().await;
    let (mut client, mut backend) = asked(&scene, Door::Plain, GET).await;
    backend
        .says(
            "HTTP/1.1 103 Early Hints\r\nConnection: close, x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\n\
             content-length: 7\r\nepr-refusal: no_route\r\nlink: </a>\r\n\r\n",
        )
        .await;
    client.hears("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n").await;
    backend.says(answer("200 OK", "ok")).await;
    client.hears(answer("200 OK", "ok")).await;
}

#[tokio::test]
async fn http10_gets_none() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = asked(&scene, door, "GET / HTTP/1.0").await;
        backend.says([HINTS, PROCESSING].concat()).await;
        backend.says(answer("200 OK", "ok")).await;
        client.hears_last(last_answer("200 OK", "ok")).await;
    }
}

#[tokio::test]
async fn they_come_while_the_body_goes() {
    for door in DOORS {
        let scene = Scene::open().await;
        let request = door.request("PUT /slow HTTP/1.1", "content-length: 8\r\n") + "half";
        let (mut client, mut backend) = scene.ask(door, request).await;
        backend.hears(door.forwarded("PUT /slow HTTP/1.1", "", "content-length: 8\r\n") + "half").await;
        backend.says(PROCESSING).await;
        client.hears(PROCESSING).await;
        client.says("half").await;
        backend.hears("half").await;
        backend.says(answer("201 Created", "")).await;
        client.hears(answer("201 Created", "")).await;
    }
}

#[tokio::test]
async fn who_breaks_off_after_one_has_not_answered() {
    let scene = Scene::open().await;
    let (mut client, mut backend) = asked(&scene, Door::Plain, GET).await;
    backend.says(HINTS).await;
    backend.stops().await;
    client.hears(HINTS).await;
    let refused = Answer::parse(client.hears_head().await.as_bytes());
    assert_eq!(refused.refusal(), (502, "backend_reset"));
    // What is no head behind it is no answer either.
    let (mut client, mut backend) = asked(&scene, Door::Plain, GET).await;
    backend.says(HINTS.to_owned() + "oops").await;
    client.hears(HINTS).await;
    let refused = Answer::parse(client.hears_head().await.as_bytes());
    assert_eq!(refused.refusal(), (502, "backend_garbage"));
}

#[tokio::test]
async fn nobody_switches_unasked() {
    let switch = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                  sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let old = "GET / HTTP/1.0";
    let rows = [(GET, "", ""), (GET, PROCESSING, PROCESSING), (old, "", ""), (old, PROCESSING, "")];
    for (door, (line, before, heard)) in cross(DOORS, rows) {
        let scene = Scene::open().await;
        let (mut client, mut backend) = asked(&scene, door, line).await;
        backend.says(before.to_owned() + switch).await;
        client.hears(heard).await;
        let refused = Answer::parse(client.hears_head().await.as_bytes());
        assert_eq!(refused.refusal(), (502, "backend_garbage"), "{line}");
        backend.is_reset().await;
    }
}

/// A client that has the first byte of a long interim answer and lets the rest lie, and its backend.
async fn told_more_than_it_takes(scene: &Scene, door: Door, line: &str, fields: &str) -> (End, End, String) {
    let (mut client, mut backend) = scene.ask(door, door.request(line, fields)).await;
    backend.hears(door.forwarded(line, "", fields)).await;
    let (first, rest) = ("H", format!("TTP/1.1 103 Early Hints\r\nlink: {}\r\n\r\n", "l".repeat(12 << 20)));
    backend.says(first.to_owned() + &rest).await;
    client.hears(first).await;
    (client, backend, rest)
}

fn with_long_heads(config: &mut Config) {
    config.limits.head_bytes = 16 << 20;
}

/// The client is gone from the proxy, and has nothing but the beginning of what it was told.
async fn is_cut(scene: &Scene, mut client: End, told: &str) {
    while scene.stage.open_connections() > 0 {
        tokio::task::yield_now().await;
    }
    let (heard, ended) = client.hears_out().await;
    assert_eq!(ended, Err(ErrorKind::ConnectionReset));
    assert!(heard.len() < told.len() && told.starts_with(&heard), "{:?}", heard.get(heard.len() - 300..));
}

#[tokio::test]
async fn who_does_not_take_one_is_a_slow_reader() {
    for door in DOORS {
        let scene = Scene::with(|config| {
            with_long_heads(config);
            config.timeouts.stalled = Duration::from_millis(50);
        })
        .await;
        let (client, mut backend, told) = told_more_than_it_takes(&scene, door, GET, "").await;
        is_cut(&scene, client, &told).await;
        backend.is_reset().await;
        assert_eq!(scene.refusals("slow_reader").await, 1);
    }
}

#[tokio::test]
async fn nothing_is_said_behind_a_part_of_one() {
    for door in DOORS {
        let scene = Scene::with(with_long_heads).await;
        let fields = "transfer-encoding: chunked\r\n";
        let asked = told_more_than_it_takes(&scene, door, "POST / HTTP/1.1", fields);
        let (mut client, mut backend, told) = asked.await;
        client.says("no chunk\r\n").await;
        is_cut(&scene, client, &told).await;
        backend.is_reset().await;
        assert_eq!(scene.refusals("bad_request").await, 1);
    }
}
