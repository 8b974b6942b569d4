//! TLS that ends here: its certificates, its ends, its hellos, its sessions.

mod certificates;
mod ends;

use std::time::Duration;

use proto::EdgeProtocol::Https;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::backends::echo;
use crate::client::{read_answer, tls, tls_config, tls_to};
use crate::observed::admin;
use crate::stage::{Stage, bound};

async fn stage() -> Stage {
    let stage = Stage::open();
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    stage
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n";

#[tokio::test]
async fn a_whole_request_is_answered_however_the_client_ends() {
    let stage = stage().await;
    let mut orderly = tls(&stage, "a.ep-r.io", &[]).await.unwrap();
    orderly.write_all(GET).await.unwrap();
    orderly.shutdown().await.unwrap();
    assert_eq!(read_answer(&mut orderly).await.status, 200);
    let mut abrupt = tls(&stage, "a.ep-r.io", &[]).await.unwrap();
    abrupt.write_all(GET).await.unwrap();
    abrupt.flush().await.unwrap();
    // FIN without close_notify.
    abrupt.get_mut().0.shutdown().await.unwrap();
    assert_eq!(read_answer(&mut abrupt).await.status, 200);
}

#[tokio::test]
async fn a_client_without_h2_gets_http1_and_a_session_resumes() {
    let stage = stage().await;
    let config = tls_config(&stage, &[b"http/1.1"]);
    for kind in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
        let mut stream = tls_to(stage.https, config.clone(), "a.ep-r.io").await.unwrap();
        stream.write_all(GET).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert!(answer.body.contains("x-forwarded-proto: https\n"), "{}", answer.body);
        let session = stream.get_ref().1;
        assert_eq!((session.alpn_protocol(), session.handshake_kind()), (Some(&b"http/1.1"[..]), Some(kind)));
    }
}

/// Its hello is whole, and nothing follows.
#[tokio::test]
async fn a_handshake_that_goes_no_further_ends_in_its_time() {
    let stage = Stage::with(|config| config.timeouts.handshake = Duration::from_millis(50));
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let name = "a.ep-r.io".try_into().unwrap();
    let mut client = rustls::ClientConnection::new(tls_config(&stage, &[]), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    let mut stream = TcpStream::connect(stage.https).await.unwrap();
    stream.write_all(&hello).await.unwrap();
    // The proxy's part of it, and the end.
    let _ = stream.read_to_end(&mut Vec::new()).await;
    let counted = async |line: &str| admin(&stage, "/metrics").await.body.contains(line);
    while !counted("epr_refusals_total{reason=\"handshake_timeout\"} 1\n").await {
        tokio::task::yield_now().await;
    }
    assert!(counted("epr_tls_handshakes_total 0\n").await);
}

#[tokio::test]
async fn a_hello_in_crumbs_is_terminated_too() {
    let stage = stage().await;
    let name = "a.ep-r.io".try_into().unwrap();
    let mut client = rustls::ClientConnection::new(tls_config(&stage, &[]), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    let mut stream = TcpStream::connect(stage.https).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for crumb in hello.chunks(100) {
        stream.write_all(crumb).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut record = [0; 6];
    stream.read_exact(&mut record).await.unwrap();
    assert_eq!((record[0], record[5]), (22, 2), "a ServerHello");
}
