//! A drain, whatever a request was about: it is finished, its connection is the last, and no pool is left.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::hand::{End, GET, Hand, OK, client};
use crate::client::{exchange, read_answer};
use crate::stage::Stage;

/// A connection that has asked once, and is closed when the worker hears of the drain.
async fn idle(stage: &Stage) -> TcpStream {
    let mut idle = client(stage).await;
    idle.write_all(b"GET / HTTP/1.1\r\nhost: nobody.ep-r.io\r\n\r\n").await.unwrap();
    assert_eq!(read_answer(&mut idle).await.status, 404);
    idle
}

#[tokio::test]
async fn a_request_in_its_head_or_its_body_is_finished() {
    let whole = "POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 4\r\n\r\nbody";
    for cut in [1, 20, whole.len() - 4, whole.len() - 1] {
        let hand = Hand::open();
        let stage = hand.stage(|_| {});
        let mut idle = idle(&stage).await;
        let mut client = client(&stage).await;
        // Not its first request, or it would have a moment anyway.
        let mut peer = hand.kept(&mut client).await;
        let (before, after) = whole.split_at(cut);
        client.write_all(before.as_bytes()).await.unwrap();
        if before.contains("\r\n\r\n") {
            peer.head().await;
        } else {
            // The worker takes what came before it hears another one.
            crate::client::get(&stage, "nobody.ep-r.io", "/").await;
        }
        stage.drain();
        assert_eq!(exchange(&mut idle, b"").await, b"");
        client.write_all(after.as_bytes()).await.unwrap();
        // Whether the kept connection outlives the beginning of a drain is not said.
        let mut peer = if before.contains("\r\n\r\n") { peer } else { hand.accept().await };
        peer.until("body").await;
        peer.say(OK).await;
        let answer = read_answer(&mut client).await;
        assert_eq!((answer.status, answer.field("connection")), (200, Some("close")), "{cut}");
        assert_eq!(client.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        assert_eq!(peer.rest().await, (String::new(), End::Fin), "nothing is kept");
        assert_eq!(stage.report().await.cut, 0);
    }
}

#[tokio::test]
async fn an_answer_in_its_body_is_finished_and_so_is_what_came_behind_its_request() {
    for (head, half, rest) in [
        ("content-length: 8\r\n", "half", "half"),
        ("transfer-encoding: chunked\r\n", "4\r\nha", "lf\r\n0\r\na: b\r\n\r\n"),
    ] {
        let hand = Hand::open();
        let stage = hand.stage(|_| {});
        let mut idle = idle(&stage).await;
        let mut client = client(&stage).await;
        // The second request waits behind the first one.
        client.write_all(&[GET, GET].concat()).await.unwrap();
        let mut peer = hand.accept().await;
        peer.head().await;
        peer.say(format!("HTTP/1.1 200 OK\r\n{head}\r\n{half}").as_bytes()).await;
        let mut heard = Vec::new();
        while !heard.ends_with(half.as_bytes()) {
            heard.push(client.read_u8().await.unwrap());
        }
        stage.drain();
        assert_eq!(exchange(&mut idle, b"").await, b"");
        peer.say(rest.as_bytes()).await;
        while !heard.ends_with(rest.as_bytes()) {
            heard.push(client.read_u8().await.unwrap());
        }
        // The head did not say that it was the last: what has come already is served.
        assert_eq!(peer.rest().await, (String::new(), End::Fin), "nothing is kept");
        let mut peer = hand.accept().await;
        peer.head().await;
        peer.say(OK).await;
        let answer = read_answer(&mut client).await;
        assert_eq!((answer.status, answer.field("connection")), (200, Some("close")));
        assert_eq!(client.read_to_end(&mut heard).await.unwrap(), 0);
        assert_eq!(peer.rest().await, (String::new(), End::Fin), "nothing is kept");
        assert_eq!((stage.report().await.cut, hand.has_no_other()), (0, true));
    }
}

#[tokio::test]
async fn of_requests_in_a_row_the_one_under_way_is_the_last() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    let mut idle = idle(&stage).await;
    let mut client = client(&stage).await;
    client.write_all(&[GET, GET, GET].concat()).await.unwrap();
    let mut peer = hand.accept().await;
    peer.answers(&mut client).await;
    peer.head().await;
    stage.drain();
    assert_eq!(exchange(&mut idle, b"").await, b"");
    peer.say(OK).await;
    let answer = read_answer(&mut client).await;
    assert_eq!((answer.body.as_str(), answer.field("connection")), ("ok", Some("close")));
    assert_eq!(peer.rest().await.0, "", "the third one was not sent on");
    assert_eq!((stage.report().await.cut, hand.has_no_other()), (0, true));
}

#[tokio::test]
async fn idle_connections_to_backends_are_closed() {
    let hand = Hand::open();
    let stage = hand.stage(|_| {});
    let mut client = client(&stage).await;
    let mut kept = hand.kept(&mut client).await;
    stage.drain();
    assert_eq!(kept.rest().await, (String::new(), End::Fin));
    assert_eq!(stage.report().await.cut, 0);
}
