//! Backends that speak HTTP/2 in the clear, frame by frame, and clients that speak HTTP/1.1.

use std::time::Duration;

use proto::BackendProtocol::H2c;
use proto::EdgeProtocol::Http;
use proxy::config::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::hand::{Hand, Peer, client};
use crate::client::{Answer, read_answer};
use crate::h2::frames::{
    ACK, CANCEL, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, NO_ERROR, REFUSED_STREAM, RST_STREAM,
    SETTINGS, block, frame, reset,
};
use crate::observed::admin;
use crate::stage::{Stage, bound_to, unbound};

const INTERNAL_ERROR: u32 = 2;
const POST: &str = "POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 4\r\n\r\nbody";
const GET: &str = "GET / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n";

fn stage(hand: &Hand, change: impl FnOnce(&mut Config)) -> Stage {
    let stage = hand.stage(change);
    stage.apply(vec![bound_to("dep-a", "a.ep-r.io", Http, H2c, &[hand.address])]);
    stage
}

/// A connection after the preface and the settings of both sides.
async fn accept(hand: &Hand) -> Peer {
    let mut peer = hand.accept().await;
    peer.until("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    peer.say(&[frame(SETTINGS, 0, 0, &[]), frame(SETTINGS, ACK, 0, &[])].concat()).await;
    peer
}

/// The head of an answer with a body.
fn head(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &block(&[&[(":status", "200")], fields].concat()))
}

fn ok(stream: u32) -> Vec<u8> {
    [head(stream, &[("content-length", "2")]), frame(DATA, END_STREAM, stream, b"ok")].concat()
}

/// Reads frames until one is `wanted`; those that are not may not reset or end a stream.
async fn until(peer: &mut Peer, wanted: impl Fn(&Frame) -> bool) -> Frame {
    loop {
        let frame = peer.frame().await;
        if wanted(&frame) {
            return frame;
        }
        assert!(frame.kind != RST_STREAM && frame.kind != GOAWAY, "{frame:?}");
    }
}

async fn request(peer: &mut Peer) -> u32 {
    until(peer, |frame| frame.kind == HEADERS).await.stream
}

/// Reads until these bytes have come.
async fn hear(client: &mut TcpStream, end: &str) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(end.as_bytes()) {
        heard.push(client.read_u8().await.unwrap());
    }
    String::from_utf8(heard).unwrap()
}

#[tokio::test]
async fn a_chunked_upload_becomes_frames_with_its_trailers() {
    let hand = Hand::open();
    let stage = stage(&hand, |_| {});
    let mut client = client(&stage).await;
    client
        .write_all(b"POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ntransfer-encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    client.write_all(b"4;a=b\r\nha").await.unwrap();
    let mut peer = accept(&hand).await;
    let stream = request(&mut peer).await;
    let mut body = until(&mut peer, |frame| frame.kind == DATA).await.payload;
    client.write_all(b"lf\r\n2\r\nok\r\n0\r\nsum: 6\r\n\r\n").await.unwrap();
    let last = loop {
        let frame = until(&mut peer, |frame| frame.kind == DATA || frame.kind == HEADERS).await;
        if frame.kind == HEADERS {
            break frame;
        }
        assert_eq!(frame.flags & END_STREAM, 0, "the trailers are still to come");
        body.extend(frame.payload);
    };
    assert_eq!((body.as_slice(), last.flags & END_STREAM), (&b"halfok"[..], END_STREAM));
    let trailers = [("sum", "6")];
    let answer = [head(stream, &[]), frame(DATA, 0, stream, b"ok")].concat();
    peer.say(&answer).await;
    peer.say(&frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&trailers))).await;
    assert!(
        hear(&mut client, "2\r\nok\r\n0\r\nsum: 6\r\n\r\n").await.contains("transfer-encoding: chunked\r\n")
    );
}

#[tokio::test]
async fn who_waits_to_be_told_to_send_is_told_when_the_backend_wants_the_body() {
    let hand = Hand::open();
    // No timer wakes anybody.
    let stage = stage(&hand, |config| {
        let long = Duration::from_secs(3600);
        config.timeouts.watched_after = long;
        (config.timeouts.first_byte, config.timeouts.stalled) = (long, long);
        config.timeouts.body_grace = long;
    });
    let mut peer = None;
    for _ in 0..3 {
        let mut client = client(&stage).await;
        let head = "POST / HTTP/1.1\r\nhost: a.ep-r.io\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
        client.write_all(head.as_bytes()).await.unwrap();
        let peer = match &mut peer {
            Some(peer) => peer,
            None => peer.insert(accept(&hand).await),
        };
        let stream = request(peer).await;
        assert_eq!(hear(&mut client, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
        client.write_all(b"body").await.unwrap();
        until(peer, |frame| frame.kind == DATA && frame.payload == b"body").await;
        peer.say(&ok(stream)).await;
        assert_eq!(read_answer(&mut client).await.body, "ok");
    }
}

#[tokio::test]
async fn a_stream_that_was_not_looked_at_is_asked_for_again_once() {
    let hand = Hand::open();
    let stage = stage(&hand, |_| {});
    let mut client = client(&stage).await;
    let post = "POST / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n";
    client.write_all(post.as_bytes()).await.unwrap();
    let mut peer = accept(&hand).await;
    let stream = request(&mut peer).await;
    peer.say(&reset(stream, REFUSED_STREAM)).await;
    let stream = request(&mut peer).await;
    peer.say(&ok(stream)).await;
    assert_eq!(read_answer(&mut client).await.body, "ok");
    client.write_all(post.as_bytes()).await.unwrap();
    for _ in 0..2 {
        let stream = request(&mut peer).await;
        peer.say(&reset(stream, REFUSED_STREAM)).await;
    }
    assert_eq!(read_answer(&mut client).await.refusal(), (502, "backend_reset"));
    // A goodbye that names an earlier stream: the request goes over another connection.
    client.write_all(post.as_bytes()).await.unwrap();
    let last = request(&mut peer).await - 2;
    peer.say(&frame(GOAWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat())).await;
    let mut other = accept(&hand).await;
    let stream = request(&mut other).await;
    other.say(&ok(stream)).await;
    assert_eq!(read_answer(&mut client).await.body, "ok");
    assert!(hand.has_no_other());
}

#[tokio::test]
async fn a_stream_that_may_have_been_looked_at_is_asked_for_again_only_if_nothing_happens_twice() {
    let hand = Hand::open();
    let stage = stage(&hand, |_| {});
    let mut client = client(&stage).await;
    client.write_all(GET.as_bytes()).await.unwrap();
    let mut peer = accept(&hand).await;
    let stream = request(&mut peer).await;
    peer.say(&reset(stream, INTERNAL_ERROR)).await;
    let stream = request(&mut peer).await;
    peer.say(&ok(stream)).await;
    assert_eq!(read_answer(&mut client).await.body, "ok");
    for code in [INTERNAL_ERROR, CANCEL, NO_ERROR, REFUSED_STREAM] {
        let mut client = self::client(&stage).await;
        client.write_all(POST.as_bytes()).await.unwrap();
        let stream = request(&mut peer).await;
        until(&mut peer, |frame| frame.kind == DATA && frame.payload == b"body").await;
        peer.say(&reset(stream, code)).await;
        let answer = read_answer(&mut client).await;
        assert_eq!(answer.refusal(), (502, "backend_reset"), "{code}: the body is gone");
    }
    let mut client = self::client(&stage).await;
    client.write_all(b"POST / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n").await.unwrap();
    let stream = request(&mut peer).await;
    peer.say(&reset(stream, INTERNAL_ERROR)).await;
    assert_eq!(read_answer(&mut client).await.refusal(), (502, "backend_reset"));
    assert!(hand.has_no_other());
}

#[tokio::test]
async fn an_answer_that_breaks_off_looks_broken() {
    let hand = Hand::open();
    let stage = stage(&hand, |_| {});
    let mut peer = None;
    for code in [NO_ERROR, INTERNAL_ERROR, CANCEL] {
        for length in [None, Some(("content-length", "10"))] {
            let mut client = client(&stage).await;
            client.write_all(GET.as_bytes()).await.unwrap();
            let peer = match &mut peer {
                Some(peer) => peer,
                None => peer.insert(accept(&hand).await),
            };
            let stream = request(peer).await;
            let fields: Vec<_> = length.into_iter().collect();
            peer.say(&[head(stream, &fields), frame(DATA, 0, stream, b"half")].concat()).await;
            let mut heard = hear(&mut client, "half").await;
            peer.say(&reset(stream, code)).await;
            client.read_to_string(&mut heard).await.unwrap();
            assert!(!heard.ends_with("0\r\n\r\n"), "{code} {heard}");
            assert!(Answer::parse(heard.as_bytes()).body.len() < 10, "{code} {heard}");
        }
    }
    let page = admin(&stage, "/metrics").await.body;
    assert!(page.contains("epr_refusals_total{reason=\"backend_reset\"} 6\n"), "{page}");
}

/// Trailers in which fields of a head are hidden, and those that are left of them.
const HIDDEN: [(&str, &str); 7] = [
    ("grpc-status", "0"),
    ("epr-refusal", "no_route"),
    ("set-cookie", "a=b"),
    ("content-length", "7"),
    ("host", "b.ep-r.io"),
    ("x-request-id", "other"),
    ("sum", "6"),
];

/// The end of an answer, with these fields.
fn trailers(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(fields))
}

#[tokio::test]
async fn of_its_trailers_those_are_left_out_that_belong_in_a_head() {
    let hand = Hand::open();
    let stage = stage(&hand, |_| {});
    let mut client = client(&stage).await;
    client.write_all(GET.as_bytes()).await.unwrap();
    let mut peer = accept(&hand).await;
    let stream = request(&mut peer).await;
    peer.say(&[head(stream, &[]), frame(DATA, 0, stream, b"ok"), trailers(stream, &HIDDEN)].concat()).await;
    hear(&mut client, "\r\n\r\n").await;
    assert_eq!(hear(&mut client, "\r\n\r\n").await, "2\r\nok\r\n0\r\ngrpc-status: 0\r\nsum: 6\r\n\r\n");
    // None is left, and the connection is as good as ever.
    client.write_all(GET.as_bytes()).await.unwrap();
    let stream = request(&mut peer).await;
    peer.say(&[head(stream, &[]), trailers(stream, &[("te", "trailers"), ("via", "x")])].concat()).await;
    hear(&mut client, "\r\n\r\n").await;
    assert_eq!(hear(&mut client, "\r\n\r\n").await, "0\r\n\r\n");
    // More than a section may have.
    client.write_all(GET.as_bytes()).await.unwrap();
    let stream = request(&mut peer).await;
    peer.say(&[head(stream, &[]), trailers(stream, &[("a", "b"); 65])].concat()).await;
    hear(&mut client, "\r\n\r\n").await;
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "", "it is broken off");
    let page = admin(&stage, "/metrics").await.body;
    assert!(page.contains("epr_refusals_total{reason=\"backend_garbage\"} 1\n"), "{page}");
}

#[tokio::test]
async fn an_early_answer_ends_the_upload() {
    let hand = Hand::open();
    let stage = stage(&hand, |_| {});
    let mut client = client(&stage).await;
    client.write_all(b"POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
    let mut peer = accept(&hand).await;
    let stream = request(&mut peer).await;
    until(&mut peer, |frame| frame.kind == DATA).await;
    peer.say(&[ok(stream), reset(stream, NO_ERROR)].concat()).await;
    let answer = read_answer(&mut client).await;
    assert_eq!((answer.body.as_str(), answer.field("connection")), ("ok", Some("close")));
}

#[tokio::test]
async fn a_client_that_sends_no_more_behind_the_answers_beginning_is_to_blame() {
    let hand = Hand::open();
    let stage = stage(&hand, |config| config.timeouts.stalled = Duration::from_millis(300));
    let mut client = client(&stage).await;
    client.write_all(b"POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
    let mut peer = accept(&hand).await;
    let stream = request(&mut peer).await;
    until(&mut peer, |frame| frame.kind == DATA).await;
    peer.say(&[head(stream, &[]), frame(DATA, 0, stream, b"ok")].concat()).await;
    hear(&mut client, "ok\r\n").await;
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "", "it is not whole");
    let page = admin(&stage, "/metrics").await.body;
    assert!(page.contains("epr_refusals_total{reason=\"body_timeout\"} 1\n"), "{page}");
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_taken_back() {
    let hand = Hand::open();
    let stage = stage(&hand, |_| {});
    let mut peer = None;
    for broken in ["4\r\nhalf\r\n", "4\r\nhalf\r\nno chunk"] {
        let mut client = client(&stage).await;
        let head = "POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ntransfer-encoding: chunked\r\n\r\n";
        client.write_all(format!("{head}{broken}").as_bytes()).await.unwrap();
        let peer = match &mut peer {
            Some(peer) => peer,
            None => peer.insert(accept(&hand).await),
        };
        let stream = request(peer).await;
        client.shutdown().await.unwrap();
        let last = loop {
            let frame = peer.frame().await;
            if frame.kind == RST_STREAM || frame.flags & END_STREAM != 0 && frame.kind == DATA {
                break frame;
            }
        };
        assert_eq!((last.kind, last.stream), (RST_STREAM, stream), "{broken:?}");
        assert_ne!(last.code(), NO_ERROR);
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_though_the_answer_is_silent() {
    let hand = Hand::open();
    let stage = stage(&hand, |_| {});
    let mut client = client(&stage).await;
    client.write_all(GET.as_bytes()).await.unwrap();
    let mut peer = accept(&hand).await;
    let stream = request(&mut peer).await;
    peer.say(&[head(stream, &[]), frame(DATA, 0, stream, b"half")].concat()).await;
    hear(&mut client, "half\r\n").await;
    client.set_zero_linger().unwrap();
    drop(client);
    let last = until(&mut peer, |frame| frame.kind == RST_STREAM).await;
    assert_eq!((last.stream, last.code()), (stream, CANCEL));
    let page = admin(&stage, "/metrics").await.body;
    assert!(page.contains("epr_refusals_total{reason=\"client_gone\"} 1\n"), "{page}");
}

#[tokio::test]
async fn who_speaks_no_http2_is_told_by_name() {
    let hand = Hand::open();
    let stage = stage(&hand, |_| {});
    for words in ["HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", "220 smtp.example\r\n"] {
        let mut client = client(&stage).await;
        client.write_all(POST.as_bytes()).await.unwrap();
        let mut peer = hand.accept().await;
        peer.until("SM\r\n\r\n").await;
        peer.say(words.as_bytes()).await;
        let answer = read_answer(&mut client).await;
        assert_eq!(answer.refusal(), (502, "backend_garbage"), "{words:?}");
    }
}

/// Reads to the connection's end, which is no reset of a stream.
async fn until_closed(peer: &mut Peer) {
    while let Some(frame) = peer.try_frame().await {
        assert_ne!(frame.kind, RST_STREAM, "{frame:?}");
    }
}

#[tokio::test]
async fn a_connection_no_route_leads_to_any_more_is_closed() {
    let hand = Hand::open();
    let stage = stage(&hand, |config| config.backends.idle_timeout = Duration::from_secs(3600));
    let mut client = client(&stage).await;
    client.write_all(GET.as_bytes()).await.unwrap();
    let mut peer = accept(&hand).await;
    let stream = request(&mut peer).await;
    stage.apply(vec![unbound("a.ep-r.io", Some(Http))]);
    // Not before its last request has ended.
    peer.say(&head(stream, &[])).await;
    hear(&mut client, "\r\n\r\n").await;
    peer.say(&frame(DATA, END_STREAM, stream, b"ok")).await;
    hear(&mut client, "0\r\n\r\n").await;
    until_closed(&mut peer).await;
}
