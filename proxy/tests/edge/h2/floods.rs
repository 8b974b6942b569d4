//! What a client can send without end is bounded: its connection ends, and others go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use proto::EdgeProtocol::Https;
use proxy::config::Rate;

use super::frames::{
    ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, Frame, GOAWAY, HEADERS,
    NO_ERROR, PING, PRIORITY, REFUSED_STREAM, RST_STREAM, Raw, SETTINGS, WINDOW_UPDATE, block, frame, get,
    head, post, reset,
};
use crate::backends::{echo, serve};
use crate::observed::admin;
use crate::stage::{Stage, bound};

const FLOOD: u32 = 10_000;

/// With an echo behind `a.ep-r.io`.
async fn stage() -> Stage {
    let stage = Stage::open();
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    stage
}

/// Others are served, and the flood is told by its name.
async fn went_well(stage: &Stage, mut other: Raw) {
    other.asks(3).await;
    Raw::open(stage).await.asks(1).await;
    let metrics = admin(stage, "/metrics").await.body;
    let counted =
        metrics.lines().find(|line| line.starts_with("epr_refusals_total") && line.contains("http2_flood"));
    assert!(counted.is_some_and(|line| !line.ends_with(" 0")), "{counted:?}");
}

#[tokio::test]
async fn a_flood_of_frames_that_are_of_no_use_ends_its_connection_alone() {
    let stage = stage().await;
    let ping = frame(PING, 0, 0, &[7; 8]);
    let floods: [(&str, Vec<u8>); 6] = [
        ("ping", ping),
        ("settings", frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9])),
        ("priority", frame(PRIORITY, 0, 3, &[0, 0, 0, 0, 9])),
        ("unknown", frame(0x77, 0, 0, b"?")),
        ("window", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("ping answers", frame(PING, ACK, 0, &[7; 8])),
    ];
    for (name, frame) in floods {
        let mut other = Raw::open(&stage).await;
        other.asks(1).await;
        let mut raw = Raw::open(&stage).await;
        raw.send(&post(1)).await;
        assert_eq!(raw.flood(FLOOD, |_| frame.clone()).await, ENHANCE_YOUR_CALM, "{name}");
        went_well(&stage, other).await;
    }
}

#[tokio::test]
async fn as_many_as_a_client_needs_are_answered() {
    let stage = stage().await;
    let mut raw = Raw::open(&stage).await;
    for n in 0..100_u8 {
        raw.send(&frame(PING, 0, 0, &[n; 8])).await;
        let pong = raw.until(|frame| frame.kind == PING).await;
        assert_eq!(pong, Frame { kind: PING, flags: ACK, stream: 0, payload: vec![n; 8] });
    }
    raw.asks(1).await;
}

#[tokio::test]
async fn empty_data_and_heads_without_an_end_are_bounded() {
    let stage = stage().await;
    let other = Raw::open(&stage).await;
    let mut raw = Raw::open(&stage).await;
    raw.send(&post(1)).await;
    assert_eq!(raw.flood(FLOOD, |_| frame(DATA, 0, 1, &[])).await, ENHANCE_YOUR_CALM, "empty DATA");
    let mut raw = Raw::open(&stage).await;
    raw.send(&frame(HEADERS, END_STREAM, 1, &head("GET"))).await;
    let continued = |n: u32| frame(CONTINUATION, 0, 1, &block(&[("x", &n.to_string())]));
    assert_eq!(raw.flood(FLOOD, continued).await, ENHANCE_YOUR_CALM, "CONTINUATION");
    let mut raw = Raw::open(&stage).await;
    raw.send(&frame(HEADERS, END_STREAM, 1, &head("GET"))).await;
    assert_eq!(raw.flood(FLOOD, |_| frame(CONTINUATION, 0, 1, &[])).await, ENHANCE_YOUR_CALM, "empty ones");
    went_well(&stage, other).await;
}

#[tokio::test]
async fn requests_that_are_taken_back_cost_a_bounded_number_of_backend_connections() {
    let stage = Stage::with(|config| config.limits.h2_resets = Rate::new(1, 20).unwrap());
    let taken = Arc::new(AtomicU32::new(0));
    let counted = taken.clone();
    let silent = serve(&stage.tasks, move |stream| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            let _open = stream;
            std::future::pending::<()>().await;
        }
    });
    let (silent, backend) = (silent.await, echo(&stage.tasks, "backend").await);
    stage.apply(vec![bound("a.ep-r.io", Https, &[silent])]);
    let mut raw = Raw::open(&stage).await;
    let mut stream = 1;
    let said = loop {
        // Each is under way before it is taken back.
        raw.try_send(&[get(stream), frame(PING, 0, 0, &[0; 8])].concat()).await;
        let said = raw.until(|frame| frame.kind == PING || frame.kind == GOAWAY).await;
        if said.kind == GOAWAY {
            break said;
        }
        raw.try_send(&reset(stream, CANCEL)).await;
        stream += 2;
    };
    assert_eq!((said.code(), raw.next().await), (ENHANCE_YOUR_CALM, None));
    assert!(taken.load(Ordering::Relaxed) <= 25, "{taken:?}");
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    Raw::open(&stage).await.asks(1).await;
}

#[tokio::test]
async fn requests_taken_back_in_the_same_breath_end_the_connection() {
    let stage = stage().await;
    let other = Raw::open(&stage).await;
    let mut raw = Raw::open(&stage).await;
    let pair = |n| [get(2 * n + 1), reset(2 * n + 1, CANCEL)].concat();
    let burst: Vec<u8> = (0..200).flat_map(pair).collect();
    raw.try_send(&burst).await;
    let code = raw.flood(FLOOD, |n| pair(n + 200)).await;
    assert_eq!(code, ENHANCE_YOUR_CALM);
    went_well(&stage, other).await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_told_and_one_without_measure_ends_the_connection() {
    let stage = stage().await;
    let mut raw = Raw::open(&stage).await;
    let large = |fields: usize| {
        let value = "v".repeat(4000);
        let mut bytes = head("GET");
        bytes.extend((0..fields).flat_map(|_| block(&[("x-large", &value)])));
        bytes
    };
    let frames = |stream, block: Vec<u8>| {
        let mut chunks = block.chunks(16_000).peekable();
        let mut bytes = frame(HEADERS, END_STREAM, stream, chunks.next().unwrap());
        while let Some(chunk) = chunks.next() {
            let flags = if chunks.peek().is_none() { END_HEADERS } else { 0 };
            bytes.extend(frame(CONTINUATION, flags, stream, chunk));
        }
        bytes
    };
    raw.send(&frames(1, large(10))).await;
    let told = raw.until(|frame| frame.stream == 1).await;
    assert_eq!(told.kind, HEADERS);
    assert!(told.payload.windows(3).any(|digits| digits == b"431") || told.payload[0] != 0x88, "{told:?}");
    raw.asks(3).await;
    raw.try_send(&frames(5, large(100))).await;
    assert_ne!(raw.goodbye().await, NO_ERROR);
}

#[tokio::test]
async fn a_stream_too_many_is_refused_and_the_others_are_served() {
    let stage = Stage::with(|config| config.limits.h2_streams = 4);
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let mut raw = Raw::open(&stage).await;
    for n in 0..4 {
        raw.send(&post(2 * n + 1)).await;
    }
    raw.send(&get(9)).await;
    let refused = raw.until(|frame| frame.stream != 0).await;
    assert_eq!((refused.kind, refused.stream, refused.code()), (RST_STREAM, 9, REFUSED_STREAM));
    raw.send(&frame(DATA, END_STREAM, 1, b"body")).await;
    raw.until(|frame| frame.stream == 1 && frame.flags & END_STREAM != 0).await;
    raw.asks(11).await;
    // One that never minds is sent away.
    assert_eq!(raw.flood(FLOOD, |n| post(2 * n + 13)).await, ENHANCE_YOUR_CALM);
}

#[tokio::test]
async fn a_head_that_is_begun_and_not_ended_closes_the_connection() {
    let stage = Stage::with(|config| config.timeouts.head = Duration::from_millis(50));
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let mut raw = Raw::open(&stage).await;
    raw.asks(1).await;
    raw.send(&frame(HEADERS, END_STREAM, 3, &head("GET"))).await;
    assert_eq!(raw.goodbye().await, NO_ERROR);
}

#[tokio::test]
async fn an_idle_connection_is_told_that_it_closes() {
    let stage = Stage::with(|config| config.timeouts.keep_alive = Duration::from_millis(50));
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let mut raw = Raw::open(&stage).await;
    raw.asks(1).await;
    assert_eq!(raw.goodbye().await, NO_ERROR);
}

#[tokio::test]
async fn a_client_that_opens_no_window_loses_its_stream_alone() {
    let stage = Stage::with(|config| config.timeouts.stalled = Duration::from_millis(50));
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    // SETTINGS_INITIAL_WINDOW_SIZE 0.
    let mut raw = Raw::with(&stage, &[0, 4, 0, 0, 0, 0]).await;
    raw.send(&get(1)).await;
    let ended = raw.until(|frame| frame.stream == 1 && frame.kind != HEADERS).await;
    assert_eq!((ended.kind, ended.code()), (RST_STREAM, CANCEL));
    raw.send(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255])).await;
    raw.asks(3).await;
}

#[tokio::test]
async fn a_client_that_sends_or_takes_less_than_the_least_rate_loses_its_stream_alone() {
    let stage = Stage::with(|config| {
        config.timeouts.body_grace = Duration::from_millis(50);
        config.limits.body_rate = 1_000_000.try_into().unwrap();
    });
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    // SETTINGS_INITIAL_WINDOW_SIZE 1.
    let mut raw = Raw::with(&stage, &[0, 4, 0, 0, 0, 1]).await;
    raw.send(&get(1)).await;
    let ended = raw.until(|frame| frame.stream == 1 && ![HEADERS, DATA].contains(&frame.kind)).await;
    assert_eq!((ended.kind, ended.code()), (RST_STREAM, CANCEL));
    raw.send(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255])).await;
    raw.send(&[post(3), frame(DATA, 0, 3, b"one byte now and then")].concat()).await;
    let told = raw.until(|frame| frame.stream == 3 && frame.kind == DATA).await;
    assert!(told.payload.starts_with(b"body_timeout: "), "{told:?}");
    raw.asks(5).await;
}
