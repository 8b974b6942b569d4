//! Bodies over HTTP/2: what is whole looks whole, and nothing else does.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use proto::BackendProtocol::H2c;
use proto::EdgeProtocol::Https;
use proxy::tasks::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsConnector;

use super::frames::{
    CANCEL, DATA, END_HEADERS, END_STREAM, HEADERS, NO_ERROR, PING, RST_STREAM, Raw, WINDOW_UPDATE, ack,
    block, frame, get, post, reset,
};
use crate::backends::{says, serve};
use crate::client::tls_config;
use crate::observed::admin;
use crate::stage::{Stage, bound, bound_to};

/// Tells of all it reads, and how that ended: when it has read `pause` first, to go on then.
pub(crate) async fn witness(
    tasks: &Tasks,
    pause: &'static str,
) -> (SocketAddr, mpsc::Receiver<(String, Option<ErrorKind>)>) {
    let (told, heard) = mpsc::channel(4);
    let backend = serve(tasks, move |mut stream| {
        let told = told.clone();
        async move {
            let mut read = Vec::new();
            while !read.ends_with(pause.as_bytes()) {
                let Ok(byte) = stream.read_u8().await else { return };
                read.push(byte);
            }
            let _ = told.send((String::from_utf8(read).unwrap(), None)).await;
            let mut rest = Vec::new();
            let ended = stream.read_to_end(&mut rest).await.err().map(|error| error.kind());
            let _ = told.send((String::from_utf8(rest).unwrap(), ended)).await;
        }
    });
    (backend.await, heard)
}

#[tokio::test]
async fn a_body_that_is_taken_back_is_no_body_for_whatever_reason() {
    for code in [NO_ERROR, CANCEL, 2] {
        let stage = Stage::open();
        let (backend, mut heard) = witness(&stage.tasks, "part\r\n").await;
        stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
        let mut raw = Raw::open(&stage).await;
        raw.send(&[post(1), frame(DATA, 0, 1, b"part")].concat()).await;
        assert!(heard.recv().await.unwrap().0.contains("transfer-encoding: chunked"));
        raw.send(&reset(1, code)).await;
        let (rest, ended) = heard.recv().await.unwrap();
        assert_eq!((rest.as_str(), ended), ("", Some(ErrorKind::ConnectionReset)), "code {code}");
    }
}

#[tokio::test]
async fn a_body_is_as_long_as_its_head_says_and_trailers_come_behind_chunks() {
    let stage = Stage::open();
    let (backend, mut heard) = witness(&stage.tasks, "part").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let mut head = super::frames::head("POST");
    head.extend(block(&[("content-length", "8")]));
    let mut raw = Raw::open(&stage).await;
    raw.send(&[frame(HEADERS, END_HEADERS, 1, &head), frame(DATA, 0, 1, b"part")].concat()).await;
    let (request, _) = heard.recv().await.unwrap();
    assert!(request.contains("content-length: 8\r\n") && !request.contains("transfer-encoding"), "{request}");
    // One byte more than it said.
    raw.send(&frame(DATA, END_STREAM, 1, b"parts")).await;
    let (rest, ended) = heard.recv().await.unwrap();
    assert_eq!((rest.as_str(), ended), ("", Some(ErrorKind::ConnectionReset)));

    let (backend, mut heard) = witness(&stage.tasks, "sum: 7\r\n\r\n").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let trailers = frame(HEADERS, END_HEADERS | END_STREAM, 3, &block(&[("sum", "7")]));
    raw.send(&[post(3), frame(DATA, 0, 3, b"part"), trailers].concat()).await;
    let (request, _) = heard.recv().await.unwrap();
    assert!(request.ends_with("4\r\npart\r\n0\r\nsum: 7\r\n\r\n"), "{request}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_reset() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let stage = Stage::open();
        let backend = says(&stage.tasks, answer).await;
        stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
        let mut raw = Raw::open(&stage).await;
        raw.send(&get(1)).await;
        let came = raw.until(|frame| frame.stream == 1 && frame.kind != HEADERS).await;
        assert_eq!((came.kind, came.payload.as_slice()), (DATA, &b"half"[..]), "what came is not taken back");
        let ended = raw.until(|frame| frame.stream == 1).await;
        assert_eq!(ended.kind, RST_STREAM);
        raw.send(&get(3)).await;
        raw.until(|frame| frame.stream == 3).await;
    }
}

#[tokio::test]
async fn an_answer_without_a_length_that_ends_by_a_reset_is_reset() {
    let stage = Stage::open();
    let (told, heard) = watch::channel(());
    let backend = serve(&stage.tasks, move |mut stream| {
        let mut heard = heard.clone();
        async move {
            let _ = stream.read(&mut [0; 4096]).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhalf").await.unwrap();
            // Once that has arrived: a reset would overtake it.
            let _ = heard.changed().await;
            stream.set_zero_linger().unwrap();
        }
    })
    .await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let mut raw = Raw::open(&stage).await;
    raw.send(&get(1)).await;
    raw.until(|frame| frame.stream == 1 && frame.kind == DATA).await;
    told.send(()).unwrap();
    let ended = raw.until(|frame| frame.stream == 1).await;
    assert_eq!(ended.kind, RST_STREAM);
}

/// Answers with half a body over HTTP/2, and resets the stream.
async fn half(tasks: &Tasks, reason: ::h2::Reason) -> SocketAddr {
    serve(tasks, move |stream| async move {
        let mut connection = ::h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            let mut send = respond.send_response(Response::new(()), false).unwrap();
            send.send_data(Bytes::from_static(b"half"), false).unwrap();
            // The data would not be sent if the reset came before.
            let mut tick = 0;
            std::future::poll_fn(|cx| {
                let _ = connection.poll_closed(cx);
                tick += 1;
                cx.waker().wake_by_ref();
                if tick > 3 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
            send.send_reset(reason);
        }
    })
    .await
}

#[tokio::test]
async fn an_answer_that_an_http2_backend_resets_is_reset_with_its_reason() {
    for (said, told) in [(::h2::Reason::CANCEL, CANCEL), (::h2::Reason::NO_ERROR, 2)] {
        let stage = Stage::open();
        let backend = half(&stage.tasks, said).await;
        stage.apply(vec![bound_to("dep-g", "a.ep-r.io", Https, H2c, &[backend])]);
        let mut raw = Raw::open(&stage).await;
        raw.send(&get(1)).await;
        let ended = raw.until(|frame| frame.stream == 1 && ![HEADERS, DATA].contains(&frame.kind)).await;
        assert_eq!((ended.kind, ended.code()), (RST_STREAM, told), "{said:?}");
    }
}

#[tokio::test]
async fn an_early_answer_is_passed_on_and_the_rest_of_the_body_is_not_asked_for() {
    let stage = Stage::open();
    let backend = serve(&stage.tasks, |mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno").await;
    })
    .await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let mut raw = Raw::open(&stage).await;
    raw.send(&[post(1), frame(DATA, 0, 1, b"part")].concat()).await;
    raw.until(|frame| frame.stream == 1 && frame.kind == DATA && frame.flags & END_STREAM != 0).await;
    let ended = raw.until(|frame| frame.stream == 1).await;
    assert_eq!((ended.kind, ended.code()), (RST_STREAM, NO_ERROR), "RFC 9113 8.1");
}

/// Begins an answer, hears the body to its end, and ends the answer then.
async fn hears_out(tasks: &Tasks) -> SocketAddr {
    serve(tasks, |mut stream| async move {
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            read.push(stream.read_u8().await.unwrap());
        }
        let begun = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n";
        stream.write_all(begun).await.unwrap();
        while !read.ends_with(b"\r\n0\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            read.push(byte);
        }
        stream.write_all(b"0\r\n\r\n").await.unwrap();
        let _ = stream.read(&mut [0]).await;
    })
    .await
}

#[tokio::test]
async fn a_body_behind_its_own_answer_must_come_unless_it_is_a_conversation() {
    let stage = Stage::with(|config| config.timeouts.body_grace = Duration::from_millis(50));
    let backend = hears_out(&stage.tasks).await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let mut raw = Raw::open(&stage).await;
    raw.send(&[post(1), frame(DATA, 0, 1, b"word")].concat()).await;
    raw.until(|frame| frame.stream == 1 && frame.kind == DATA).await;
    let mut head = super::frames::head("POST");
    head.extend(block(&[("content-length", "1000")]));
    raw.send(&[frame(HEADERS, END_HEADERS, 3, &head), frame(DATA, 0, 3, b"some")].concat()).await;
    let ended = raw.until(|frame| frame.kind == RST_STREAM).await;
    assert_eq!((ended.stream, ended.code()), (3, CANCEL));
    raw.send(&frame(DATA, END_STREAM, 1, b"the last")).await;
    raw.until(|frame| frame.stream == 1 && frame.kind == DATA && frame.flags & END_STREAM != 0).await;
}

/// Serves whoever asks an answer of so many bytes, its head first and the rest when `late` is over.
async fn large(tasks: &Tasks, length: usize, late: Duration) -> SocketAddr {
    serve(tasks, move |mut stream| async move {
        let mut some = [0; 4096];
        let _ = stream.read(&mut some).await;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        let _ = stream.write_all(head.as_bytes()).await;
        tokio::time::sleep(late).await;
        let _ = stream.write_all(&vec![b'.'; length]).await;
    })
    .await
}

/// Whoever reads late has the last answer of a connection whole, though it goes on talking: what it says would have
/// a closed connection reset, and all that lies in the proxy's kernel with it.
#[tokio::test]
async fn the_end_of_a_connection_spares_the_end_of_its_last_answer() {
    // More than the client's kernel takes, and no more than the window it gives at first (RFC 9113 6.9.2).
    const LENGTH: usize = 65_535;
    let stage = Stage::with(|config| config.limits.requests_per_connection = NonZeroU32::MIN);
    let backend = large(&stage.tasks, LENGTH, Duration::ZERO).await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let stream = socket.connect(stage.https).await.unwrap();
    let connector = TlsConnector::from(tls_config(&stage, &[b"h2"]));
    let stream = connector.connect("a.ep-r.io".try_into().unwrap(), stream).await.unwrap();
    let mut raw = Raw::over(stream, &[]).await;
    raw.send(&get(1)).await;
    let mut got = 0;
    while got == 0 {
        let came = raw.next().await.unwrap();
        match came.kind {
            PING => raw.send(&ack(&came)).await,
            DATA => got += came.payload.len(),
            _ => {}
        }
    }
    let answered = "epr_requests_total{port=\"https\",protocol=\"h2\",status=\"2xx\"} 1\n";
    while !admin(&stage, "/metrics").await.body.contains(answered) {
        tokio::task::yield_now().await;
    }
    for _ in 0..20 {
        // What the proxy would answer with a reset if it had closed.
        let _ = raw.try_send(&frame(PING, 0, 0, &[0; 8])).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while got < LENGTH {
        let came = raw.next().await.unwrap_or_else(|| panic!("it ends after {got}"));
        if came.kind == DATA {
            got += came.payload.len();
        }
    }
    assert_eq!(got, LENGTH);
}

/// The time in which a client has to take something begins when there is something to take.
#[tokio::test]
async fn who_had_nothing_to_take_was_not_slow() {
    let late = Duration::from_millis(900);
    let stage = Stage::with(|config| config.timeouts.stalled = Duration::from_millis(600));
    let backend = large(&stage.tasks, 10, late).await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    // No window at first (RFC 9113 6.5.2).
    let mut raw = Raw::with(&stage, &[0, 4, 0, 0, 0, 0]).await;
    raw.send(&get(1)).await;
    assert_eq!(raw.until(|frame| frame.stream == 1).await.kind, HEADERS);
    tokio::time::sleep(late + Duration::from_millis(200)).await;
    raw.send(&frame(WINDOW_UPDATE, 0, 1, &10_u32.to_be_bytes())).await;
    let came = raw.until(|frame| frame.stream == 1).await;
    assert_eq!((came.kind, came.payload.len()), (DATA, 10), "{came:?}");
}

/// An answer nobody wanted in the end is none that was served.
#[tokio::test]
async fn who_takes_a_request_back_is_told_of_as_gone() {
    let stage = Stage::open();
    let backend = large(&stage.tasks, 1_000_000, Duration::ZERO).await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let mut raw = Raw::open(&stage).await;
    raw.send(&get(1)).await;
    raw.until(|frame| frame.kind == DATA).await;
    raw.send(&reset(1, CANCEL)).await;
    let line = "epr_refusals_total{reason=\"client_gone\"} 1\n";
    while !admin(&stage, "/metrics").await.body.contains(line) {
        tokio::task::yield_now().await;
    }
}
