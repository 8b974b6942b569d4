//! WebSocket in the clear and over TLS.

use std::net::SocketAddr;
use std::time::Duration;

use proto::EdgeProtocol::{Http, Https};
use proxy::tasks::Tasks;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::backends::{echo, serve};
use crate::client::{Answer, plain, read_answer, tls};
use crate::stage::{Stage, bound, bound_to, only_from};

const ASK: &str = "GET /chat HTTP/1.1\r\nhost: a.ep-r.io\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";

/// Switches without looking at frames: what comes is sent back with a mark, until the end, which is
/// told by a last word.
pub(crate) async fn switching(tasks: &Tasks) -> SocketAddr {
    serve(tasks, |mut stream| async move {
        let head = read_answer_head(&mut stream).await;
        assert!(head.contains("upgrade: websocket") && head.contains("connection: upgrade"), "{head}");
        assert!(head.contains("sec-websocket-key: dghlihnhbxbszsbub25jzq=="), "{head}");
        let accept = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nwelcome";
        stream.write_all(accept.as_bytes()).await.unwrap();
        let mut bytes = [0; 1024];
        loop {
            match stream.read(&mut bytes).await {
                Ok(0) => break,
                Ok(read) => {
                    bytes[..read].make_ascii_uppercase();
                    stream.write_all(&bytes[..read]).await.unwrap();
                }
                Err(_) => return,
            }
        }
        let _ = stream.write_all(b"bye").await;
    })
    .await
}

async fn read_answer_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap().to_ascii_lowercase()
}

pub(crate) async fn open(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    stream.write_all(ASK.as_bytes()).await.unwrap();
    let answer = read_answer(stream).await;
    assert_eq!((answer.status, answer.field("upgrade")), (101, Some("websocket")));
    assert_eq!(answer.field("sec-websocket-accept"), Some("s3pplmbitxaq9kygzzhzrbk+xoo="));
    let mut welcome = [0; 7];
    stream.read_exact(&mut welcome).await.unwrap();
    assert_eq!(&welcome, b"welcome");
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    open(&mut stream).await;
    stream.write_all(b"ping").await.unwrap();
    let mut heard = [0; 4];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"PING");
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"bye", "a closed half leaves the other open");
}

#[tokio::test]
async fn in_the_clear_and_over_tls() {
    let stage = Stage::open();
    let backend = switching(&stage.tasks).await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    talk(TcpStream::connect(stage.http).await.unwrap()).await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    talk(tls(&stage, "a.ep-r.io", &[b"http/1.1"]).await.unwrap()).await;
}

#[tokio::test]
async fn there_is_no_tunnel_before_the_backend_agrees() {
    let stage = Stage::open();
    let backend = echo(&stage.tasks, "plain").await;
    stage.apply(vec![
        bound("a.ep-r.io", Http, &[backend]),
        bound_to("dep-h", "h.ep-r.io", Http, proto::BackendProtocol::H2c, &[backend]),
    ]);
    // What follows the request is the next request, not bytes for the backend.
    let next = "GET /next HTTP/1.1\r\nhost: a.ep-r.io\r\nconnection: close\r\n\r\n";
    let mut stream = TcpStream::connect(stage.http).await.unwrap();
    stream.write_all(ASK.as_bytes()).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.status == 200 && answer.body.contains("upgrade: websocket"), "{}", answer.body);
    stream.write_all(next.as_bytes()).await.unwrap();
    assert!(read_answer(&mut stream).await.body.contains("GET /next"));
    let h2c =
        plain(&stage, &ASK.replace("a.ep-r.io", "h.ep-r.io").replace("Upgrade\r", "Upgrade, close\r")).await;
    assert_eq!(h2c.refusal(), (501, "websocket_not_supported"));
}

#[tokio::test]
async fn an_unasked_switch_is_garbage() {
    let stage = Stage::open();
    let backend =
        crate::backends::says(&stage.tasks, b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let answer: Answer = crate::client::get(&stage, "a.ep-r.io", "/").await;
    assert_eq!(answer.status, 502);
    let ask = ASK.replace("Upgrade\r", "Upgrade, close\r");
    assert_eq!(plain(&stage, &ask).await.refusal(), (502, "backend_garbage"));
}

#[tokio::test]
async fn a_moved_route_ends_its_tunnels_after_their_grace_and_a_forbidden_source_at_once() {
    let stage = Stage::with(|config| config.timeouts.tunnel_grace = Duration::from_millis(20));
    let backend = switching(&stage.tasks).await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let mut moved = TcpStream::connect(stage.http).await.unwrap();
    open(&mut moved).await;
    // Another backend set of the same deployment is no move.
    let elsewhere = echo(&stage.tasks, "x").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[elsewhere])]);
    moved.write_all(b"still").await.unwrap();
    let mut heard = [0; 5];
    moved.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"STILL");
    stage.apply(vec![bound_to("dep-b", "a.ep-r.io", Http, proto::BackendProtocol::Http1, &[elsewhere])]);
    assert!(matches!(moved.read(&mut heard).await, Ok(0) | Err(_)), "ended after its grace");

    let stage = Stage::open();
    let backend = switching(&stage.tasks).await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let mut forbidden = TcpStream::connect(stage.http).await.unwrap();
    open(&mut forbidden).await;
    stage.apply(vec![only_from(bound("a.ep-r.io", Http, &[backend]), "198.51.100.0/24")]);
    assert!(matches!(forbidden.read(&mut heard).await, Ok(0) | Err(_)), "cut at once");
}

/// One says nothing for too long, and goes; one that has something to say all the time stays.
#[tokio::test]
async fn a_tunnel_stays_while_something_moves() {
    let stage = Stage::with(|config| config.timeouts.tunnel_idle = Duration::from_millis(500));
    let backend = switching(&stage.tasks).await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend]), bound("b.ep-r.io", Https, &[backend])]);
    let (mut idle, mut moving) = (TcpStream::connect(stage.http).await.unwrap(), over_tls(&stage).await);
    open(&mut idle).await;
    stays_while_it_moves(&mut moving, &mut idle).await;
    let (mut idle, mut moving) = (over_tls(&stage).await, TcpStream::connect(stage.http).await.unwrap());
    open(&mut moving).await;
    stays_while_it_moves(&mut moving, &mut idle).await;
}

async fn over_tls(stage: &Stage) -> impl AsyncRead + AsyncWrite + Unpin + use<> {
    let mut stream = tls(stage, "b.ep-r.io", &[]).await.unwrap();
    let ask = ASK.replace("a.ep-r.io", "b.ep-r.io");
    stream.write_all(ask.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 101);
    stream.read_exact(&mut [0; 7]).await.unwrap();
    stream
}

/// Talks on one tunnel until the other has ended, and once more.
pub(crate) async fn stays_while_it_moves(
    moving: &mut (impl AsyncRead + AsyncWrite + Unpin),
    idle: &mut (impl AsyncRead + Unpin),
) {
    let mut nothing = [0];
    let mut ended = std::pin::pin!(idle.read(&mut nothing));
    loop {
        moving.write_all(b"on").await.unwrap();
        let mut heard = [0; 2];
        moving.read_exact(&mut heard).await.unwrap();
        assert!(heard.eq_ignore_ascii_case(b"on"), "{heard:?}");
        if let Ok(end) = tokio::time::timeout(Duration::from_millis(20), ended.as_mut()).await {
            assert!(matches!(end, Ok(0) | Err(_)), "the idle one ends: {end:?}");
            break;
        }
    }
    moving.write_all(b"on").await.unwrap();
    moving.read_exact(&mut [0; 2]).await.unwrap();
}
