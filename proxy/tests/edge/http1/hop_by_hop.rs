//! Fields of one hop (RFC 9110 7.6.1): they and what Connection names go no further, and nobody can name away
//! what the edge stands on.

use crate::wire::{DOORS, Door, End, Scene, answer, last_answer};

const GET: &str = "GET / HTTP/1.1";

/// What the backend gets of a request, and the answer with which both connections go on.
async fn passes(scene: &Scene, ends: &mut Option<(End, End)>, door: Door, request: &str, forwarded: &str) {
    let (client, backend) = match ends {
        Some(ends) => {
            ends.0.says(request).await;
            ends
        }
        none => none.insert(scene.ask(door, request).await),
    };
    backend.hears(forwarded).await;
    backend.says(answer("200 OK", "ok")).await;
    client.hears(answer("200 OK", "ok")).await;
}

#[tokio::test]
async fn named_fields_of_requests_are_removed() {
    for door in DOORS {
        let scene = Scene::open().await;
        let mut ends = None;
        for (fields, passed) in [
            ("connection: x-a\r\nx-a: 1\r\nx-b: 2\r\n", "x-b: 2\r\n"),
            ("Connection: X-A , x-B,\r\nx-a: 1\r\nX-a: 3\r\nx-b: 2\r\n", ""),
            ("x-a: 1\r\nconnection: x-a\r\nx-c: 3\r\nconnection: ,,x-b\r\nx-b: 2\r\n", "x-c: 3\r\n"),
            ("connection: keep-alive\r\nkeep-alive: timeout=5\r\nproxy-connection: keep-alive\r\n", ""),
            ("te: trailers, deflate\r\nconnection: te\r\n", ""),
            ("te: trailers\r\n", ""),
            ("proxy-authorization: basic eA==\r\nproxy: http://x\r\n", ""),
            (
                "connection: cookie, authorization\r\ncookie: a=b\r\nauthorization: x\r\naccept: y\r\n",
                "accept: y\r\n",
            ),
            ("connection: \"x-a\"\r\nx-a: 1\r\n", "x-a: 1\r\n"),
            ("connection: \r\nx-a: 1\r\n", "x-a: 1\r\n"),
            ("close: 1\r\nconnection: x\r\n", "close: 1\r\n"),
        ] {
            passes(&scene, &mut ends, door, &door.request(GET, fields), &door.forwarded(GET, passed, ""))
                .await;
        }
    }
}

#[tokio::test]
async fn nobody_names_away_what_the_edge_says() {
    for door in DOORS {
        let scene = Scene::open().await;
        let mut ends = None;
        for named in [
            "host",
            "content-type",
            "epr-hop",
            "x-forwarded-for, x-forwarded-proto, x-forwarded-host, forwarded",
            "connection, transfer-encoding, content-length",
        ] {
            let fields = format!("connection: {named}\r\ncontent-type: t\r\n");
            let forwarded = door.forwarded(GET, "content-type: t\r\n", "");
            passes(&scene, &mut ends, door, &door.request(GET, &fields), &forwarded).await;
        }
        // How a body is framed stays said.
        let line = "POST / HTTP/1.1";
        for (framing, body) in
            [("content-length: 4\r\n", "body"), ("transfer-encoding: chunked\r\n", "4\r\nbody\r\n0\r\n\r\n")]
        {
            let fields = format!("connection: content-length, transfer-encoding, x-a\r\nx-a: 1\r\n{framing}");
            let forwarded = door.forwarded(line, "", framing) + body;
            passes(&scene, &mut ends, door, &(door.request(line, &fields) + body), &forwarded).await;
        }
    }
}

#[tokio::test]
async fn an_id_that_is_named_is_replaced() {
    let scene = Scene::open().await;
    let request = Door::Plain.request(GET, "connection: x-request-id\r\n");
    let (_client, mut backend) = scene.ask(Door::Plain, request).await;
    let head = backend.hears_head().await;
    let id = head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
    assert!(id.len() == 32 && head.matches("x-request-id").count() == 1, "{head}");
}

#[tokio::test]
async fn close_among_other_names_closes() {
    for door in DOORS {
        let scene = Scene::open().await;
        for odd in ["close, x-a, content-length", "x-a,close", "Close,keep-alive"] {
            let line = "POST / HTTP/1.1";
            let fields = format!("connection: {odd}\r\nx-a: 1\r\ncontent-length: 4\r\n");
            let (mut client, mut backend) = scene.ask(door, door.request(line, &fields) + "body").await;
            let passed = if odd.contains("x-a") { "" } else { "x-a: 1\r\n" };
            backend.hears(door.forwarded(line, passed, "content-length: 4\r\n") + "body").await;
            backend
                .says("HTTP/1.1 200 OK\r\ndate: D\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
                .await;
            client.hears_last(last_answer("200 OK", "ok")).await;
        }
    }
}

#[tokio::test]
async fn named_fields_of_answers_are_removed() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = scene.ask(door, door.request(GET, "")).await;
        for (said, passed) in [
            ("connection: x-a\r\nx-a: 1\r\nx-b: 2\r\n", "x-b: 2\r\n"),
            ("Connection: X-A\r\nx-a: 1\r\nconnection: keep-alive, x-b\r\nx-b: 2\r\n", ""),
            ("keep-alive: timeout=5\r\nproxy-connection: close\r\nupgrade: h2c\r\n", ""),
            ("connection: upgrade\r\nupgrade: h2c\r\n", ""),
            ("proxy-authenticate: basic\r\nepr-refusal: no_route\r\n", ""),
            ("connection: content-length, content-type\r\ncontent-type: t\r\n", "content-type: t\r\n"),
        ] {
            backend.hears(door.forwarded(GET, "", "")).await;
            backend.says(format!("HTTP/1.1 200 OK\r\ndate: D\r\n{said}content-length: 2\r\n\r\nok")).await;
            client.hears(format!("HTTP/1.1 200 OK\r\ndate: D\r\n{passed}content-length: 2\r\n\r\nok")).await;
            client.says(door.request(GET, "")).await;
        }
    }
}

#[tokio::test]
async fn a_backend_that_closes_does_not_make_its_clients_close() {
    for door in DOORS {
        let scene = Scene::open().await;
        let mut client = scene.client(door).await;
        for _ in 0..2 {
            client.says(door.request(GET, "")).await;
            let mut backend = scene.backend().await;
            backend.hears(door.forwarded(GET, "", "")).await;
            backend
                .says("HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 2\r\nConnection: Close\r\n\r\nok")
                .await;
            client.hears(answer("200 OK", "ok")).await;
            backend.hears_the_end().await;
        }
    }
}
