//! Secure TCP: bytes pass as they are.

use std::sync::Arc;
use std::time::Duration;

use proto::EdgeProtocol::SecureTcp;
use proto::Hostname;
use proxy::tasks::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::backends::{nobody, serve};
use crate::client::{tls_config, tls_to};
use crate::stage::{Stage, bound, bound_to};
use crate::websocket::stays_while_it_moves;

/// A hello as a client sends it, split over three records.
fn hello(stage: &Stage) -> Vec<u8> {
    let name = "tcp.ep-r.io".try_into().unwrap();
    let mut client = rustls::ClientConnection::new(tls_config(stage, &[b"mqtt"]), name).unwrap();
    let mut wire = Vec::new();
    client.write_tls(&mut wire).unwrap();
    let (mut split, handshake) = (Vec::new(), &wire[5..]);
    for part in [&handshake[..2], &handshake[2..700], &handshake[700..]] {
        split.extend([22, 3, 1]);
        split.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
        split.extend(part);
    }
    split
}

/// Hands back what it gets, in capitals where that changes anything.
async fn mirror(tasks: &Tasks) -> std::net::SocketAddr {
    serve(tasks, |mut stream| async move {
        let mut bytes = vec![0; 65_536];
        while let Ok(read @ 1..) = stream.read(&mut bytes).await {
            if stream.write_all(&bytes[..read]).await.is_err() {
                break;
            }
        }
    })
    .await
}

#[tokio::test]
async fn every_byte_arrives_as_it_was_sent() {
    let stage = Stage::open();
    stage.apply(vec![bound("tcp.ep-r.io", SecureTcp, &[nobody().await, mirror(&stage.tasks).await])]);
    let mut sent = hello(&stage);
    sent.extend((0..1_000_000_u32).flat_map(u32::to_le_bytes));
    let stream = TcpStream::connect(stage.https).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let say = async {
        // The hello comes in crumbs.
        for crumb in sent[..1200].chunks(7) {
            write.write_all(crumb).await.unwrap();
            tokio::task::yield_now().await;
        }
        write.write_all(&sent[1200..]).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let mut heard = Vec::new();
    let (_, listened) = tokio::join!(say, read.read_to_end(&mut heard));
    assert_eq!(listened.unwrap(), sent.len());
    assert!(heard == sent, "bytes were changed");
}

#[tokio::test]
async fn the_clients_handshake_is_with_the_backend() {
    let stage = Stage::open();
    let name = Hostname::parse("tcp.ep-r.io").unwrap();
    let acceptor = TlsAcceptor::from(certs::self_signed_server_config(&[name]).unwrap());
    let backend = serve(&stage.tasks, move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.write_all(b"from the backend").await;
                let _ = stream.shutdown().await;
            }
        }
    })
    .await;
    stage.apply(vec![bound("tcp.ep-r.io", SecureTcp, &[backend])]);
    // The backend's own certificate reaches the client, which does not know it.
    let error = tls_to(stage.https, tls_config(&stage, &[]), "tcp.ep-r.io").await.unwrap_err();
    assert!(
        error.to_string().contains("UnknownIssuer") || error.to_string().contains("CaUsedAsEndEntity"),
        "{error}"
    );
}

#[tokio::test]
async fn a_reset_stays_a_reset_both_ways() {
    let stage = Stage::open();
    let (told, heard) = tokio::sync::mpsc::channel(4);
    let backend = serve(&stage.tasks, move |mut stream| {
        let told = told.clone();
        async move {
            let mut all = Vec::new();
            let ended = stream.read_to_end(&mut all).await.map_err(|error| error.kind());
            let _ = told.send(ended.map(|_| ())).await;
        }
    })
    .await;
    let resetting = serve(&stage.tasks, |mut stream| async move {
        let _ = stream.read_u8().await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    let mut heard = heard;
    stage.apply(vec![bound("tcp.ep-r.io", SecureTcp, &[backend])]);
    let mut client = TcpStream::connect(stage.https).await.unwrap();
    client.write_all(&hello(&stage)).await.unwrap();
    client.set_zero_linger().unwrap();
    drop(client);
    assert_eq!(heard.recv().await.unwrap(), Err(std::io::ErrorKind::ConnectionReset));
    stage.apply(vec![bound("tcp.ep-r.io", SecureTcp, &[resetting])]);
    let mut client = TcpStream::connect(stage.https).await.unwrap();
    client.write_all(&hello(&stage)).await.unwrap();
    assert_eq!(client.read_u8().await.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_moved_route_ends_what_passes_after_its_grace() {
    let stage = Stage::with(|config| config.timeouts.tunnel_grace = Duration::from_millis(20));
    let backend = mirror(&stage.tasks).await;
    stage.apply(vec![bound("tcp.ep-r.io", SecureTcp, &[backend])]);
    let mut client = TcpStream::connect(stage.https).await.unwrap();
    let hello = Arc::new(hello(&stage));
    client.write_all(&hello).await.unwrap();
    let mut back = vec![0; hello.len()];
    client.read_exact(&mut back).await.unwrap();
    stage.apply(vec![bound_to("dep-b", "tcp.ep-r.io", SecureTcp, proto::BackendProtocol::Http1, &[backend])]);
    assert_eq!(client.read_u8().await.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn what_passes_stays_while_something_moves() {
    let stage = Stage::with(|config| config.timeouts.tunnel_idle = Duration::from_millis(500));
    let backend = mirror(&stage.tasks).await;
    stage.apply(vec![bound("tcp.ep-r.io", SecureTcp, &[backend])]);
    let open = async || {
        let mut client = TcpStream::connect(stage.https).await.unwrap();
        let hello = hello(&stage);
        client.write_all(&hello).await.unwrap();
        client.read_exact(&mut vec![0; hello.len()]).await.unwrap();
        client
    };
    let (mut idle, mut moving) = (open().await, open().await);
    stays_while_it_moves(&mut moving, &mut idle).await;
}
