//! However a request ends, its place at the backend is free again: with one place in all, the next request shows it.

use std::num::NonZeroU32;
use std::time::Duration;

use proto::EdgeProtocol::Https;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::hand::{End, GET, Hand, OK, Peer, client};
use crate::client::{read_answer, tls};
use crate::h2::frames::{CANCEL, Raw, get, reset};
use crate::observed::admin;
use crate::stage::{Stage, bound};

fn narrow(hand: &Hand) -> Stage {
    hand.stage(|config| {
        config.limits.in_flight_per_backend = NonZeroU32::MIN;
        config.limits.in_flight_per_route = NonZeroU32::MIN;
        config.timeouts.first_byte = Duration::from_secs(3600);
    })
}

/// Over a connection of its own a request is answered: the one place is free.
async fn assert_free(hand: &Hand, stage: &Stage, after: &str) {
    let mut client = client(stage).await;
    client.write_all(b"GET / HTTP/1.1\r\nhost: a.ep-r.io\r\nconnection: close\r\n\r\n").await.unwrap();
    let answered = tokio::select! {
        mut peer = hand.accept() => {
            peer.head().await;
            peer.say(b"HTTP/1.1 204 OK\r\nconnection: close\r\n\r\n").await;
            read_answer(&mut client).await
        }
        answer = read_answer(&mut client) => answer,
    };
    assert_eq!(answered.status, 204, "after {after}: {}", answered.head);
}

/// The head of a request has come to the backend, and its client waits.
async fn under_way(hand: &Hand, stage: &Stage, request: &str) -> (TcpStream, Peer) {
    let mut client = client(stage).await;
    client.write_all(request.as_bytes()).await.unwrap();
    let mut peer = hand.accept().await;
    peer.head().await;
    (client, peer)
}

const ASK: &str = "GET / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n";
const HALF: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nhalf";

#[tokio::test]
async fn a_place_is_taken_for_as_long_as_its_request_lasts() {
    let hand = Hand::open();
    let stage = narrow(&hand);
    let (mut busy, mut peer) = under_way(&hand, &stage, ASK).await;
    let mut other = client(&stage).await;
    other.write_all(GET).await.unwrap();
    assert_eq!(read_answer(&mut other).await.status, 503);
    peer.say(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\no").await;
    busy.read_u8().await.unwrap();
    other.write_all(GET).await.unwrap();
    assert_eq!(read_answer(&mut other).await.status, 503, "an answer in its body is under way too");
    peer.say(b"k").await;
    assert_eq!(peer.rest().await, (String::new(), End::Fin));
    assert_free(&hand, &stage, "an answer").await;
}

#[tokio::test]
async fn backends_that_fail_give_their_places_back() {
    let hand = Hand::open();
    let stage = narrow(&hand);
    let post = "POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 10\r\n\r\nhalf";
    for (what, request, words) in [
        ("no answer", "POST / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n", &b""[..]),
        ("garbage", ASK, b"garbage\r\n\r\n"),
        ("half a head", ASK, b"HTTP/1.1 2"),
        ("half a body", ASK, HALF),
        ("an early answer", post, b"HTTP/1.1 413 No\r\ncontent-length: 0\r\n\r\n"),
        ("a switch unasked", ASK, b"HTTP/1.1 101 Go\r\n\r\n"),
    ] {
        let (mut client, mut peer) = under_way(&hand, &stage, request).await;
        peer.say(words).await;
        peer.end(End::Fin);
        let mut heard = vec![0];
        client.read_exact(&mut heard).await.unwrap();
        client.shutdown().await.unwrap();
        client.read_to_end(&mut heard).await.unwrap();
        assert_free(&hand, &stage, what).await;
    }
}

#[tokio::test]
async fn clients_that_leave_give_their_places_back() {
    let hand = Hand::open();
    let stage = narrow(&hand);
    for half_answered in [false, true] {
        let (mut client, mut peer) = under_way(&hand, &stage, ASK).await;
        if half_answered {
            peer.say(HALF).await;
            client.read_u8().await.unwrap();
        }
        client.set_zero_linger().unwrap();
        drop(client);
        peer.rest().await;
        assert_free(&hand, &stage, "a client that left").await;
    }
    let upload = "POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ntransfer-encoding: chunked\r\n\r\n";
    for broken in ["", "4\r\nha", "4\r\nhalf\r\n", "no chunk"] {
        let (mut client, mut peer) = under_way(&hand, &stage, upload).await;
        client.write_all(broken.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(peer.rest().await.1, End::Reset, "{broken:?}: the backend must not take it for whole");
        assert_free(&hand, &stage, "an upload that broke off").await;
    }
}

#[tokio::test]
async fn clients_of_tls_and_http2_that_leave_give_their_places_back() {
    let hand = Hand::open();
    let stage = narrow(&hand);
    stage.apply(vec![bound("s.ep-r.io", Https, &[hand.address])]);
    for half_answered in [false, true] {
        let mut client = tls(&stage, "s.ep-r.io", &[b"http/1.1"]).await.unwrap();
        client.write_all(ASK.replace("a.ep", "s.ep").as_bytes()).await.unwrap();
        client.flush().await.unwrap();
        let mut peer = hand.accept().await;
        peer.head().await;
        if half_answered {
            peer.say(HALF).await;
            client.read_u8().await.unwrap();
        }
        client.get_ref().0.set_zero_linger().unwrap();
        drop(client);
        peer.rest().await;
        assert_free(&hand, &stage, "a client of TLS that left").await;
    }
}

#[tokio::test]
async fn streams_that_are_taken_back_give_their_places_back() {
    let hand = Hand::open();
    let stage = narrow(&hand);
    stage.apply(vec![bound("a.ep-r.io", Https, &[hand.address])]);
    let mut raw = Raw::open(&stage).await;
    for (stream, half_answered) in [(1, false), (3, true)] {
        raw.send(&get(stream)).await;
        let mut peer = hand.accept().await;
        peer.head().await;
        if half_answered {
            peer.say(HALF).await;
            raw.until(|frame| frame.stream == stream).await;
        }
        raw.send(&reset(stream, CANCEL)).await;
        peer.rest().await;
    }
    raw.send(&get(5)).await;
    let mut peer = hand.accept().await;
    peer.head().await;
    peer.say(OK).await;
    raw.until(|frame| frame.stream == 5 && frame.flags & 1 != 0).await;
    let page = admin(&stage, "/metrics").await.body;
    assert!(page.contains("epr_requests_total{port=\"https\",protocol=\"h2\",status=\"2xx\"} 2\n"), "{page}");
}

#[tokio::test]
async fn a_refusal_that_nobody_reads_keeps_no_place() {
    const MOST: usize = 2000;
    let hand = Hand::open();
    let stage = hand.stage(|config| {
        config.limits.in_flight_per_backend = NonZeroU32::MIN;
        config.limits.unsent = 2048;
    });
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    let mut deaf = socket.connect(stage.http).await.unwrap();
    deaf.write_all(&GET.repeat(MOST)).await.unwrap();
    let mut refused = 0;
    // Until one is left lying.
    while let Ok(mut peer) = tokio::time::timeout(Duration::from_millis(300), hand.accept()).await {
        peer.head().await;
        peer.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno chunk\r\n").await;
        let ended = tokio::time::timeout(Duration::from_secs(20), peer.rest()).await;
        assert_eq!(ended.map(|(_, end)| end), Ok(End::Reset), "after {refused}");
        refused += 1;
    }
    assert!((1..MOST).contains(&refused), "{refused}");
    assert_free(&hand, &stage, "a refusal nobody reads").await;
}
