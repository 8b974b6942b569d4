//! Trailer sections (RFC 9110 6.5): passed on both ways as they come, whether or not TE asked for them, but
//! for fields that others might take for a head's.

use crate::client::Answer;
use crate::wire::{DOORS, Door, End, Scene, answer};

const POST: &str = "POST /sum HTTP/1.1";
const CHUNKED: &str = "transfer-encoding: chunked\r\n";
const BODY: &str = "4\r\nbody\r\n0\r\nx-sum: 1\r\nX-Sum: 2\r\netag: \"e\"\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 OK\r\ndate: D\r\ntrailer: x-sum, etag\r\ntransfer-encoding: chunked\r\n\r\n\
                      4\r\nbody\r\n0\r\nx-sum: 1\r\nX-Sum: 2\r\netag: \"e\"\r\n\r\n";

#[tokio::test]
async fn they_pass_both_ways() {
    for door in DOORS {
        let scene = Scene::open().await;
        for te in ["", "te: trailers\r\nconnection: te\r\n"] {
            let fields = format!("trailer: x-sum, etag\r\n{te}{CHUNKED}");
            let (mut client, mut backend) = scene.ask(door, door.request(POST, &fields) + BODY).await;
            backend.hears(door.forwarded(POST, "trailer: x-sum, etag\r\n", CHUNKED) + BODY).await;
            backend.says(ANSWER).await;
            client.hears(ANSWER).await;
            // Nothing of them is taken for what comes next.
            client.says(door.request("GET / HTTP/1.1", "connection: close\r\n")).await;
            backend.hears(door.forwarded("GET / HTTP/1.1", "", "")).await;
            backend.says("HTTP/1.1 204 No Content\r\ndate: D\r\nconnection: close\r\n\r\n").await;
            client.hears_last("HTTP/1.1 204 No Content\r\ndate: D\r\nconnection: close\r\n\r\n").await;
        }
    }
}

#[tokio::test]
async fn they_pass_in_pieces() {
    let scene = Scene::open().await;
    let (mut client, mut backend) =
        scene.ask(Door::Plain, Door::Plain.request(POST, CHUNKED) + "1\r\nx\r\n0\r\nx-s").await;
    backend.hears(Door::Plain.forwarded(POST, "", CHUNKED) + "1\r\nx\r\n0\r\nx-s").await;
    client.says("um: 1\r\n").await;
    backend.hears("um: 1\r\n").await;
    client.says("\r\n").await;
    backend.hears("\r\n").await;
    let (head, rest) = ANSWER.split_at(ANSWER.len() - 10);
    backend.says(head).await;
    client.hears(head).await;
    backend.says(rest).await;
    client.hears(rest).await;
}

/// What a backend that ends lines at a bare CR would take for a request of its own does not reach it, in whatever pieces.
#[tokio::test]
async fn no_part_of_a_line_passes_that_is_none() {
    for hidden in [
        "\rGET /x HTTP/1.1\rhost: b.ep-r.io\r\r",
        "a: b\rGET /x HTTP/1.1",
        "a\0",
        "x-forwarded-for: 10.9.9.9",
    ] {
        let scene = Scene::open().await;
        let (mut client, mut backend) =
            scene.ask(Door::Plain, Door::Plain.request(POST, CHUNKED) + "1\r\nx\r\n0\r\n").await;
        backend.hears(Door::Plain.forwarded(POST, "", CHUNKED) + "1\r\nx\r\n0\r\n").await;
        client.says(hidden).await;
        backend.is_reset().await;
        assert!(client.hears_head().await.starts_with("HTTP/1.1 400 "), "{hidden:?}");
    }
}

#[tokio::test]
async fn http10_has_none() {
    let scene = Scene::open().await;
    let request = Door::Plain.request("GET / HTTP/1.0", "connection: keep-alive\r\n");
    let (mut client, mut backend) = scene.ask(Door::Plain, request).await;
    backend.hears(Door::Plain.forwarded("GET / HTTP/1.1", "", "")).await;
    backend.says(ANSWER).await;
    let bare = "HTTP/1.1 200 OK\r\ndate: D\r\ntrailer: x-sum, etag\r\nconnection: close\r\n\r\nbody";
    client.hears_last(bare).await;
}

const FORBIDDEN: [&str; 8] = [
    "content-length: 4",
    "Transfer-Encoding: chunked",
    "host: other.ep-r.io",
    "x-forwarded-for: 10.9.9.9",
    "X_Forwarded_For: 10.9.9.9",
    "authorization: basic eA==",
    "connection: x-sum",
    "epr-hop: 1",
];

#[tokio::test]
async fn a_request_with_one_that_belongs_in_a_head_is_refused() {
    let scene = Scene::open().await;
    for field in FORBIDDEN {
        let request = Door::Plain.request(POST, CHUNKED) + "4\r\nbody\r\n";
        let (mut client, mut backend) = scene.ask(Door::Plain, request).await;
        backend.hears(Door::Plain.forwarded(POST, "", CHUNKED) + "4\r\nbody\r\n").await;
        client.says(format!("0\r\nx-sum: 1\r\n{field}\r\n\r\n")).await;
        let (heard, ended) = client.hears_out().await;
        let refused = Answer::parse(heard.as_bytes());
        assert_eq!((refused.refusal(), ended), ((400, "bad_request"), Ok(())), "{field}");
        backend.is_reset().await;
    }
}

#[tokio::test]
async fn an_answer_with_one_that_belongs_in_a_head_does_not_end() {
    let scene = Scene::open().await;
    for field in FORBIDDEN {
        let (mut client, mut backend) =
            scene.ask(Door::Plain, Door::Plain.request("GET / HTTP/1.1", "")).await;
        backend.hears(Door::Plain.forwarded("GET / HTTP/1.1", "", "")).await;
        let head = "HTTP/1.1 200 OK\r\ndate: D\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n";
        backend.says(head).await;
        client.hears(head).await;
        backend.says(format!("0\r\n{field}\r\n\r\n")).await;
        let (rest, _) = client.hears_out().await;
        assert_eq!(rest, "", "{field}: without its last chunk it is not whole");
        backend.is_reset().await;
    }
    assert_eq!(scene.refusals("backend_garbage").await, FORBIDDEN.len() as u64);
}

#[tokio::test]
async fn a_length_leaves_no_room_for_them() {
    let scene = Scene::open().await;
    let (mut client, mut backend) = scene
        .ask(Door::Plain, Door::Plain.request(POST, "trailer: x-sum\r\ncontent-length: 4\r\n") + "body")
        .await;
    backend.hears(Door::Plain.forwarded(POST, "trailer: x-sum\r\n", "content-length: 4\r\n") + "body").await;
    backend.says(answer("200 OK", "ok")).await;
    client.hears(answer("200 OK", "ok")).await;
    // What follows begins a request.
    client.says("x-sum: 1\r\n\r\n").await;
    let (heard, _) = client.hears_out().await;
    assert_eq!(Answer::parse(heard.as_bytes()).refusal(), (400, "bad_request"));
    let _: End = backend;
}
