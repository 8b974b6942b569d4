//! Interim answers (RFC 9110 15.2): each goes to a client that can know what it is.

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
