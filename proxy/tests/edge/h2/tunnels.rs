//! WebSocket over HTTP/2 (RFC 8441).

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::BackendProtocol::{H2c, Http1};
use proto::EdgeProtocol::Https;
use proxy::tasks::Tasks;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::frames::{
    CANCEL, DATA, END_HEADERS, END_STREAM, Frame, HEADERS, RST_STREAM, Raw, SETTINGS, WINDOW_UPDATE, block,
    frame, reset,
};
use crate::backends::{echo, says, serve};
use crate::stage::{Stage, bound, bound_to, only_from};

/// What a backend was asked, or told in its tunnel, and how that ended.
type Heard = (String, Option<ErrorKind>);

/// Speaks WebSocket to who asks in HTTP/1.1, then `talk`s.
async fn switching<F>(
    tasks: &Tasks,
    talk: impl Fn(TcpStream) -> F + Clone + Send + 'static,
) -> (SocketAddr, mpsc::Receiver<Heard>)
where
    F: Future<Output = Heard> + Send + 'static,
{
    let (told, heard) = mpsc::channel(4);
    let backend = serve(tasks, move |mut stream| {
        let (told, talk) = (told.clone(), talk.clone());
        async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let key = head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap();
            let hash = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: chat\r\n\r\nwelcome",
                STANDARD.encode(hash.finalize())
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            let _ = told.send((head, None)).await;
            let _ = told.send(talk(stream).await).await;
        }
    });
    (backend.await, heard)
}

/// Reads to the end and says goodbye then.
async fn listens(mut stream: TcpStream) -> Heard {
    let mut words = Vec::new();
    let ended = stream.read_to_end(&mut words).await.err().map(|error| error.kind());
    let _ = stream.write_all(b"bye").await;
    (String::from_utf8(words).unwrap(), ended)
}

/// Asks on `stream` for a tunnel that speaks `protocol`.
fn ask(stream: u32, protocol: &str) -> Vec<u8> {
    let fields = block(&[
        (":method", "CONNECT"),
        (":protocol", protocol),
        (":scheme", "https"),
        (":path", "/chat?room=1"),
        (":authority", "a.ep-r.io"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", "chat, superchat"),
        ("sec-websocket-extensions", "permessage-deflate"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("origin", "https://a.ep-r.io"),
    ]);
    frame(HEADERS, END_HEADERS, stream, &fields)
}

/// Opens a tunnel on stream 1.
async fn open(stage: &Stage, backend: SocketAddr) -> Raw {
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let mut raw = Raw::open(stage).await;
    raw.send(&ask(1, "websocket")).await;
    let answer = raw.until(|frame| frame.stream == 1).await;
    assert_eq!((answer.kind, answer.flags & END_STREAM, answer.payload[0]), (HEADERS, 0, 0x88), "{answer:?}");
    let welcome = raw.until(|frame| frame.stream == 1).await;
    assert_eq!((welcome.kind, welcome.payload.as_slice()), (DATA, &b"welcome"[..]));
    raw
}

async fn on_stream(raw: &mut Raw) -> Frame {
    raw.until(|frame| {
        frame.stream == 1 && (frame.kind != DATA || frame.flags != 0 || !frame.payload.is_empty())
    })
    .await
}

#[tokio::test]
async fn it_is_offered_and_asked_of_the_backend_in_its_own_words() {
    let stage = Stage::open();
    let (backend, mut heard) = switching(&stage.tasks, listens).await;
    let mut raw = open(&stage, backend).await;
    let (head, _) = heard.recv().await.unwrap();
    assert!(head.starts_with("GET /chat?room=1 HTTP/1.1\r\nhost: a.ep-r.io\r\n"), "{head}");
    for line in [
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-protocol: chat, superchat",
        "sec-websocket-extensions: permessage-deflate",
        "origin: https://a.ep-r.io",
        "x-forwarded-proto: https",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "no {line:?} in {head}");
    }
    let keys: Vec<_> = head.lines().filter(|line| line.starts_with("sec-websocket-key: ")).collect();
    assert!(keys.len() == 1 && !keys[0].ends_with("dGhlIHNhbXBsZSBub25jZQ=="), "{keys:?}");
    assert!(!head.contains("content-length") && !head.contains("transfer-encoding"), "{head}");
    // Words both ways, then a half that closes and leaves the other open.
    raw.send(&frame(DATA, 0, 1, b"hello ")).await;
    raw.send(&frame(DATA, END_STREAM, 1, b"there")).await;
    assert_eq!(heard.recv().await.unwrap(), ("hello there".to_owned(), None));
    let bye = on_stream(&mut raw).await;
    assert_eq!((bye.kind, bye.payload.as_slice()), (DATA, &b"bye"[..]));
    let end = if bye.flags & END_STREAM == 0 { on_stream(&mut raw).await } else { bye };
    assert_eq!((end.kind, end.flags), (DATA, END_STREAM), "an end in order");
}

#[tokio::test]
async fn the_settings_say_so() {
    let stage = Stage::open();
    let mut raw = crate::client::tls(&stage, "a.ep-r.io", &[b"h2"]).await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[echo(&stage.tasks, "x").await])]);
    if raw.is_err() {
        raw = crate::client::tls(&stage, "a.ep-r.io", &[b"h2"]).await;
    }
    let mut stream = raw.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], SETTINGS);
    let mut settings = vec![0; usize::from(head[2])];
    stream.read_exact(&mut settings).await.unwrap();
    // SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 3).
    assert!(settings.chunks(6).any(|setting| setting == [0, 8, 0, 0, 0, 1]), "{settings:?}");
}

#[tokio::test]
async fn what_a_client_says_of_what_it_gets_is_no_flood() {
    let stage = Stage::with(|config| config.limits.h2_idle_frames = "1/s:50".parse().unwrap());
    let (backend, mut heard) = switching(&stage.tasks, |mut stream| async move {
        while stream.read_u8().await.is_ok() && stream.write_all(&[b'.'; 100]).await.is_ok() {}
        (String::new(), None)
    })
    .await;
    let mut raw = open(&stage, backend).await;
    assert!(heard.recv().await.is_some());
    let opens = |stream| frame(WINDOW_UPDATE, 0, stream, &100_u32.to_be_bytes());
    for _ in 0..300 {
        raw.send(&frame(DATA, 0, 1, b"?")).await;
        assert_eq!(on_stream(&mut raw).await.kind, DATA);
        raw.send(&[opens(0), opens(1)].concat()).await;
    }
}

#[tokio::test]
async fn a_tunnel_that_is_taken_back_resets_its_backend() {
    for half_closed in [false, true] {
        let stage = Stage::open();
        let (backend, mut heard) = switching(&stage.tasks, |mut stream| async move {
            let mut words = vec![0; 5];
            stream.read_exact(&mut words).await.unwrap();
            // Where a FIN has come before the reset, it is a write that shows it.
            let ended = loop {
                let ended = match stream.read(&mut [0; 16]).await {
                    Ok(0) => stream.write_all(b"?").await,
                    other => other.map(drop),
                };
                match ended {
                    Err(error) => break Some(error.kind()),
                    Ok(()) => tokio::task::yield_now().await,
                }
            };
            (String::from_utf8(words).unwrap(), ended)
        })
        .await;
        let mut raw = open(&stage, backend).await;
        assert!(heard.recv().await.is_some());
        raw.send(&frame(DATA, if half_closed { END_STREAM } else { 0 }, 1, b"words")).await;
        raw.send(&reset(1, CANCEL)).await;
        let (words, ended) = heard.recv().await.unwrap();
        let reset = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].map(Some);
        assert!(words == "words" && reset.contains(&ended), "{half_closed}: {ended:?}");
    }
}

#[tokio::test]
async fn a_backend_that_breaks_off_resets_the_stream_and_leaves_the_others() {
    let stage = Stage::open();
    let (backend, _heard) = switching(&stage.tasks, |mut stream| async move {
        let _ = stream.read(&mut [0; 5]).await;
        stream.set_zero_linger().unwrap();
        (String::new(), None)
    })
    .await;
    let mut raw = open(&stage, backend).await;
    raw.send(&frame(DATA, 0, 1, b"words")).await;
    let ended = on_stream(&mut raw).await;
    assert_eq!((ended.kind, ended.code()), (RST_STREAM, CANCEL));
    let backend = echo(&stage.tasks, "x").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    raw.asks(3).await;
}

#[tokio::test]
async fn a_connection_that_breaks_resets_the_backends_of_its_tunnels() {
    let stage = Stage::open();
    let (backend, mut heard) = switching(&stage.tasks, listens).await;
    let raw = open(&stage, backend).await;
    assert!(heard.recv().await.is_some());
    drop(raw.into_inner());
    assert_eq!(heard.recv().await.unwrap(), (String::new(), Some(ErrorKind::ConnectionReset)));
}

/// The status, and the name of the refusal in an answer's text.
async fn told(raw: &mut Raw, stream: u32) -> String {
    let head = raw.until(|frame| frame.stream == stream).await;
    assert_eq!((head.kind, head.flags & END_STREAM), (HEADERS, 0), "{head:?}");
    let text = raw.until(|frame| frame.stream == stream && frame.kind == DATA).await;
    String::from_utf8(text.payload).unwrap()
}

#[tokio::test]
async fn what_is_no_websocket_is_refused_by_name() {
    let stage = Stage::open();
    let plain = echo(&stage.tasks, "plain").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[plain])]);
    let mut raw = Raw::open(&stage).await;
    raw.send(&ask(1, "connect-udp")).await;
    assert!(told(&mut raw, 1).await.starts_with("protocol_not_supported: "));
    let connect = block(&[(":method", "CONNECT"), (":authority", "a.ep-r.io:443")]);
    raw.send(&frame(HEADERS, END_HEADERS, 3, &connect)).await;
    assert!(told(&mut raw, 3).await.starts_with("connect_not_supported: "));
    // A 200 to the client would say that the backend speaks WebSocket.
    raw.send(&ask(5, "websocket")).await;
    assert!(told(&mut raw, 5).await.starts_with("upgrade_ignored: "));
    // :protocol without CONNECT is malformed (RFC 8441 4).
    let get = block(&[
        (":method", "GET"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/"),
        (":authority", "a.ep-r.io"),
    ]);
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 7, &get)).await;
    assert_eq!(raw.until(|frame| frame.stream == 7).await.kind, RST_STREAM);
    stage.apply(vec![bound_to("dep-h", "a.ep-r.io", Https, H2c, &[plain])]);
    raw.send(&ask(9, "websocket")).await;
    assert!(told(&mut raw, 9).await.starts_with("websocket_not_supported: "));
}

#[tokio::test]
async fn what_the_backend_says_instead_is_passed_on_and_an_accept_is_verified() {
    for (answer, text) in [
        (&b"HTTP/1.1 403 Forbidden\r\ncontent-length: 9\r\n\r\nmembers o"[..], "members o"),
        (b"HTTP/1.1 426 Upgrade Required\r\ncontent-length: 4\r\n\r\nv 13", "v 13"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
              sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nwelcome",
            "backend_garbage: ",
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nwelcome",
            "backend_garbage: ",
        ),
    ] {
        let stage = Stage::open();
        let backend = says(&stage.tasks, answer).await;
        stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
        let mut raw = Raw::open(&stage).await;
        raw.send(&ask(1, "websocket")).await;
        let told = told(&mut raw, 1).await;
        assert!(told.starts_with(text), "{told}");
    }
}

#[tokio::test]
async fn a_moved_route_ends_its_tunnels_after_their_grace_and_a_forbidden_source_at_once() {
    for grace in [20, 60_000] {
        let stage = Stage::with(|config| config.timeouts.tunnel_grace = Duration::from_millis(grace));
        let (backend, mut heard) = switching(&stage.tasks, listens).await;
        let mut raw = open(&stage, backend).await;
        assert!(heard.recv().await.is_some());
        let elsewhere = echo(&stage.tasks, "x").await;
        stage.apply(vec![match grace {
            20 => bound_to("dep-b", "a.ep-r.io", Https, Http1, &[elsewhere]),
            _ => only_from(bound("a.ep-r.io", Https, &[backend]), "198.51.100.0/24"),
        }]);
        let ended = on_stream(&mut raw).await;
        assert_eq!((ended.kind, ended.code()), (RST_STREAM, CANCEL));
        assert_eq!(heard.recv().await.unwrap().1, Some(ErrorKind::ConnectionReset));
    }
}
