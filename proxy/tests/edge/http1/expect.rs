//! `Expect: 100-continue` (RFC 9110 10.1.1): the backend's word counts, and is the client's to wait for.

use std::time::Duration;

use crate::client::Answer;
use crate::wire::{DOORS, Door, Scene, answer, last_answer};

const EXPECTS: &str = "expect: 100-continue\r\ncontent-length: 4\r\n";
/// What the backend gets of it.
const EXPECTED: &str = "content-length: 4\r\nexpect: 100-continue\r\n";
const POST: &str = "POST /upload HTTP/1.1";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

#[tokio::test]
async fn the_body_comes_once_the_backend_has_asked_for_it() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = scene.ask(door, door.request(POST, EXPECTS)).await;
        for round in ["first", "again"] {
            backend.hears(door.forwarded(POST, "", EXPECTED)).await;
            scene.settle().await;
            backend.says(CONTINUE).await;
            client.hears(CONTINUE).await;
            client.says("body").await;
            backend.hears("body").await;
            backend.says(answer("200 OK", round)).await;
            client.hears(answer("200 OK", round)).await;
            if round == "first" {
                client.says(door.request(POST, EXPECTS)).await;
            }
        }
    }
}

#[tokio::test]
async fn chunks_wait_too() {
    let scene = Scene::open().await;
    let fields = "transfer-encoding: chunked\r\nExpect: 100-Continue\r\n";
    let (mut client, mut backend) = scene.ask(Door::Plain, Door::Plain.request(POST, fields)).await;
    let own = "transfer-encoding: chunked\r\nexpect: 100-continue\r\n";
    backend.hears(Door::Plain.forwarded(POST, "", own)).await;
    backend.says(CONTINUE).await;
    client.hears(CONTINUE).await;
    client.says("4\r\nbody\r\n0\r\n\r\n").await;
    backend.hears("4\r\nbody\r\n0\r\n\r\n").await;
    backend.says(answer("200 OK", "")).await;
    client.hears(answer("200 OK", "")).await;
}

#[tokio::test]
async fn a_final_answer_may_come_instead() {
    for door in DOORS {
        let scene = Scene::open().await;
        for status in ["417 Expectation Failed", "403 Forbidden", "200 OK"] {
            let (mut client, mut backend) = scene.ask(door, door.request(POST, EXPECTS)).await;
            backend.hears(door.forwarded(POST, "", EXPECTED)).await;
            backend.says(answer(status, "no need")).await;
            // Whether the client now sends its body or its next request nobody could tell.
            client.hears_last(last_answer(status, "no need")).await;
            backend.is_reset().await;
        }
    }
}

#[tokio::test]
async fn who_does_not_wait_is_served_all_the_same() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = scene.ask(door, door.request(POST, EXPECTS) + "body").await;
        for word in ["", CONTINUE, ""] {
            backend.hears(door.forwarded(POST, "", EXPECTED) + "body").await;
            backend.says(word.to_owned() + &answer("200 OK", "ok")).await;
            client.hears(word.to_owned() + &answer("200 OK", "ok")).await;
            client.says(door.request(POST, EXPECTS) + "body").await;
        }
    }
}

#[tokio::test]
async fn http10_knows_neither_the_expectation_nor_the_word() {
    for door in DOORS {
        let scene = Scene::open().await;
        let request = door.request("POST /upload HTTP/1.0", EXPECTS) + "body";
        let (mut client, mut backend) = scene.ask(door, request).await;
        backend.hears(door.forwarded(POST, "", "content-length: 4\r\n") + "body").await;
        backend.says(CONTINUE.to_owned() + &answer("200 OK", "ok")).await;
        client.hears_last(last_answer("200 OK", "ok")).await;
    }
}

#[tokio::test]
async fn there_is_nothing_to_wait_for_without_a_body() {
    let scene = Scene::open().await;
    let request = Door::Plain.request("GET / HTTP/1.1", "expect: 100-continue\r\n");
    let (mut client, mut backend) = scene.ask(Door::Plain, request).await;
    backend.hears(Door::Plain.forwarded("GET / HTTP/1.1", "", "")).await;
    backend.says(answer("200 OK", "ok")).await;
    client.hears(answer("200 OK", "ok")).await;
}

#[tokio::test]
async fn other_expectations_are_refused() {
    let scene = Scene::open().await;
    let expectations = ["200-ok", "100-continue, x", "", "100-continue=1"];
    let repeated = "100-continue\r\nexpect: 100-continue";
    for expectation in expectations.into_iter().chain([repeated]) {
        let mut client = scene.client(Door::Plain).await;
        let fields = format!("expect: {expectation}\r\ncontent-length: 4\r\n");
        client.says(Door::Plain.request(POST, &fields)).await;
        let (heard, ended) = client.hears_out().await;
        let refused = Answer::parse(heard.as_bytes());
        assert_eq!(
            (refused.refusal(), refused.field("connection"), ended),
            ((417, "expectation_failed"), Some("close"), Ok(())),
            "{expectation}"
        );
    }
    scene.backend_is_left_alone().await;
}

#[tokio::test]
async fn a_refusal_does_not_ask_for_the_body() {
    let scene = Scene::open().await;
    let mut client = scene.client(Door::Plain).await;
    client.says(format!("{POST}\r\nhost: nobody.ep-r.io\r\n{EXPECTS}\r\n")).await;
    let (heard, ended) = client.hears_out().await;
    let refused = Answer::parse(heard.as_bytes());
    assert_eq!(
        (refused.refusal(), refused.field("connection"), ended),
        ((404, "no_route"), Some("close"), Ok(()))
    );
}

#[tokio::test]
async fn it_is_the_backend_who_keeps_a_waiting_client_waiting() {
    let scene = Scene::with(|config| config.timeouts.first_byte = Duration::from_millis(50)).await;
    let mut client = scene.client(Door::Plain).await;
    client.says(Door::Plain.request(POST, EXPECTS)).await;
    let (heard, _) = client.hears_out().await;
    assert_eq!(Answer::parse(heard.as_bytes()).refusal(), (504, "backend_timeout"));
    // Once it was asked for, the body is the client's to send.
    let scene = Scene::with(|config| config.timeouts.stalled = Duration::from_millis(50)).await;
    let (mut client, mut backend) = scene.ask(Door::Plain, Door::Plain.request(POST, EXPECTS)).await;
    backend.hears(Door::Plain.forwarded(POST, "", EXPECTED)).await;
    backend.says(CONTINUE).await;
    client.hears(CONTINUE).await;
    let (heard, _) = client.hears_out().await;
    assert_eq!(Answer::parse(heard.as_bytes()).refusal(), (408, "body_timeout"));
}
