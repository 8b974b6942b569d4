//! Requests over HTTP/2 that must not be forwarded (RFC 9113 8.1.1).

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use proto::EdgeProtocol::Https;

use super::bodies::witness;
use super::frames::{DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, Raw, block, frame, post};
use crate::backends::serve;
use crate::stage::{Stage, bound};

/// As fields are told apart by the static table (RFC 7541 A).
const STATUS_400: u8 = 0x8c;
const PROTOCOL_ERROR: u32 = 1;

type Fields = Vec<(&'static str, &'static str)>;

/// A request with a body to come, and `more` fields.
fn with(more: &[(&'static str, &'static str)]) -> Fields {
    let mut fields = line("POST", "/");
    fields.extend(more);
    fields
}

fn line(method: &'static str, path: &'static str) -> Fields {
    vec![(":method", method), (":scheme", "https"), (":authority", "a.ep-r.io"), (":path", path)]
}

fn without(name: &str) -> Fields {
    line("POST", "/").into_iter().filter(|field| field.0 != name).collect()
}

/// What comes of a request, whose backend counts it.
async fn asked(stage: &Stage, fields: &Fields) -> super::frames::Frame {
    let mut raw = Raw::open(stage).await;
    raw.send(&frame(HEADERS, END_HEADERS, 1, &block(fields))).await;
    raw.until(|frame| frame.stream == 1).await
}

#[tokio::test]
async fn what_cannot_be_forwarded_is_not() {
    let stage = Stage::open();
    let reached = Arc::new(AtomicU32::new(0));
    let counted = reached.clone();
    let backend = serve(&stage.tasks, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        async {}
    });
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend.await])]);
    let refused: [Fields; 13] = [
        line("GET", "*"),
        line("POST", "*"),
        line("GET", "/\u{e4}"),
        with(&[("x", " a")]),
        with(&[("x", "a ")]),
        with(&[("x", "\ta")]),
        with(&[("x", "a\t")]),
        with(&[("host", "a.ep-r.io ")]),
        with(&[("host", "b.ep-r.io")]),
        with(&[("content-length", "9223372036854775808")]),
        with(&[("host", "a.ep-r.io"), ("host", "a.ep-r.io")]),
        without(":authority"),
        [without(":authority"), vec![(":authority", "u@a.ep-r.io")]].concat(),
    ];
    for fields in refused {
        let answer = asked(&stage, &fields).await;
        assert_eq!((answer.kind, answer.payload[0]), (HEADERS, STATUS_400), "{fields:?}");
    }
    let reset: [Fields; 18] = [
        with(&[("connection", "close")]),
        with(&[("keep-alive", "timeout=5")]),
        with(&[("proxy-connection", "close")]),
        with(&[("transfer-encoding", "chunked")]),
        with(&[("upgrade", "websocket")]),
        with(&[("te", "gzip")]),
        with(&[("content-length", "5"), ("content-length", "6")]),
        with(&[("content-length", "5"), ("content-length", "5 ")]),
        with(&[("content-length", "5, 5")]),
        with(&[("content-length", "+5")]),
        with(&[(":path", "/")]),
        with(&[(":status", "200")]),
        with(&[(":protocol", "websocket")]),
        with(&[("x", "y"), (":method", "GET")]),
        without(":path"),
        without(":scheme"),
        without(":method"),
        line("GET", ""),
    ];
    for fields in reset {
        let answer = asked(&stage, &fields).await;
        assert_eq!((answer.kind, answer.code()), (RST_STREAM, PROTOCOL_ERROR), "{fields:?}");
    }
    let told = asked(&stage, &with(&[("expect", "200-ok")])).await;
    assert_eq!(told.kind, HEADERS);
    assert_eq!(reached.load(Ordering::Relaxed), 0, "none has a backend");
}

#[tokio::test]
async fn trailers_on_which_others_rely_break_the_request_off() {
    for trailer in
        [("content-length", "4"), ("x-forwarded-for", "1.2.3.4"), ("host", "b.ep-r.io"), ("sum", " 7")]
    {
        let stage = Stage::open();
        let (backend, mut heard) = witness(&stage.tasks, "part\r\n").await;
        stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
        let mut raw = Raw::open(&stage).await;
        raw.send(&[post(1), frame(DATA, 0, 1, b"part")].concat()).await;
        heard.recv().await.unwrap();
        raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[trailer]))).await;
        let (rest, ended) = heard.recv().await.unwrap();
        assert_eq!((rest.as_str(), ended), ("", Some(ErrorKind::ConnectionReset)), "{trailer:?}");
    }
}
