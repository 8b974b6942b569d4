//! Answers whose end is their connection's (RFC 9112 6.3): clients see whether they have all of it.

use std::io::ErrorKind;

use crate::wire::{DOORS, Door, End, Scene, cross};

const HEAD: &str = "HTTP/1.1 200 OK\r\ndate: D\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ndate: D\r\ntransfer-encoding: chunked\r\n\r\n";
const CLOSING: &str = "HTTP/1.1 200 OK\r\ndate: D\r\nconnection: close\r\n\r\n";

async fn asked(scene: &Scene, door: Door, version: &str) -> (End, End) {
    let fields = if version == "HTTP/1.0" { "connection: keep-alive\r\n" } else { "" };
    let request = door.request(&format!("GET / {version}"), fields);
    let (client, mut backend) = scene.ask(door, request).await;
    backend.hears(door.forwarded("GET / HTTP/1.1", "", "")).await;
    (client, backend)
}

#[tokio::test]
async fn http11_gets_chunks() {
    for (door, backends) in cross(DOORS, ["HTTP/1.1", "HTTP/1.0"]) {
        let scene = Scene::open().await;
        let mut client = scene.client(door).await;
        for _ in 0..2 {
            client.says(door.request("GET / HTTP/1.1", "")).await;
            let mut backend = scene.backend().await;
            backend.hears(door.forwarded("GET / HTTP/1.1", "", "")).await;
            backend.says(format!("{backends} 200 OK\r\ndate: D\r\nconnection: close\r\n\r\nfirst")).await;
            client.hears(CHUNKED.to_owned() + "5\r\nfirst\r\n").await;
            backend.says("second word").await;
            client.hears("b\r\nsecond word\r\n").await;
            backend.stops().await;
            client.hears("0\r\n\r\n").await;
        }
        // Nothing at all is an answer too.
        let (mut client, mut backend) = asked(&scene, door, "HTTP/1.1").await;
        backend.says(HEAD.to_owned() + "\r\n").await;
        backend.stops().await;
        client.hears(CHUNKED.to_owned() + "0\r\n\r\n").await;
    }
}

#[tokio::test]
async fn http10_gets_what_comes_until_the_end() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = asked(&scene, door, "HTTP/1.0").await;
        backend.says(HEAD.to_owned() + "\r\nfirst").await;
        client.hears(CLOSING.to_owned() + "first").await;
        backend.says("second").await;
        backend.stops().await;
        client.hears_last("second").await;
        // Chunks come without their frames.
        let (mut client, mut backend) = asked(&scene, door, "HTTP/1.0").await;
        backend.says(CHUNKED.to_owned() + "5;x=y\r\nfir").await;
        client.hears(CLOSING.to_owned() + "fir").await;
        backend.says("st\r\n6\r\nsecond\r\n0\r\nt: v\r\n\r\n").await;
        client.hears_last("stsecond").await;
    }
}

#[tokio::test]
async fn http10_stays_where_the_length_is_known() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = asked(&scene, door, "HTTP/1.0").await;
        for _ in 0..2 {
            backend.says(HEAD.to_owned() + "content-length: 2\r\n\r\nok").await;
            client.hears(HEAD.to_owned() + "content-length: 2\r\nconnection: keep-alive\r\n\r\nok").await;
            client.says(door.request("GET / HTTP/1.0", "connection: Keep-Alive\r\n")).await;
            backend.hears(door.forwarded("GET / HTTP/1.1", "", "")).await;
        }
    }
}

/// The backend begins with `said`, and ends too early: by a FIN, or by a reset.
async fn broken_off(scene: &Scene, door: Door, version: &str, said: &str, heard: &str, resets: bool) -> End {
    let (mut client, mut backend) = asked(scene, door, version).await;
    backend.says(said).await;
    client.hears(heard).await;
    if resets {
        backend.resets();
    } else {
        backend.stops().await;
    }
    client
}

#[tokio::test]
async fn what_breaks_off_does_not_look_whole() {
    let scene = Scene::open().await;
    let length = HEAD.to_owned() + "content-length: 9\r\n\r\nhalf";
    let chunked = CHUNKED.to_owned() + "9\r\nhalf";
    let until_close = HEAD.to_owned() + "\r\nhalf";
    for door in DOORS {
        // What is missing tells, whatever the end looks like.
        for resets in [true, false] {
            for (said, heard) in [(&length, &length), (&chunked, &chunked)] {
                let mut client = broken_off(&scene, door, "HTTP/1.1", said, heard, resets).await;
                let (rest, _) = client.hears_out().await;
                assert_eq!(rest, "", "{said:?}");
            }
        }
        let chunks = CHUNKED.to_owned() + "4\r\nhalf\r\n";
        let mut client = broken_off(&scene, door, "HTTP/1.1", &until_close, &chunks, true).await;
        assert_eq!(client.hears_out().await.0, "", "there is no last chunk");
        // Where nothing is missing it is the end that tells.
        let bare = CLOSING.to_owned() + "half";
        for (said, resets) in [(&until_close, true), (&chunked, true), (&chunked, false)] {
            let mut client = broken_off(&scene, door, "HTTP/1.0", said, &bare, resets).await;
            let (rest, ended) = client.hears_out().await;
            assert_eq!((&*rest, ended), ("", Err(ErrorKind::ConnectionReset)), "{door:?} {said:?}");
        }
    }
}
