//! What comes over a connection when nothing was asked, or after what was asked, is never an answer.

use tokio::io::AsyncWriteExt;

use super::hand::{End, GET, Hand, OK, client};
use crate::client::read_answer;
use crate::h2::frames::{END_STREAM, Raw, get};
use crate::stage::bound;

const UNASKED: [&str; 7] = [
    "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 200 O",
    "\r\n",
    "\0",
    "not HTTP at all\r\n\r\n",
];

#[tokio::test]
async fn what_a_backend_says_unasked_answers_nobody() {
    for words in UNASKED {
        let hand = Hand::open();
        let stage = hand.stage(|_| {});
        let mut client = client(&stage).await;
        let mut first = hand.kept(&mut client).await;
        first.say(words.as_bytes()).await;
        client.write_all(GET).await.unwrap();
        let mut second = hand.accept().await;
        second.answers(&mut client).await;
        assert_eq!(first.rest().await.0, "", "{words:?}: no request was sent over it");
        // The second one is as good as ever.
        client.write_all(GET).await.unwrap();
        second.answers(&mut client).await;
        assert!(hand.has_no_other(), "{words:?}");
    }
}

#[tokio::test]
async fn what_a_backend_says_unasked_answers_nobody_over_http2() {
    for words in UNASKED {
        let hand = Hand::open();
        let stage = hand.stage(|_| {});
        stage.apply(vec![bound("a.ep-r.io", proto::EdgeProtocol::Https, &[hand.address])]);
        let mut raw = Raw::open(&stage).await;
        raw.send(&get(1)).await;
        let mut first = hand.accept().await;
        first.head().await;
        first.say(OK).await;
        raw.until(|frame| frame.stream == 1 && frame.flags & END_STREAM != 0).await;
        first.say(words.as_bytes()).await;
        raw.send(&get(3)).await;
        let mut second = hand.accept().await;
        second.head().await;
        second.say(OK).await;
        raw.until(|frame| frame.stream == 3 && frame.flags & END_STREAM != 0).await;
        assert_eq!(first.rest().await.0, "", "{words:?}: no request was sent over it");
    }
}

#[tokio::test]
async fn what_follows_an_answer_at_once_reaches_nobody() {
    for (asked, answer, behind) in [
        ("GET", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "k"),
        (
            "GET",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        ),
        ("GET", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "body"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", "body"),
        ("GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 4\r\n\r\n", "body"),
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n", "body"),
        ("GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "\r\n"),
        (
            "GET",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\na: b\r\n\r\n",
            "0\r\n\r\n",
        ),
    ] {
        let hand = Hand::open();
        let stage = hand.stage(|_| {});
        let mut client = client(&stage).await;
        client.write_all(format!("{asked} / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n").as_bytes()).await.unwrap();
        let mut first = hand.accept().await;
        first.head().await;
        first.say(format!("{answer}{behind}").as_bytes()).await;
        let (mut heard, end) = (Vec::new(), answer.split_once("\r\n\r\n").unwrap().1);
        while !(heard.ends_with(end.as_bytes()) && String::from_utf8_lossy(&heard).contains("\r\n\r\n")) {
            heard.push(tokio::io::AsyncReadExt::read_u8(&mut client).await.unwrap());
        }
        // Were anything of `behind` passed on it would be taken for the next answer.
        client.write_all(GET).await.unwrap();
        hand.accept().await.answers(&mut client).await;
        assert_eq!(first.rest().await.0, "", "{answer:?}: no request was sent over it");
    }
}

#[tokio::test]
async fn connections_that_are_over_are_closed_though_nobody_asks() {
    let hand = Hand::open();
    let stage = hand.stage(|config| config.backends.idle_timeout = std::time::Duration::from_secs(3600));
    let mut client = client(&stage).await;
    let mut shut = hand.kept(&mut client).await;
    shut.shut().await;
    assert_eq!(shut.rest().await, (String::new(), End::Fin));
    let mut talking = hand.kept(&mut client).await;
    talking.say(b"HTTP/1.1 408 Request Timeout\r\n\r\n").await;
    assert_eq!(talking.rest().await.0, "");
}

#[tokio::test]
async fn a_connection_is_kept_only_if_both_sides_mean_it() {
    for (asked, answer, is_kept) in [
        ("", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", true),
        ("connection: close\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", true),
        ("", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true),
        ("", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", true),
        ("", "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok", true),
        ("", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", false),
        ("", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok", false),
        ("", "HTTP/1.1 200 OK\r\nconnection: foo, CLOSE\r\ncontent-length: 2\r\n\r\nok", false),
    ] {
        let hand = Hand::open();
        let stage = hand.stage(|_| {});
        let mut one = client(&stage).await;
        one.write_all(format!("GET / HTTP/1.1\r\nhost: a.ep-r.io\r\n{asked}\r\n").as_bytes()).await.unwrap();
        let mut first = hand.accept().await;
        first.head().await;
        first.say(answer.as_bytes()).await;
        if answer.contains("100 Continue") {
            assert_eq!(read_answer(&mut one).await.status, 100);
        }
        let answered = read_answer(&mut one).await;
        assert_eq!(answered.status, 200);
        // Another client, for whom the connection is as good.
        let mut other = client(&stage).await;
        other.write_all(GET).await.unwrap();
        if is_kept {
            first.answers(&mut other).await;
        } else {
            hand.accept().await.answers(&mut other).await;
            assert_eq!(first.rest().await.0, "");
        }
        assert!(hand.has_no_other(), "{asked:?} {answer:?}");
    }
}

#[tokio::test]
async fn a_connection_whose_request_did_not_end_before_its_answer_is_not_kept() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    let mut hasty = client(&stage).await;
    hasty.write_all(b"POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
    let mut first = hand.accept().await;
    first.until("half").await;
    first.say(b"HTTP/1.1 413 Too Much\r\ncontent-length: 2\r\n\r\nno").await;
    let answer = read_answer(&mut hasty).await;
    assert_eq!((answer.status, answer.field("connection")), (413, Some("close")));
    assert_eq!(first.rest().await, (String::new(), End::Reset), "the backend must not take it for whole");
    let mut other = client(&stage).await;
    other.write_all(GET).await.unwrap();
    hand.accept().await.answers(&mut other).await;
}
