//! Clients that have said all they have to say: what is whole is answered, what is not was never asked.

use crate::client::Answer;
use crate::wire::{DOORS, Scene, answer};

const GET: &str = "GET / HTTP/1.1";

#[tokio::test]
async fn whole_requests_are_answered() {
    for door in DOORS {
        let scene = Scene::open().await;
        for count in [1, 3] {
            let (mut client, mut backend) = scene.ask(door, door.request(GET, "").repeat(count)).await;
            client.stops().await;
            scene.settle().await;
            for _ in 0..count {
                backend.hears(door.forwarded(GET, "", "")).await;
                backend.says(answer("200 OK", "still here")).await;
            }
            client.hears_last(answer("200 OK", "still here").repeat(count)).await;
            // It was an answer like any other: its connection is of use to the next client.
            let mut next = scene.client(door).await;
            next.says(door.request(GET, "connection: close\r\n")).await;
            backend.hears(door.forwarded(GET, "", "")).await;
            backend.says("HTTP/1.1 204 No Content\r\ndate: D\r\nconnection: close\r\n\r\n").await;
            next.hears_last("HTTP/1.1 204 No Content\r\ndate: D\r\nconnection: close\r\n\r\n").await;
        }
    }
}

#[tokio::test]
async fn a_whole_upload_is_answered() {
    for door in DOORS {
        let scene = Scene::open().await;
        let request = door.request("POST / HTTP/1.1", "content-length: 4\r\n");
        let (mut client, mut backend) = scene.ask(door, request + "bo").await;
        backend.hears(door.forwarded("POST / HTTP/1.1", "", "content-length: 4\r\n") + "bo").await;
        client.says("dy").await;
        client.stops().await;
        backend.hears("dy").await;
        scene.settle().await;
        backend.says(answer("200 OK", "ok")).await;
        client.hears_last(answer("200 OK", "ok")).await;
    }
}

#[tokio::test]
async fn half_a_body_is_none() {
    for door in DOORS {
        let scene = Scene::open().await;
        for (framing, half) in [
            ("content-length: 10\r\n", "half"),
            ("transfer-encoding: chunked\r\n", "4\r\nhalf\r\n"),
            ("transfer-encoding: chunked\r\n", "4\r\nhalf\r\n0\r\n"),
            ("transfer-encoding: chunked\r\n", ""),
        ] {
            let line = "POST / HTTP/1.1";
            let (mut client, mut backend) = scene.ask(door, door.request(line, framing) + half).await;
            backend.hears(door.forwarded(line, "", framing) + half).await;
            client.stops().await;
            backend.is_reset().await;
            assert_eq!(client.hears_out().await.0, "", "nothing was asked");
        }
        assert_eq!(scene.refusals("client_gone").await, 4);
    }
}

#[tokio::test]
async fn half_a_head_is_told_so() {
    for door in DOORS {
        let scene = Scene::open().await;
        for half in ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: plain.ep-r.io\r\n"] {
            let mut client = scene.client(door).await;
            client.says(half).await;
            client.stops().await;
            let (heard, ended) = client.hears_out().await;
            let refused = Answer::parse(heard.as_bytes());
            assert_eq!(
                (refused.refusal(), refused.field("connection"), ended),
                ((400, "bad_request"), Some("close"), Ok(())),
                "{half:?}"
            );
        }
        scene.backend_is_left_alone().await;
    }
}

#[tokio::test]
async fn who_asks_nothing_is_told_nothing() {
    for door in DOORS {
        let scene = Scene::open().await;
        let mut fresh = scene.client(door).await;
        fresh.stops().await;
        fresh.hears_the_end().await;
        let (mut served, mut backend) = scene.ask(door, door.request(GET, "")).await;
        backend.hears(door.forwarded(GET, "", "")).await;
        backend.says(answer("200 OK", "ok")).await;
        served.hears(answer("200 OK", "ok")).await;
        // A blank line after a request is what clients of old added to it (RFC 9112 2.2).
        served.says("\r\n").await;
        served.stops().await;
        served.hears_the_end().await;
        assert_eq!(scene.refusals("bad_request").await, 0);
    }
}

#[tokio::test]
async fn who_is_gone_is_not_waited_for() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (client, mut backend) = scene.ask(door, door.request(GET, "")).await;
        backend.hears(door.forwarded(GET, "", "")).await;
        client.resets();
        backend.is_reset().await;
        assert_eq!(scene.refusals("client_gone").await, 1);
    }
}
