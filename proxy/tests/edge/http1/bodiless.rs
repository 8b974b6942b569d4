//! Answers without a body (RFC 9112 6.3): what they say of one, and what comes in spite of it.

use crate::wire::{DOORS, Door, End, Scene, answer, cross};

const HEAD: &str = "HEAD /page HTTP/1.1";
const GET: &str = "GET /page HTTP/1.1";

async fn asked(scene: &Scene, door: Door, line: &str) -> (End, End) {
    let (client, mut backend) = scene.ask(door, door.request(line, "")).await;
    backend.hears(door.forwarded(line, "", "")).await;
    (client, backend)
}

/// Both connections serve another request.
async fn both_go_on(client: &mut End, backend: &mut End, door: Door) {
    client.says(door.request(GET, "")).await;
    backend.hears(door.forwarded(GET, "", "")).await;
    backend.says(answer("200 OK", "next")).await;
    client.hears(answer("200 OK", "next")).await;
}

#[tokio::test]
async fn the_answer_to_head_tells_of_a_body_it_does_not_have() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = asked(&scene, door, HEAD).await;
        for (said, heard) in [
            ("content-length: 1000\r\n", "content-length: 1000\r\n"),
            ("content-length: 0\r\n", "content-length: 0\r\n"),
            ("transfer-encoding: chunked\r\ntrailer: x-sum\r\n", "trailer: x-sum\r\n"),
            ("", ""),
        ] {
            backend.says(format!("HTTP/1.1 200 OK\r\ndate: D\r\n{said}\r\n")).await;
            client.hears(format!("HTTP/1.1 200 OK\r\ndate: D\r\n{heard}\r\n")).await;
            client.says(door.request(HEAD, "")).await;
            backend.hears(door.forwarded(HEAD, "", "")).await;
        }
        backend.says("HTTP/1.1 404 Not Found\r\ndate: D\r\ncontent-length: 9\r\n\r\n").await;
        client.hears("HTTP/1.1 404 Not Found\r\ndate: D\r\ncontent-length: 9\r\n\r\n").await;
        both_go_on(&mut client, &mut backend, door).await;
    }
}

#[tokio::test]
async fn to_http10_too() {
    let scene = Scene::open().await;
    let request = Door::Plain.request("HEAD /page HTTP/1.0", "connection: keep-alive\r\n");
    let (mut client, mut backend) = scene.ask(Door::Plain, request).await;
    for said in ["content-length: 1000\r\n", ""] {
        backend.hears(Door::Plain.forwarded(HEAD, "", "")).await;
        backend.says(format!("HTTP/1.1 200 OK\r\ndate: D\r\n{said}\r\n")).await;
        client.hears(format!("HTTP/1.1 200 OK\r\ndate: D\r\n{said}connection: keep-alive\r\n\r\n")).await;
        client.says(Door::Plain.request("HEAD /page HTTP/1.0", "connection: keep-alive\r\n")).await;
    }
}

#[tokio::test]
async fn no_content_and_not_modified_end_with_their_heads() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = asked(&scene, door, GET).await;
        for (said, heard, is_kept) in [
            ("204 No Content\r\ndate: D\r\ncontent-length: 5\r\n", "204 No Content\r\ndate: D\r\n", false),
            (
                "204 No Content\r\ndate: D\r\ntransfer-encoding: chunked\r\n",
                "204 No Content\r\ndate: D\r\n",
                false,
            ),
            ("204 No Content\r\ndate: D\r\n", "204 No Content\r\ndate: D\r\n", true),
            (
                "304 Not Modified\r\ndate: D\r\netag: \"e\"\r\ncontent-length: 5\r\n",
                "304 Not Modified\r\ndate: D\r\netag: \"e\"\r\ncontent-length: 5\r\n",
                true,
            ),
            (
                "304 Not Modified\r\ndate: D\r\ntransfer-encoding: chunked\r\n",
                "304 Not Modified\r\ndate: D\r\n",
                false,
            ),
        ] {
            backend.says(format!("HTTP/1.1 {said}\r\n")).await;
            client.hears(format!("HTTP/1.1 {heard}\r\n")).await;
            if is_kept {
                both_go_on(&mut client, &mut backend, door).await;
            }
            client.says(door.request(GET, "")).await;
            if !is_kept {
                // What may still come of it would be the next answer.
                backend.hears_the_end().await;
                backend = scene.backend().await;
            }
            backend.hears(door.forwarded(GET, "", "")).await;
        }
    }
}

#[tokio::test]
async fn reset_content_has_a_length_like_any_other() {
    let scene = Scene::open().await;
    let (mut client, mut backend) = asked(&scene, Door::Plain, GET).await;
    for whole in [
        "HTTP/1.1 205 Reset Content\r\ndate: D\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 205 Reset Content\r\ndate: D\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        backend.says(whole).await;
        client.hears(whole).await;
        both_go_on(&mut client, &mut backend, Door::Plain).await;
        client.says(Door::Plain.request(GET, "")).await;
        backend.hears(Door::Plain.forwarded(GET, "", "")).await;
    }
    // Without one it ends with the connection.
    backend.says("HTTP/1.1 205 Reset Content\r\ndate: D\r\n\r\n").await;
    backend.stops().await;
    client
        .hears("HTTP/1.1 205 Reset Content\r\ndate: D\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")
        .await;
}

#[tokio::test]
async fn a_body_that_may_not_be_there_is_nobodys_answer() {
    let heads = [
        (HEAD, "HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 60\r\n\r\n"),
        (GET, "HTTP/1.1 204 No Content\r\ndate: D\r\n\r\n"),
        (GET, "HTTP/1.1 304 Not Modified\r\ndate: D\r\ncontent-length: 60\r\n\r\n"),
    ];
    for (door, (line, head)) in cross(DOORS, heads) {
        let (scene, forged) = (Scene::open().await, answer("200 OK", "forged"));
        // In one piece with the head, and after it.
        for (with, after) in [(&*forged, ""), ("", &*forged)] {
            let (mut client, mut backend) = asked(&scene, door, line).await;
            backend.says(head.to_owned() + with).await;
            client.hears(head).await;
            let _ = backend.tries_to_say(after).await;
            scene.settle().await;
            client.says(door.request(GET, "")).await;
            let mut another = scene.backend().await;
            another.hears(door.forwarded(GET, "", "")).await;
            // This one is not used again either.
            another
                .says("HTTP/1.1 200 OK\r\ndate: D\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
                .await;
            client.hears(answer("200 OK", "ok")).await;
        }
    }
}

#[tokio::test]
async fn a_last_answer_without_a_body_closes_both() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = scene.ask(door, door.request(HEAD, "connection: close\r\n")).await;
        backend.hears(door.forwarded(HEAD, "", "")).await;
        backend.says("HTTP/1.1 200 OK\r\ndate: D\r\nconnection: close\r\ncontent-length: 7\r\n\r\n").await;
        client
            .hears_last("HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 7\r\nconnection: close\r\n\r\n")
            .await;
        backend.hears_the_end().await;
    }
}
