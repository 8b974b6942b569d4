//! Which requests are sent again when their backend goes away, and that nothing ever happens twice.

use proto::EdgeProtocol::{Http, Https};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::hand::{BOTH_ENDS, End, GET, Hand, OK, client};
use crate::backends::nobody;
use crate::client::read_answer;
use crate::h2::frames::{END_STREAM, HEADERS, Raw, get};
use crate::observed::admin;
use crate::stage::{Stage, bound};

/// Requests, and whether they may be sent again after their heads were written.
const REQUESTS: [(&str, &str, bool); 12] = [
    ("GET", "\r\n", true),
    ("HEAD", "\r\n", true),
    ("OPTIONS", "\r\n", true),
    ("DELETE", "\r\n", true),
    ("PUT", "\r\n", true),
    ("POST", "\r\n", false),
    ("PATCH", "\r\n", false),
    ("PURGE", "\r\n", false),
    ("GET", "content-length: 4\r\n\r\nbody", false),
    ("PUT", "content-length: 4\r\n\r\nbody", false),
    ("POST", "transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", false),
    ("POST", "content-length: 0\r\n\r\n", false),
];

fn request((method, rest, _): (&str, &str, bool)) -> Vec<u8> {
    format!("{method} /once HTTP/1.1\r\nhost: a.ep-r.io\r\n{rest}").into_bytes()
}

/// Sends a request, whose backend has read it whole when this returns.
async fn ask(client: &mut TcpStream, peer: &mut super::hand::Peer, asked: (&str, &str, bool)) -> String {
    client.write_all(&request(asked)).await.unwrap();
    let mut read = peer.head().await;
    let ends: &[&str] = if asked.1.contains("chunked") { &["body\r\n0\r\n\r\n"] } else { &["body"] };
    for end in ends.iter().filter(|end| asked.1.ends_with(**end)) {
        read += &peer.until(end).await;
    }
    read
}

#[tokio::test]
async fn a_kept_connection_that_closes_upon_a_request_costs_only_what_may_have_happened() {
    for asked in REQUESTS {
        for end in BOTH_ENDS {
            let hand = Hand::open();
            let stage = hand.stage(|_| {});
            let mut client = client(&stage).await;
            let mut first = hand.kept(&mut client).await;
            let said = ask(&mut client, &mut first, asked).await;
            first.end(end);
            if asked.2 {
                let mut second = hand.accept().await;
                assert_eq!(second.head().await, said, "{asked:?}, {end:?}");
                second.say(b"HTTP/1.1 204 OK\r\n\r\n").await;
                assert_eq!(read_answer(&mut client).await.status, 204, "{asked:?}, {end:?}");
            } else {
                let answer = read_answer(&mut client).await;
                assert_eq!(answer.refusal(), (502, "backend_reset"), "{asked:?}, {end:?}");
            }
            assert!(hand.has_no_other(), "{asked:?}, {end:?}");
        }
    }
}

#[tokio::test]
async fn what_closed_while_idle_costs_no_request_whatever_its_method() {
    for asked in REQUESTS {
        for end in BOTH_ENDS {
            let hand = Hand::open();
            let stage = hand.stage(|_| {});
            let mut client = client(&stage).await;
            hand.kept(&mut client).await.end(end);
            client.write_all(&request(asked)).await.unwrap();
            let mut second = hand.accept().await;
            assert!(second.head().await.starts_with(asked.0));
            second.say(b"HTTP/1.1 204 OK\r\n\r\n").await;
            assert_eq!(read_answer(&mut client).await.status, 204, "{asked:?}, {end:?}");
            assert!(hand.has_no_other());
            let retries = admin(&stage, "/metrics").await.body;
            assert!(retries.contains("epr_backend_retries_total 0\n"), "{retries}");
        }
    }
}

#[tokio::test]
async fn a_request_is_sent_twice_at_most() {
    for end in BOTH_ENDS {
        let hand = Hand::open();
        let stage = hand.stage(|_| {});
        let mut client = client(&stage).await;
        client.write_all(GET).await.unwrap();
        for _ in 0..2 {
            let mut peer = hand.accept().await;
            peer.head().await;
            peer.end(end);
        }
        let answer = read_answer(&mut client).await;
        assert_eq!((answer.refusal(), hand.has_no_other()), ((502, "backend_reset"), true), "{end:?}");
        // The client's own connection has nothing to do with it.
        client.write_all(GET).await.unwrap();
        hand.accept().await.answers(&mut client).await;
    }
}

#[tokio::test]
async fn a_request_whose_answer_has_begun_is_not_sent_again() {
    for said in
        ["H", "HTTP/1.1 200 OK\r\ncont", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Hints\r\n\r\n"]
    {
        for end in BOTH_ENDS {
            let hand = Hand::open();
            let stage = hand.stage(|_| {});
            let mut client = client(&stage).await;
            client.write_all(GET).await.unwrap();
            let mut peer = hand.accept().await;
            peer.head().await;
            peer.say(said.as_bytes()).await;
            peer.end(end);
            let mut answer = read_answer(&mut client).await;
            if said.ends_with("\r\n\r\n") {
                assert!(answer.status < 200, "{answer:?}");
                answer = read_answer(&mut client).await;
            }
            let broken = ["backend_reset", "backend_garbage"];
            assert!(answer.status == 502 && broken.contains(&answer.refusal().1), "{said:?} {answer:?}");
            assert!(hand.has_no_other(), "{said:?}, {end:?}");
        }
    }
}

#[tokio::test]
async fn a_request_of_http2_whose_answer_has_begun_is_not_sent_again() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    stage.apply(vec![bound("a.ep-r.io", Https, &[hand.address])]);
    let mut raw = Raw::open(&stage).await;
    for (stream, end) in [(1, End::Fin), (3, End::Reset)] {
        raw.send(&get(stream)).await;
        let mut peer = hand.accept().await;
        peer.head().await;
        peer.say(b"HTTP/1.1 103 Hints\r\n\r\n").await;
        raw.until(|frame| frame.stream == stream && frame.kind == HEADERS).await;
        peer.end(end);
        raw.until(|frame| frame.stream == stream && frame.flags & END_STREAM != 0).await;
        assert!(hand.has_no_other(), "{end:?}");
    }
    let page = admin(&stage, "/metrics").await.body;
    assert!(page.contains("epr_refusals_total{reason=\"backend_reset\"} 2\n"), "{page}");
}

#[tokio::test]
async fn a_body_of_which_something_has_gone_is_not_sent_again() {
    for end in BOTH_ENDS {
        let hand = Hand::open();
        let stage = hand.stage(|_| {});
        for expect in ["", "expect: 100-continue\r\n"] {
            let mut client = client(&stage).await;
            let head = format!("PUT / HTTP/1.1\r\nhost: a.ep-r.io\r\n{expect}content-length: 10\r\n\r\n");
            client.write_all(head.as_bytes()).await.unwrap();
            let mut peer = hand.accept().await;
            assert_eq!(peer.head().await.contains("\r\nexpect: 100-continue\r\n"), !expect.is_empty());
            client.write_all(b"half").await.unwrap();
            peer.until("half").await;
            peer.end(end);
            let answer = read_answer(&mut client).await;
            assert_eq!((answer.refusal(), hand.has_no_other()), ((502, "backend_reset"), true), "{end:?}");
            assert_eq!(answer.field("connection"), Some("close"), "the rest of the body may still come");
        }
    }
}

#[tokio::test]
async fn who_refuses_connections_costs_no_request_and_no_more_than_one_other_is_asked() {
    let hand = Hand::open();
    let stage = Stage::with(|config| config.backends.set_aside = std::time::Duration::ZERO);
    let (one, two, three) = (nobody().await, nobody().await, nobody().await);
    stage.apply(vec![
        bound("a.ep-r.io", Http, &[one, hand.address]),
        bound("dead.ep-r.io", Http, &[one, two, three]),
    ]);
    let mut retried = 0;
    while retried == 0 {
        for asked in REQUESTS {
            // A connection of its own, or there would be nothing to refuse.
            let mut client = client(&stage).await;
            client.write_all(&request(asked)).await.unwrap();
            let mut peer = hand.accept().await;
            assert!(peer.head().await.starts_with(&format!("{} /once ", asked.0)));
            peer.say(b"HTTP/1.1 204 OK\r\nconnection: close\r\n\r\n").await;
            assert_eq!(read_answer(&mut client).await.status, 204, "{asked:?}");
            assert!(hand.has_no_other(), "{asked:?}");
        }
        retried = sample(&stage, "epr_backend_retries_total").await;
    }
    let refused = "epr_backend_dials_total{outcome=\"refused\"}";
    let before = sample(&stage, refused).await;
    assert_eq!(before, retried);
    let mut client = client(&stage).await;
    client.write_all(b"GET / HTTP/1.1\r\nhost: dead.ep-r.io\r\n\r\n").await.unwrap();
    assert_eq!(read_answer(&mut client).await.refusal(), (502, "connect_failed"));
    assert_eq!(sample(&stage, refused).await, before + 2);
}

/// A number of the metrics page.
async fn sample(stage: &Stage, name: &str) -> u64 {
    let page = admin(stage, "/metrics").await.body;
    let line = page.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().parse().unwrap()
}

#[tokio::test]
async fn a_request_over_http2_is_sent_again_over_a_new_connection() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    stage.apply(vec![bound("a.ep-r.io", Https, &[hand.address])]);
    let mut raw = Raw::open(&stage).await;
    let mut peers = Vec::new();
    for stream in [1, 3] {
        raw.send(&get(stream)).await;
        let mut peer = hand.accept().await;
        peer.head().await;
        peers.push((stream, peer));
    }
    for (stream, peer) in &mut peers {
        peer.say(OK).await;
        raw.until(|frame| frame.stream == *stream && frame.flags & END_STREAM != 0).await;
    }
    // Two are kept. Whoever was used last closes; the other one may be no better.
    raw.send(&get(5)).await;
    let (_, mut last) = peers.pop().unwrap();
    last.head().await;
    last.end(End::Fin);
    let mut fresh = hand.accept().await;
    fresh.head().await;
    fresh.say(OK).await;
    let answered = raw.until(|frame| frame.stream == 5).await;
    assert_eq!((answered.kind, hand.has_no_other()), (HEADERS, true));
}
