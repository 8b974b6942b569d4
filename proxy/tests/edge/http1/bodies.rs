//! Bodies: byte for byte whatever their framing, and no faster than who takes them.

use crate::client::Answer;
use crate::wire::{DOORS, Door, End, Scene, answer};

const POST: &str = "POST /up HTTP/1.1";
const CHUNKED: &str = "transfer-encoding: chunked\r\n";
const LARGE: usize = 8 << 20;

/// Bytes none of which is where another could be.
fn large() -> Vec<u8> {
    (0..LARGE / 4).flat_map(|n| u32::try_from(n).unwrap().to_be_bytes()).collect()
}

#[tokio::test]
async fn they_pass_as_they_come() {
    let bytes = "5\r\nhello\r\n".to_owned() + &"1\r\nx\r\n".repeat(3000) + "0\r\n\r\n";
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = scene.ask(door, door.request(POST, "content-length: 0\r\n")).await;
        backend.hears(door.forwarded(POST, "", "content-length: 0\r\n")).await;
        backend.says(answer("200 OK", "ok")).await;
        client.hears(answer("200 OK", "ok")).await;
        for chunks in [
            "0\r\n\r\n",
            "000\r\n\r\n",
            "0;last\r\n\r\n",
            "A;x=1;y=\"a \\\" b\"\r\n0123456789\r\n0a;z\r\n0123456789\r\n00;e=f\r\n\r\n",
            &bytes,
        ] {
            client.says(door.request(POST, CHUNKED) + chunks).await;
            backend.hears(door.forwarded(POST, "", CHUNKED) + chunks).await;
            let whole = format!("HTTP/1.1 200 OK\r\ndate: D\r\n{CHUNKED}\r\n{chunks}");
            backend.says(&whole).await;
            client.hears(&whole).await;
        }
        // None at all is said for methods that are meant to have one.
        client.says(door.request(POST, "")).await;
        backend.hears(door.forwarded(POST, "", "content-length: 0\r\n")).await;
        backend.says(answer("200 OK", "ok")).await;
        client.hears(answer("200 OK", "ok")).await;
    }
}

#[tokio::test]
async fn a_chunk_that_is_none_ends_both() {
    let scene = Scene::open().await;
    let door = Door::Plain;
    for bad in [
        "x\r\n",
        "1\r\nab\r\n",
        "1 \r\na\r\n",
        "1\na\n",
        "-1\r\n",
        "8000000000000000\r\n",
        "1\r\na\n",
        ";\r\n",
    ] {
        let (mut client, mut backend) = scene.ask(door, door.request(POST, CHUNKED) + "1\r\na\r\n").await;
        backend.hears(door.forwarded(POST, "", CHUNKED) + "1\r\na\r\n").await;
        client.says(bad).await;
        let (heard, ended) = client.hears_out().await;
        assert_eq!(
            (Answer::parse(heard.as_bytes()).refusal(), ended),
            ((400, "bad_request"), Ok(())),
            "{bad:?}"
        );
        let (rest, ended) = backend.hears_out().await;
        assert!(ended.is_err() && !rest.contains("0\r\n\r\n"), "{bad:?}: {rest:?}");
    }
}

#[tokio::test]
async fn large_ones_pass_both_ways() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (body, length) = (large(), format!("content-length: {LARGE}\r\n"));
        let (mut client, mut backend) = scene.ask(door, door.request(POST, &length)).await;
        backend.hears(door.forwarded(POST, "", &length)).await;
        tokio::join!(client.says(&body), backend.hears(&body));
        let head = format!("HTTP/1.1 200 OK\r\ndate: D\r\n{length}\r\n");
        let both = async {
            backend.says(&head).await;
            backend.says(&body).await;
        };
        let heard = async {
            client.hears(&head).await;
            client.hears(&body).await;
        };
        tokio::join!(both, heard);
        // Without a length it is the same, in chunks of the proxy's own.
        client.says(door.request("GET / HTTP/1.1", "")).await;
        backend.hears(door.forwarded("GET / HTTP/1.1", "", "")).await;
        let said = async {
            backend.says("HTTP/1.1 200 OK\r\ndate: D\r\n\r\n").await;
            backend.says(&body).await;
            backend.stops().await;
        };
        let ((), heard) = tokio::join!(said, chunked(&mut client));
        assert!(heard == body, "{} bytes", heard.len());
    }
}

/// The payload of an answer in chunks, read to its last.
async fn chunked(client: &mut End) -> Vec<u8> {
    let head = client.hears_head().await;
    assert!(head.ends_with("transfer-encoding: chunked\r\n\r\n"), "{head}");
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(client.hears_bytes(1).await);
        }
        let size = usize::from_str_radix(String::from_utf8(line).unwrap().trim_end(), 16).unwrap();
        body.extend(client.hears_bytes(size).await);
        client.hears("\r\n").await;
        if size == 0 {
            return body;
        }
    }
}

/// How much of an endless body `from` gets rid of while nobody takes it.
async fn taken(scene: &Scene, from: &mut End) -> usize {
    let piece = vec![b'x'; 64 << 10];
    let (mut taken, mut refused) = (0, 0);
    while refused < 10 {
        match from.says_some(&piece).await {
            Some(said) => (taken, refused) = (taken + said, 0),
            None => refused += 1,
        }
        assert!(taken < 256 << 20, "there is no end to it");
        // Lets the proxy pass on what it would.
        scene.settle().await;
    }
    taken
}

#[tokio::test]
async fn nobody_is_read_faster_than_the_other_side_takes() {
    // What sockets of this machine hold on both sides of the proxy, and room to spare.
    const MOST: usize = 64 << 20;
    for door in DOORS {
        let scene = Scene::open().await;
        let (_client, mut backend) = scene.ask(door, door.request("GET / HTTP/1.1", "")).await;
        backend.hears(door.forwarded("GET / HTTP/1.1", "", "")).await;
        backend.says("HTTP/1.1 200 OK\r\ndate: D\r\n\r\n").await;
        let of_backend = taken(&scene, &mut backend).await;
        assert!(of_backend < MOST, "{of_backend} of an answer nobody reads");
        let (mut client, _backend) =
            scene.ask(door, door.request(POST, &format!("content-length: {}\r\n", 1_u64 << 40))).await;
        let of_client = taken(&scene, &mut client).await;
        assert!(of_client < MOST, "{of_client} of an upload nobody reads");
    }
}

#[tokio::test]
async fn a_backend_that_leaves_a_body_unread_leaves_it_unread() {
    for door in DOORS {
        let scene = Scene::open().await;
        let fields = "content-length: 4\r\n";
        let (mut client, mut backend) = scene.ask(door, door.request(POST, fields) + "body").await;
        // It answers by the head alone; the body lies in its socket, and is read before the next head.
        backend.hears(door.forwarded(POST, "", fields)).await;
        scene.settle().await;
        backend.says(answer("200 OK", "ok")).await;
        client.hears(answer("200 OK", "ok")).await;
        client.says(door.request("GET / HTTP/1.1", "")).await;
        backend.hears("body".to_owned() + &door.forwarded("GET / HTTP/1.1", "", "")).await;
        backend.says(answer("200 OK", "next")).await;
        client.hears(answer("200 OK", "next")).await;
    }
}

/// Large ones need not come through the proxy's own memory. What stands behind them does.
#[tokio::test]
async fn what_follows_a_large_one_is_the_next_message() {
    let bytes = large();
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = scene.ask(door, door.request("GET / HTTP/1.1", "")).await;
        backend.hears(door.forwarded("GET / HTTP/1.1", "", "")).await;
        backend.says(answer("200 OK", "")).await;
        client.hears(answer("200 OK", "")).await;
        for length in [65_535, 65_536, 65_537, 131_072, 262_145, 1_000_001] {
            let body = &bytes[..length];
            let framing = format!("content-length: {length}\r\n");
            let next = door.request("GET /next HTTP/1.1", "");
            let both = [door.request(POST, &framing).as_bytes(), body, next.as_bytes()].concat();
            let forwarded = [door.forwarded(POST, "", &framing).as_bytes(), body].concat();
            tokio::join!(client.says(&both), backend.hears(&forwarded));
            let said = [format!("HTTP/1.1 200 OK\r\ndate: D\r\n{framing}\r\n").as_bytes(), body].concat();
            tokio::join!(backend.says(&said), client.hears(&said));
            backend.hears(door.forwarded("GET /next HTTP/1.1", "", "")).await;
            backend.says(answer("200 OK", "next")).await;
            client.hears(answer("200 OK", "next")).await;
        }
    }
}

#[tokio::test]
async fn a_large_one_that_breaks_off_is_no_whole_one() {
    let bytes = large();
    let (head, half) = (format!("HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: {LARGE}\r\n\r\n"), LARGE / 2);
    for (door, is_reset) in DOORS.into_iter().flat_map(|door| [(door, false), (door, true)]) {
        let scene = Scene::open().await;
        let (mut client, mut backend) = scene.ask(door, door.request("GET / HTTP/1.1", "")).await;
        backend.hears(door.forwarded("GET / HTTP/1.1", "", "")).await;
        let said = [head.as_bytes(), &bytes[..half]].concat();
        tokio::join!(backend.says(&said), client.hears(&said));
        if is_reset {
            backend.resets();
        } else {
            backend.stops().await;
        }
        assert_eq!(client.hears_out().await.0, "");
        assert_eq!(scene.refusals("backend_reset").await, 1);
        let framing = format!("content-length: {LARGE}\r\n");
        let (mut client, mut backend) = scene.ask(door, door.request(POST, &framing)).await;
        let forwarded = door.forwarded(POST, "", &framing);
        backend.hears(&forwarded).await;
        tokio::join!(client.says(&bytes[..half]), backend.hears(&bytes[..half]));
        if is_reset {
            client.resets();
        } else {
            client.stops().await;
        }
        assert_eq!(backend.hears_out().await.0, "");
        assert_eq!(scene.refusals("client_gone").await, 1);
    }
}
