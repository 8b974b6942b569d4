//! Backends that keep everyone waiting: each wait has its deadline, and its name.

use std::io::ErrorKind;
use std::time::Duration;

use proto::EdgeProtocol::Https;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::hand::{End, GET, Hand, client};
use crate::client::{Answer, read_answer, tls};
use crate::h2::frames::{RST_STREAM, Raw, get};
use crate::observed::admin;
use crate::stage::{Stage, bound};

fn impatient(hand: &Hand) -> Stage {
    hand.stage(|config| {
        config.timeouts.first_byte = Duration::from_millis(50);
        config.timeouts.body_idle = Duration::from_millis(50);
    })
}

#[tokio::test]
async fn who_does_not_answer_in_time_is_given_up() {
    let hand = Hand::open();
    let stage = impatient(&hand);
    let mut client = client(&stage).await;
    for said in ["", "HTTP/1.1 200 OK\r\ncont", "HTTP/1.1 102 Processing\r\n\r\n", "H"] {
        client.write_all(GET).await.unwrap();
        let mut peer = hand.accept().await;
        peer.head().await;
        peer.say(said.as_bytes()).await;
        let mut answer = read_answer(&mut client).await;
        if said.contains("102") {
            assert_eq!(answer.status, 102);
            answer = read_answer(&mut client).await;
        }
        assert_eq!(answer.refusal(), (504, "backend_timeout"), "{said:?}");
        assert_eq!(peer.rest().await.1, End::Reset, "{said:?}: it is told that nobody waits");
        assert!(hand.has_no_other(), "{said:?}: it may be at it still");
    }
}

#[tokio::test]
async fn who_does_not_even_read_is_given_up() {
    let hand = Hand::open();
    let stage = impatient(&hand);
    let client = client(&stage).await;
    let (mut from, mut to) = client.into_split();
    to.write_all(b"POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 1000000000\r\n\r\n").await.unwrap();
    let _deaf = hand.accept().await;
    let upload = async { while to.write_all(&[b'x'; 65536]).await.is_ok() {} };
    let answer = async {
        let mut heard = vec![0; 12];
        from.read_exact(&mut heard).await.unwrap();
        // A reset may overtake the rest, for much of the body was not read.
        let _ = from.read_to_end(&mut heard).await;
        heard
    };
    let (heard, ()) = tokio::join!(answer, upload);
    assert!(heard.starts_with(b"HTTP/1.1 504"), "{}", String::from_utf8_lossy(&heard));
    let page = admin(&stage, "/metrics").await.body;
    assert!(page.contains("epr_refusals_total{reason=\"backend_timeout\"} 1\n"), "{page}");
    assert!(hand.has_no_other());
}

#[tokio::test]
async fn who_stops_in_the_middle_of_an_answer_is_given_up() {
    let hand = Hand::open();
    let stage = impatient(&hand);
    let halves = [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
        "HTTP/1.1 200 OK\r\n\r\nhalf",
    ];
    for half in halves {
        let mut client = client(&stage).await;
        client.write_all(GET).await.unwrap();
        let mut peer = hand.accept().await;
        peer.head().await;
        peer.say(half.as_bytes()).await;
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).await.unwrap();
        assert!(!heard.ends_with(b"0\r\n\r\n") && Answer::parse(&heard).body.len() < 20, "{half:?}");
        assert_eq!(peer.rest().await.1, End::Reset, "{half:?}");
    }
    stage.apply(vec![bound("a.ep-r.io", Https, &[hand.address])]);
    let mut raw = Raw::open(&stage).await;
    for (stream, half) in (1..).step_by(2).zip(halves) {
        let mut client = tls(&stage, "a.ep-r.io", &[b"http/1.1"]).await.unwrap();
        client.write_all(GET).await.unwrap();
        client.flush().await.unwrap();
        let mut peer = hand.accept().await;
        peer.head().await;
        peer.say(half.as_bytes()).await;
        let ended = client.read_to_end(&mut Vec::new()).await.map_err(|error| error.kind());
        assert_eq!(ended, Err(ErrorKind::UnexpectedEof), "{half:?}");
        raw.send(&get(stream)).await;
        let mut peer = hand.accept().await;
        peer.head().await;
        peer.say(half.as_bytes()).await;
        raw.until(|frame| frame.stream == stream && frame.kind == RST_STREAM).await;
    }
    let page = admin(&stage, "/metrics").await.body;
    let count = 3 * halves.len();
    assert!(page.contains(&format!("epr_refusals_total{{reason=\"backend_timeout\"}} {count}\n")), "{page}");
}
