//! Answers that break off, or go on as none may: each client sees that what it has is not all.

use std::io::ErrorKind;

use proto::EdgeProtocol::{Http, Https};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::hand::{BOTH_ENDS, End, Hand, client};
use crate::client::{Answer, tls};
use crate::h2::frames::{END_STREAM, RST_STREAM, Raw, get};
use crate::observed::admin;
use crate::stage::{Stage, bound};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const LENGTH: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n";
const UNTIL_CLOSE: &str = "HTTP/1.1 200 OK\r\n\r\n";

/// What comes of an answer before its connection ends: head and body.
const BROKEN_OFF: [(&str, &str); 9] = [
    (LENGTH, "half"),
    (CHUNKED, "4\r\nhalf"),
    (CHUNKED, "4\r\nhalf\r"),
    (CHUNKED, "4\r\nhalf\r\n"),
    (CHUNKED, "4\r\nhalf\r\n4"),
    (CHUNKED, "4\r\nhalf\r\n0\r\n"),
    (CHUNKED, "4\r\nhalf\r\n0\r\na: b\r\n"),
    (CHUNKED, "8\r\nhalf"),
    (CHUNKED, "4\r\nhalf\r\n0\r\n\r"),
];

/// What may not follow the chunk `4\r\nhalf` in a body.
const NO_CHUNKS: [&str; 13] = [
    "zz\r\n",
    "\r\nzz\r\n",
    "\r\n-1\r\n",
    "\r\n 4\r\nhalf\r\n",
    "\r\n4 4\r\nhalf\r\n",
    "\r\n0x4\r\nhalf\r\n",
    "\r\n4\nhalf\r\n",
    "\n4\r\nhalf\r\n",
    "\r\n\r\n",
    "\r\nffffffffffffffff\r\n",
    "\r\n10000000000000000\r\n",
    "\r\n0\r\nno field\r\n\r\n",
    "\r\n0\r\ncontent-length : 4\r\n\r\n",
];

async fn reset_at_the_backend(stage: &Stage, reason: &str, count: usize) {
    let page = admin(stage, "/metrics").await.body;
    let line = format!("epr_refusals_total{{reason=\"{reason}\"}} {count}\n");
    assert!(page.contains(&line), "no {line} in {page}");
}

/// Asks, is answered by `head` and `body`, and reads to the end.
async fn broken(
    hand: &Hand,
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    version: &str,
    (head, body): (&str, &str),
    end: Option<End>,
) -> (Vec<u8>, Result<usize, ErrorKind>) {
    client.write_all(format!("GET / HTTP/{version}\r\nhost: a.ep-r.io\r\n\r\n").as_bytes()).await.unwrap();
    client.flush().await.unwrap();
    let mut peer = hand.accept().await;
    peer.head().await;
    // The client has the head before the rest goes wrong.
    peer.say(head.as_bytes()).await;
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n") {
        heard.push(client.read_u8().await.unwrap());
    }
    peer.say(body.as_bytes()).await;
    if let Some(end) = end {
        peer.end(end);
    }
    let ended = client.read_to_end(&mut heard).await.map_err(|error| error.kind());
    (heard, ended)
}

#[tokio::test]
async fn what_breaks_off_looks_broken_over_plain_http() {
    for end in BOTH_ENDS {
        let hand = Hand::open();
        let stage = hand.stage(|_| {});
        for (head, body) in BROKEN_OFF {
            let mut new = client(&stage).await;
            let (heard, ended) = broken(&hand, &mut new, "1.1", (head, body), Some(end)).await;
            let answer = Answer::parse(&heard);
            assert!(ended.is_ok() && answer.status == 200, "{body:?}, {end:?}: {ended:?}");
            assert!(body.starts_with(&answer.body), "{body:?}, {end:?}: {}", answer.body);
            let mut old = client(&stage).await;
            let (_, ended) = broken(&hand, &mut old, "1.0", (head, body), Some(end)).await;
            assert_eq!(ended, Err(ErrorKind::ConnectionReset), "{body:?}, {end:?}");
        }
        reset_at_the_backend(&stage, "backend_reset", 2 * BROKEN_OFF.len()).await;
    }
}

#[tokio::test]
async fn what_breaks_off_looks_broken_over_tls_and_over_http2() {
    for end in BOTH_ENDS {
        let hand = Hand::open();
        let stage = hand.stage(|_| {});
        stage.apply(vec![bound("a.ep-r.io", Https, &[hand.address])]);
        let mut raw = Raw::open(&stage).await;
        for (stream, (head, body)) in (1..).step_by(2).zip(BROKEN_OFF) {
            let mut client = tls(&stage, "a.ep-r.io", &[b"http/1.1"]).await.unwrap();
            let (heard, ended) = broken(&hand, &mut client, "1.1", (head, body), Some(end)).await;
            assert_eq!(ended, Err(ErrorKind::UnexpectedEof), "no close_notify: {body:?}, {end:?}");
            assert!(body.starts_with(&Answer::parse(&heard).body), "{body:?}, {end:?}");
            raw.send(&get(stream)).await;
            let mut peer = hand.accept().await;
            peer.head().await;
            peer.say(format!("{head}{body}").as_bytes()).await;
            peer.end(end);
            let last = raw.until(|frame| {
                let is_end = frame.stream > 0 && frame.kind != RST_STREAM && frame.flags & END_STREAM != 0;
                assert!(!is_end, "{body:?}, {end:?}: {frame:?}");
                frame.kind == RST_STREAM
            });
            assert_eq!(last.await.stream, stream);
        }
        reset_at_the_backend(&stage, "backend_reset", 2 * BROKEN_OFF.len()).await;
    }
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_is_whole_only_if_that_ends_in_order() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    for (version, end) in [("1.1", End::Fin), ("1.1", End::Reset), ("1.0", End::Fin), ("1.0", End::Reset)] {
        let mut client = client(&stage).await;
        let asks = format!("GET / HTTP/{version}\r\nhost: a.ep-r.io\r\n\r\n");
        client.write_all(asks.as_bytes()).await.unwrap();
        let mut peer = hand.accept().await;
        peer.head().await;
        peer.say(UNTIL_CLOSE.as_bytes()).await;
        peer.say(b"half").await;
        let (mut heard, half): (_, &[u8]) =
            (Vec::new(), if version == "1.1" { b"half\r\n" } else { b"half" });
        while !heard.ends_with(half) {
            heard.push(client.read_u8().await.unwrap());
        }
        peer.end(end);
        if version == "1.1" && end == End::Fin {
            let mut last = [0; 5];
            client.read_exact(&mut last).await.unwrap();
            assert_eq!(&last, b"0\r\n\r\n");
            continue;
        }
        let mut rest = Vec::new();
        let ended = client.read_to_end(&mut rest).await.map_err(|error| error.kind());
        let reset = (version, end) == ("1.0", End::Reset);
        assert_eq!(ended, if reset { Err(ErrorKind::ConnectionReset) } else { Ok(0) }, "{version} {end:?}");
    }
    reset_at_the_backend(&stage, "backend_reset", 2).await;
}

#[tokio::test]
async fn an_upload_that_meets_a_reset_does_not_hide_it() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    for _ in 0..20 {
        let client = client(&stage).await;
        let (mut from, mut to) = client.into_split();
        to.write_all(b"POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 1000000000\r\n\r\n")
            .await
            .unwrap();
        let mut peer = hand.accept().await;
        peer.head().await;
        peer.say(UNTIL_CLOSE.as_bytes()).await;
        peer.say(b"half").await;
        let mut heard = Vec::new();
        while !heard.ends_with(b"half\r\n") {
            heard.push(from.read_u8().await.unwrap());
        }
        let upload = async { while to.write_all(&[b'x'; 4096]).await.is_ok() {} };
        let download = async {
            peer.end(End::Reset);
            // A reset of ours may overtake what was said.
            let _ = from.read_to_end(&mut heard).await;
        };
        tokio::join!(upload, download);
        assert!(heard.ends_with(b"half\r\n"), "{}", String::from_utf8_lossy(&heard));
    }
    reset_at_the_backend(&stage, "backend_reset", 20).await;
}

#[tokio::test]
async fn what_is_no_body_is_broken_off_where_it_stops_being_one() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    let long_line = format!("\r\n4;{}\r\nhalf\r\n", "a".repeat(300));
    let long_trailers = format!("\r\n0\r\n{}\r\n", "a: b\r\n".repeat(20_000));
    let cases: Vec<&str> = NO_CHUNKS.into_iter().chain([&*long_line, &*long_trailers]).collect();
    for wrong in &cases {
        for version in ["1.1", "1.0"] {
            let mut client = client(&stage).await;
            let body = format!("4\r\nhalf{wrong}");
            let (heard, ended) = broken(&hand, &mut client, version, (CHUNKED, &body), None).await;
            assert_eq!(ended.is_ok(), version == "1.1", "{wrong:?}");
            assert!(!heard.ends_with(b"\r\n0\r\n\r\n"), "{wrong:?}");
        }
    }
    reset_at_the_backend(&stage, "backend_garbage", 2 * cases.len()).await;
}

#[tokio::test]
async fn a_body_that_is_none_from_its_first_byte_is_refused_by_name() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    stage.apply(vec![bound("a.ep-r.io", Http, &[hand.address])]);
    let mut client = client(&stage).await;
    for end in [None, Some(End::Fin)] {
        client.write_all(super::hand::GET).await.unwrap();
        let mut peer = hand.accept().await;
        peer.head().await;
        // In one segment, so that it is looked at together.
        peer.say(format!("{CHUNKED}zz\r\n").as_bytes()).await;
        if end.is_some() {
            peer.shut().await;
        }
        let answer = crate::client::read_answer(&mut client).await;
        assert_eq!(answer.refusal(), (502, "backend_garbage"));
    }
}
