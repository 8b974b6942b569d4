//! Backends that speak something else than HTTP/1.1, or nearly: their clients are told so, by name.

use tokio::io::AsyncWriteExt;

use super::hand::{GET, Hand, client};
use crate::client::{exchange, read_answer};
use crate::h2::frames::{END_STREAM, Frame, HEADERS, RST_STREAM, Raw, get};
use crate::observed::admin;
use crate::stage::{Stage, bound};

/// Whole heads, or what is none, that must not pass.
fn heads() -> Vec<(&'static str, String)> {
    let head = |rest: &str| format!("HTTP/1.1 200 OK\r\n{rest}\r\n");
    vec![
        ("another protocol", "220 smtp.example ESMTP\r\n\r\n".into()),
        ("an HTTP/0.9 answer", "<html>hello</html>\r\n\r\n".into()),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into()),
        ("frames of HTTP/2", "\0\0\0\u{4}\0\0\0\0\0".repeat(600)),
        ("HTTP/1.2", "HTTP/1.2 200 OK\r\ncontent-length: 0\r\n\r\n".into()),
        ("HTTP/2.0", "HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n".into()),
        ("a version in small letters", "http/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".into()),
        ("a request", "GET / HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        ("status 99", "HTTP/1.1 099 Low\r\ncontent-length: 0\r\n\r\n".into()),
        ("status of two digits", "HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n".into()),
        ("status 1000", "HTTP/1.1 1000 High\r\ncontent-length: 0\r\n\r\n".into()),
        ("a negative status", "HTTP/1.1 -20 OK\r\ncontent-length: 0\r\n\r\n".into()),
        ("a status in letters", "HTTP/1.1 OK\r\ncontent-length: 0\r\n\r\n".into()),
        ("two blanks", "HTTP/1.1  200 OK\r\ncontent-length: 0\r\n\r\n".into()),
        ("NUL in the reason", "HTTP/1.1 200 O\0K\r\ncontent-length: 0\r\n\r\n".into()),
        ("bare line feeds", "HTTP/1.1 200 OK\ncontent-length: 0\n\n".into()),
        ("a bare carriage return", head("a: b\rc\r\ncontent-length: 0\r\n")),
        ("a folded line", head("a: b\r\n c\r\ncontent-length: 0\r\n")),
        ("a blank before the colon", head("content-length : 0\r\n")),
        ("no colon", head("content-length 0\r\n")),
        ("no name", head(": 0\r\ncontent-length: 0\r\n")),
        ("NUL in a value", head("a: \0\r\ncontent-length: 0\r\n")),
        ("length and coding", head("content-length: 2\r\ntransfer-encoding: chunked\r\n") + "0\r\n\r\n"),
        ("two lengths", head("content-length: 2\r\ncontent-length: 3\r\n") + "abc"),
        ("one length twice", head("content-length: 2\r\ncontent-length: 2\r\n") + "ab"),
        ("a list of lengths", head("content-length: 2, 2\r\n") + "ab"),
        ("a negative length", head("content-length: -1\r\n")),
        ("a signed length", head("content-length: +2\r\n") + "ab"),
        ("a length in letters", head("content-length: two\r\n")),
        ("a hexadecimal length", head("content-length: 0x2\r\n") + "ab"),
        ("no length in its field", head("content-length:\r\n")),
        ("a length beyond all numbers", head("content-length: 99999999999999999999\r\n")),
        ("a coding unknown", head("transfer-encoding: gzip\r\n")),
        ("chunks twice", head("transfer-encoding: chunked, chunked\r\n") + "0\r\n\r\n"),
        ("chunks in two fields", head("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n")),
        ("chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".into()),
        ("too many fields", head(&"a: b\r\n".repeat(101))),
        ("too long a head", head(&format!("a: {}\r\n", "b".repeat(33 * 1024)))),
        ("a head without end", format!("HTTP/1.1 200 OK\r\n{}", "a: b\r\n".repeat(6 * 1024))),
        ("101 unasked", "HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n".into()),
        ("101 to no upgrade", "HTTP/1.1 101 Go\r\n\r\n".into()),
        ("a head that breaks off", "HTTP/1.1 200 OK\r\ncontent-len".into()),
        ("a bad head after a good interim one", "HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 OK\r\n\r\n".into()),
    ]
}

/// Upon the next connection's request the backend says `words`, and closes.
async fn upon_request(hand: &Hand, words: &str) {
    let mut peer = hand.accept().await;
    peer.head().await;
    // The proxy may have had enough before it has read all.
    if peer.try_say(words.as_bytes()).await {
        peer.shut().await;
    }
    peer.rest().await;
}

async fn assert_all_are_named(stage: &Stage) {
    let page = admin(stage, "/metrics").await.body;
    let named = format!("epr_refusals_total{{reason=\"backend_garbage\"}} {}\n", heads().len());
    assert!(page.contains(&named), "{page}");
}

#[tokio::test]
async fn what_is_no_answer_is_refused_by_name_and_the_client_may_ask_again() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    let mut client = client(&stage).await;
    for (what, words) in heads() {
        client.write_all(GET).await.unwrap();
        upon_request(&hand, &words).await;
        let mut answer = read_answer(&mut client).await;
        if what.contains("interim") {
            assert_eq!(answer.status, 102);
            answer = read_answer(&mut client).await;
        }
        assert_eq!(answer.refusal(), (502, "backend_garbage"), "{what}: {}", answer.head);
        assert!(hand.has_no_other(), "{what}: garbage is not asked for twice");
    }
    assert_all_are_named(&stage).await;
}

#[tokio::test]
async fn what_is_no_answer_is_refused_by_name_over_http2() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    stage.apply(vec![bound("a.ep-r.io", proto::EdgeProtocol::Https, &[hand.address])]);
    let mut raw = Raw::open(&stage).await;
    for (stream, (what, words)) in (1..).step_by(2).zip(heads()) {
        raw.send(&get(stream)).await;
        upon_request(&hand, &words).await;
        let answer = raw.until(|frame| frame.stream == stream && frame.kind == HEADERS).await;
        // It is the literal `epr-refusal: backend_garbage`, however it is packed.
        assert!(!answer.payload.is_empty() && hand.has_no_other(), "{what}");
    }
    assert_all_are_named(&stage).await;
}

#[tokio::test]
async fn a_head_may_come_byte_by_byte() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    let mut client = client(&stage).await;
    client.write_all(GET).await.unwrap();
    let mut peer = hand.accept().await;
    peer.head().await;
    let words =
        b"HTTP/1.1 103 Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 2\r\n\r\nok";
    for byte in words {
        peer.say(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(read_answer(&mut client).await.field("link"), Some("</a>"));
    let answer = read_answer(&mut client).await;
    assert_eq!((answer.field("x"), answer.body.as_str()), (Some("y"), "ok"));
    client.write_all(GET).await.unwrap();
    peer.answers(&mut client).await;
}

/// Says that the answer is yet to come until the proxy has enough of it.
async fn put_off(hand: &Hand) {
    let mut peer = hand.accept().await;
    peer.head().await;
    while peer.try_say(b"HTTP/1.1 102 Processing\r\na: b\r\n\r\n").await {}
}

#[tokio::test]
async fn interim_answers_without_end_are_no_answer() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    let mut client = client(&stage).await;
    let asks = exchange(&mut client, b"GET / HTTP/1.1\r\nhost: a.ep-r.io\r\nconnection: close\r\n\r\n");
    let (heard, ()) = tokio::join!(asks, put_off(&hand));
    let heard = String::from_utf8(heard).unwrap();
    assert!(heard.contains("\r\nepr-refusal: backend_garbage\r\n"), "{} bytes", heard.len());
    assert!(heard.len() < 40 * 1024, "{} bytes", heard.len());
}

#[tokio::test]
async fn interim_answers_without_end_are_no_answer_over_http2() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    stage.apply(vec![bound("a.ep-r.io", proto::EdgeProtocol::Https, &[hand.address])]);
    let mut raw = Raw::open(&stage).await;
    raw.send(&get(1)).await;
    let is_end = |frame: &Frame| frame.stream == 1 && frame.flags & END_STREAM != 0;
    let (last, ()) = tokio::join!(raw.until(is_end), put_off(&hand));
    assert_ne!(last.kind, RST_STREAM, "it is answered");
    let page = admin(&stage, "/metrics").await.body;
    assert!(page.contains("epr_refusals_total{reason=\"backend_garbage\"} 1\n"), "{page}");
}
