//! Who does not take its answer is cut, and what was on its way to it goes nowhere.

use std::io;
use std::time::Duration;

use http::Response;
use proto::BackendProtocol::{H2c, Http1};
use proto::EdgeProtocol::{Http, Https};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::backends::{h2c, http1, whole};
use crate::client::tls;
use crate::h2::frames::{CANCEL, RST_STREAM, Raw, WINDOW_UPDATE, frame, get};
use crate::observed::admin;
use crate::stage::{Stage, bound, bound_to};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n";
const LENGTH: usize = 50_000_000;

/// Where clients that take nothing for a moment are cut.
fn hasty() -> Stage {
    Stage::with(|config| config.timeouts.stalled = Duration::from_millis(50))
}

/// What a client hears that takes one byte of its answer, and the rest when its connection is gone.
async fn heard_late(stage: &Stage, stream: &mut (impl AsyncRead + Unpin)) -> (usize, io::Error) {
    stream.read_u8().await.unwrap();
    while stage.open_connections() > 0 {
        tokio::task::yield_now().await;
    }
    let mut heard = Vec::new();
    let end = stream.read_to_end(&mut heard).await.unwrap_err();
    (heard.len(), end)
}

/// Asserts that the proxy has counted one of them; over HTTP/2 its connection may count besides.
async fn is_counted(stage: &Stage) {
    let metrics = admin(stage, "/metrics").await.body;
    let counted = [1, 2]
        .map(|count| metrics.contains(&format!("epr_refusals_total{{reason=\"slow_reader\"}} {count}\n")));
    assert!(counted.contains(&true), "{metrics}");
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_reset() {
    for (edge, speaks) in [(Http, Http1), (Https, Http1), (Http, H2c), (Https, H2c)] {
        let stage = hasty();
        let answer = |_| async { Response::new(whole(vec![b'x'; LENGTH])) };
        let big = match speaks {
            Http1 => http1(&stage.tasks, answer).await,
            H2c => h2c(&stage.tasks, answer).await,
        };
        stage.apply(vec![bound_to("dep-a", "a.ep-r.io", edge, speaks, &[big])]);
        let (heard, end) = if edge == Http {
            let mut deaf = TcpStream::connect(stage.http).await.unwrap();
            deaf.write_all(REQUEST).await.unwrap();
            heard_late(&stage, &mut deaf).await
        } else {
            let mut deaf = tls(&stage, "a.ep-r.io", &[b"http/1.1"]).await.unwrap();
            deaf.write_all(REQUEST).await.unwrap();
            heard_late(&stage, &mut deaf).await
        };
        assert!(heard < LENGTH, "{edge:?} {speaks:?}: {heard}");
        assert_eq!(end.kind(), io::ErrorKind::ConnectionReset, "{edge:?} {speaks:?}");
        is_counted(&stage).await;
    }
}

#[tokio::test]
async fn a_client_that_takes_no_frames_is_reset() {
    let stage = hasty();
    let big = http1(&stage.tasks, |_| async { Response::new(whole(vec![b'x'; LENGTH])) }).await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[big])]);
    let widest = i32::MAX.to_be_bytes();
    let mut raw = Raw::with(&stage, &[&[0, 4][..], &widest].concat()).await;
    raw.send(&frame(WINDOW_UPDATE, 0, 0, &(i32::MAX - 65_535).to_be_bytes())).await;
    raw.send(&get(1)).await;
    let (heard, end) = heard_late(&stage, &mut raw.into_inner()).await;
    assert!(heard < LENGTH, "{heard}");
    assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
    is_counted(&stage).await;
}

#[tokio::test]
async fn a_client_that_opens_no_window_loses_its_stream() {
    let stage = hasty();
    let big = http1(&stage.tasks, |_| async { Response::new(whole(vec![b'x'; LENGTH])) }).await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[big])]);
    let mut raw = Raw::open(&stage).await;
    raw.send(&get(1)).await;
    let reset = raw.until(|frame| frame.kind == RST_STREAM).await;
    assert_eq!((reset.stream, reset.code()), (1, CANCEL));
    is_counted(&stage).await;
}
