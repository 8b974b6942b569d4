//! Backends that answer before they have heard all (RFC 9112 9.3, 9.6): the client gets the answer whole.

use std::time::Duration;

use crate::wire::{DOORS, Door, End, Scene, answer, last_answer};

const PUT: &str = "PUT /large HTTP/1.1";
const LENGTH: &str = "content-length: 8388608\r\n";
const TOO_LARGE: &str = "413 Content Too Large";

async fn began(scene: &Scene, door: Door) -> (End, End) {
    let (client, mut backend) = scene.ask(door, door.request(PUT, LENGTH) + "begun").await;
    backend.hears(door.forwarded(PUT, "", LENGTH) + "begun").await;
    (client, backend)
}

#[tokio::test]
async fn the_answer_is_heard_and_the_connection_ends() {
    for door in DOORS {
        let scene = Scene::open().await;
        // Who answers and leaves; and who answers and stays, but is not heard any more.
        for leaves in [true, false] {
            let (mut client, mut backend) = began(&scene, door).await;
            backend.says(answer(TOO_LARGE, "no")).await;
            if leaves {
                backend.stops().await;
            }
            client.hears_last(last_answer(TOO_LARGE, "no")).await;
            backend.is_reset().await;
        }
    }
}

#[tokio::test]
async fn a_client_in_the_middle_of_its_upload_hears_it() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = began(&scene, door).await;
        backend.says(answer(TOO_LARGE, &"no".repeat(50_000))).await;
        // The backend reads on for a while, and then no more.
        client.says(vec![b'x'; 1 << 20]).await;
        client.hears(last_answer(TOO_LARGE, &"no".repeat(50_000))).await;
        drop(backend);
        client.hears_the_end().await;
    }
}

#[tokio::test]
async fn a_backend_that_leaves_bytes_unread_is_heard_too() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = scene.ask(door, door.request(PUT, LENGTH)).await;
        backend.hears(door.forwarded(PUT, "", LENGTH)).await;
        client.says(vec![b'x'; 100_000]).await;
        scene.settle().await;
        backend.says(answer(TOO_LARGE, "no")).await;
        // With bytes it has not read this is a reset behind its answer.
        drop(backend);
        client.hears_last(last_answer(TOO_LARGE, "no")).await;
    }
}

#[tokio::test]
async fn both_ways_at_once() {
    for door in DOORS {
        let scene = Scene::open().await;
        let chunked = "transfer-encoding: chunked\r\n";
        let (mut client, mut backend) = scene.ask(door, door.request(PUT, chunked)).await;
        backend.hears(door.forwarded(PUT, "", chunked)).await;
        let head = "HTTP/1.1 200 OK\r\ndate: D\r\ntransfer-encoding: chunked\r\n";
        backend.says(head.to_owned() + "\r\n").await;
        client.hears(head.to_owned() + "connection: close\r\n\r\n").await;
        for piece in ["1\r\na\r\n", "2\r\nbc\r\n", "0\r\n\r\n"] {
            client.says(piece).await;
            backend.hears(piece).await;
            backend.says(piece).await;
            client.hears(piece).await;
        }
        // The upload was over before the answer: nothing is wrong, but that it was said to be the last.
        client.hears_the_end().await;
    }
}

#[tokio::test]
async fn an_answer_that_ends_before_the_upload_ends_it() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = began(&scene, door).await;
        backend.says("HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 4\r\n\r\nha").await;
        client.hears("HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 4\r\nconnection: close\r\n\r\nha").await;
        client.says("more").await;
        backend.hears("more").await;
        backend.says("lf").await;
        client.hears_last("lf").await;
        backend.is_reset().await;
    }
}

#[tokio::test]
async fn an_answer_after_the_last_byte_leaves_both_open() {
    for door in DOORS {
        let scene = Scene::open().await;
        let line = "POST / HTTP/1.1";
        let (mut client, mut backend) =
            scene.ask(door, door.request(line, "content-length: 4\r\n") + "bod").await;
        for _ in 0..3 {
            backend.hears(door.forwarded(line, "", "content-length: 4\r\n") + "bod").await;
            client.says("y").await;
            backend.hears("y").await;
            backend.says(answer(TOO_LARGE, "no")).await;
            client.hears(answer(TOO_LARGE, "no")).await;
            client.says(door.request(line, "content-length: 4\r\n") + "bod").await;
        }
    }
}

#[tokio::test]
async fn an_answer_that_ends_by_a_reset_is_not_whole() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = scene.ask(door, door.request(PUT, LENGTH)).await;
        backend.hears(door.forwarded(PUT, "", LENGTH)).await;
        // Until nobody takes any more of it.
        let mut refused = 0;
        while refused < 10 {
            refused = if client.says_some(&[b'x'; 65_536]).await.is_some() { 0 } else { refused + 1 };
            scene.settle().await;
        }
        backend.says("HTTP/1.1 200 OK\r\ndate: D\r\n\r\nhalf").await;
        let head = "HTTP/1.1 200 OK\r\ndate: D\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        client.hears(head.to_owned() + "4\r\nhalf\r\n").await;
        // Whether it had more to say nobody knows: the last chunk would say that it had not.
        drop(backend);
        assert_eq!(client.hears_out().await.0, "");
    }
}

#[tokio::test]
async fn a_client_that_sends_no_more_behind_the_answers_beginning_is_to_blame() {
    for door in DOORS {
        let scene = Scene::with(|config| config.timeouts.stalled = Duration::from_millis(300)).await;
        let (mut client, mut backend) = began(&scene, door).await;
        backend.says("HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 4\r\n\r\nha").await;
        client.hears("HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 4\r\nconnection: close\r\n\r\nha").await;
        assert_eq!(client.hears_out().await.0, "");
        backend.is_reset().await;
        assert_eq!(scene.refusals("body_timeout").await, 1);
    }
}

#[tokio::test]
async fn who_said_no_length_or_waits_for_a_word_may_be_quiet() {
    let fields = ["transfer-encoding: chunked\r\n", "content-length: 9\r\nexpect: 100-continue\r\n"];
    let door = Door::Plain;
    for fields in fields {
        let scene = Scene::with(|config| config.timeouts.stalled = Duration::from_millis(300)).await;
        let (mut client, mut backend) = scene.ask(door, door.request(PUT, fields)).await;
        backend.hears(door.forwarded(PUT, "", fields)).await;
        backend.says("HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 4\r\n\r\nha").await;
        client.hears("HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 4\r\nconnection: close\r\n\r\nha").await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        backend.says("lf").await;
        client.hears_last("lf").await;
    }
}
