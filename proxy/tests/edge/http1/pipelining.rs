//! Several requests before the first answer (RFC 9112 9.3.2): one after the other, in their order.

use crate::client::Answer;
use crate::wire::{DOORS, Door, End, Scene, answer, cross, last_answer};

const CLOSE: &str = "connection: close\r\n";

/// The `n`th of a mixed lot, and what the backend gets of it.
fn request(door: Door, n: usize) -> (String, String) {
    let line = |method| format!("{method} /{n} HTTP/1.1");
    match n % 3 {
        0 => (door.request(&line("GET"), ""), door.forwarded(&line("GET"), "", "")),
        1 => {
            let (body, length) = ("x".repeat(n), format!("content-length: {n}\r\n"));
            let request = door.request(&line("POST"), &length) + &body;
            (request, door.forwarded(&line("POST"), "", &length) + &body)
        }
        _ => {
            let (body, chunked) = ("3;e=1\r\nabc\r\n0\r\nt: v\r\n\r\n", "transfer-encoding: chunked\r\n");
            let request = door.request(&line("PUT"), chunked) + body;
            (request, door.forwarded(&line("PUT"), "", chunked) + body)
        }
    }
}

#[tokio::test]
async fn all_are_answered_in_their_order() {
    for (door, count) in cross(DOORS, [2, 3, 20, 100]) {
        let scene = Scene::open().await;
        let all: String = (0..count).map(|n| request(door, n).0).collect();
        let mut client = scene.client(door).await;
        // More than is read ahead may be among them: nobody waits for all to be taken.
        let told = async {
            client.says(&all).await;
            for n in 0..count {
                client.hears(answer("200 OK", &n.to_string())).await;
            }
            client
        };
        let answered = async {
            let mut backend = scene.backend().await;
            for n in 0..count {
                backend.hears(request(door, n).1).await;
                scene.settle().await;
                backend.hears_nothing();
                backend.says(answer("200 OK", &n.to_string())).await;
            }
            backend
        };
        let (mut client, mut backend) = tokio::join!(told, answered);
        client.says(door.request("GET /last HTTP/1.1", CLOSE)).await;
        backend.hears(door.forwarded("GET /last HTTP/1.1", "", "")).await;
        backend.says("HTTP/1.1 204 No Content\r\ndate: D\r\nconnection: close\r\n\r\n").await;
        client.hears_last("HTTP/1.1 204 No Content\r\ndate: D\r\nconnection: close\r\n\r\n").await;
    }
}

#[tokio::test]
async fn what_is_refused_has_its_place_among_them() {
    let scene = Scene::open().await;
    let unknown = "GET / HTTP/1.1\r\nhost: nobody.ep-r.io\r\n\r\n";
    let one = Door::Plain.request("GET / HTTP/1.1", "");
    let (mut client, mut backend) = scene.ask(Door::Plain, [&one, unknown, &one].concat()).await;
    backend.hears(Door::Plain.forwarded("GET / HTTP/1.1", "", "")).await;
    backend.says(answer("200 OK", "first")).await;
    client.hears(answer("200 OK", "first")).await;
    let refused = Answer::parse(client.hears_head().await.as_bytes());
    assert_eq!((refused.refusal(), refused.field("connection")), ((404, "no_route"), None));
    let length = refused.field("content-length").unwrap().parse().unwrap();
    client.hears_bytes(length).await;
    backend.hears(Door::Plain.forwarded("GET / HTTP/1.1", "", "")).await;
    backend.says(answer("200 OK", "third")).await;
    client.hears(answer("200 OK", "third")).await;
}

/// The first is answered by the backend, the rest is for nobody.
async fn first_of(scene: &Scene, door: Door, words: String, answer: &str) -> (End, End) {
    let (client, mut backend) = scene.ask(door, words).await;
    backend.hears(door.forwarded("GET / HTTP/1.1", "", "")).await;
    backend.says(answer).await;
    (client, backend)
}

#[tokio::test]
async fn a_bad_one_is_refused_after_the_good_ones_before_it() {
    for door in DOORS {
        let scene = Scene::open().await;
        let good = door.request("GET / HTTP/1.1", "");
        for bad in [
            "GET / HTTP/1.1\r\nhost : a\r\n\r\n".to_owned(),
            "\0".to_owned(),
            door.request("POST / HTTP/1.1", "content-length: 1\r\ntransfer-encoding: chunked\r\n"),
            door.request("POST / HTTP/1.1", "content-length: 1\r\ncontent-length: 1\r\n") + "x",
        ] {
            let (mut client, backend) =
                first_of(&scene, door, [&*good, &bad, &good].concat(), &answer("200 OK", "good")).await;
            client.hears(answer("200 OK", "good")).await;
            let (heard, ended) = client.hears_out().await;
            let refused = Answer::parse(heard.as_bytes());
            assert_eq!(
                (refused.refusal(), refused.field("connection"), ended),
                ((400, "bad_request"), Some("close"), Ok(())),
                "{bad:?}"
            );
            assert_eq!(heard.matches("HTTP/1.1 ").count(), 1, "nothing follows: {heard}");
            scene.settle().await;
            backend.hears_nothing();
            backend.resets();
            scene.settle().await;
        }
    }
}

#[tokio::test]
async fn nothing_is_answered_after_a_close() {
    for door in DOORS {
        let scene = Scene::open().await;
        // The client's, said in whatever way.
        for fields in [CLOSE, "Connection: x-a, CLOSE\r\n", "connection: keep-alive\r\nconnection: close\r\n"]
        {
            let words = door.request("GET / HTTP/1.1", fields) + &door.request("GET /more HTTP/1.1", "");
            let (mut client, backend) = first_of(&scene, door, words, &answer("200 OK", "last")).await;
            client.hears_last(last_answer("200 OK", "last")).await;
            scene.settle().await;
            backend.hears_nothing();
            backend.resets();
            scene.settle().await;
        }
        // What is no request is not even looked at.
        let words = door.request("GET / HTTP/1.1", CLOSE) + "\0\0 junk";
        let (mut client, backend) = first_of(&scene, door, words, &answer("200 OK", "last")).await;
        client.hears_last(last_answer("200 OK", "last")).await;
        backend.resets();
        scene.settle().await;
        // HTTP/1.0 closes unless it says otherwise.
        let words = door.request("GET / HTTP/1.0", "") + &door.request("GET /more HTTP/1.0", "");
        let (mut client, backend) = first_of(&scene, door, words, &answer("200 OK", "last")).await;
        client.hears_last(last_answer("200 OK", "last")).await;
        backend.resets();
        scene.settle().await;
    }
}

#[tokio::test]
async fn a_refusal_whose_body_nobody_reads_closes() {
    let scene = Scene::open().await;
    let mut client = scene.client(Door::Plain).await;
    let smuggled = Door::Plain.request("GET /smuggled HTTP/1.1", "");
    let length = smuggled.len();
    let refused = format!("POST / HTTP/1.1\r\nhost: nobody.ep-r.io\r\ncontent-length: {length}\r\n\r\n");
    client.says(refused + &smuggled).await;
    let (heard, ended) = client.hears_out().await;
    assert_eq!(Answer::parse(heard.as_bytes()).refusal(), (404, "no_route"));
    assert_eq!((heard.matches("HTTP/1.1 ").count(), ended), (1, Ok(())), "{heard}");
    scene.backend_is_left_alone().await;
}
