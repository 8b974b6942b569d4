//! How TLS connections end, and what the other side may conclude (RFC 8446 6.1, RFC 9112 9.8).
//!
//! close_notify says that all was said. A FIN without it may be anybody's: it ends what was whole, and
//! nothing that was not.

use std::io::ErrorKind;
use std::net::SocketAddr;

use proto::EdgeProtocol::Https;
use proxy::tasks::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::client::TlsStream;

use super::GET;
use crate::backends::serve;
use crate::client::{read_answer, tls};
use crate::stage::{Stage, bound};

type Client = TlsStream<TcpStream>;

/// How a client's side ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// All was said; it still listens.
    CloseNotify,
    /// The connection's end without a word of TLS.
    Fin,
}

async fn end(client: &mut Client, ending: Ending) {
    client.flush().await.unwrap();
    match ending {
        Ending::CloseNotify => {
            client.get_mut().1.send_close_notify();
            client.flush().await.unwrap();
        }
        Ending::Fin => client.get_mut().0.shutdown().await.unwrap(),
    }
}

/// What a backend read, and how that ended.
type Read = (String, Result<(), ErrorKind>);

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                      sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: a.ep-r.io\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";

/// Tells of the head it gets, says `first`, reads to the end and tells of that, then says `last`.
async fn witness(
    tasks: &Tasks,
    first: &'static str,
    last: &'static str,
) -> (SocketAddr, mpsc::Receiver<Read>) {
    let (told, heard) = mpsc::channel(4);
    let backend = serve(tasks, move |mut stream| {
        let told = told.clone();
        async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { return };
                head.push(byte);
            }
            let _ = told.send((String::from_utf8(head).unwrap(), Ok(()))).await;
            stream.write_all(first.as_bytes()).await.unwrap();
            let mut all = Vec::new();
            let ended = stream.read_to_end(&mut all).await;
            let read = (String::from_utf8(all).unwrap(), ended.map(|_| ()).map_err(|error| error.kind()));
            let _ = told.send(read).await;
            let _ = stream.write_all(last.as_bytes()).await;
        }
    });
    (backend.await, heard)
}

/// Says `words` once it has read something, and ends: by a FIN, or by a reset.
async fn leaving(tasks: &Tasks, words: &'static [u8], reset: bool) -> SocketAddr {
    serve(tasks, move |mut stream| async move {
        let mut some = [0; 4096];
        let _ = stream.read(&mut some).await;
        stream.write_all(words).await.unwrap();
        if reset {
            // Once the words have arrived: a reset would overtake them.
            let _ = stream.read(&mut some).await;
            stream.set_zero_linger().unwrap();
        }
    })
    .await
}

/// A client of the route to `backend`.
async fn client(stage: &Stage, backend: SocketAddr) -> Client {
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    tls(stage, "a.ep-r.io", &[b"http/1.1"]).await.unwrap()
}

/// All that is left to read, and whether it ended in order.
async fn rest(client: &mut Client) -> (String, Result<(), ErrorKind>) {
    let mut all = Vec::new();
    let ended = client.read_to_end(&mut all).await.map(|_| ()).map_err(|error| error.kind());
    (String::from_utf8(all).unwrap(), ended)
}

#[tokio::test]
async fn what_was_asked_for_whole_is_answered_however_the_client_ends() {
    for ending in [Ending::CloseNotify, Ending::Fin] {
        let stage = Stage::open();
        let backend = leaving(&stage.tasks, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", false).await;
        let mut client = client(&stage, backend).await;
        client.write_all(GET).await.unwrap();
        end(&mut client, ending).await;
        let answer = read_answer(&mut client).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{ending:?}");
        assert_eq!(rest(&mut client).await, (String::new(), Ok(())), "{ending:?}: we say goodbye");
    }
}

#[tokio::test]
async fn a_body_that_ends_early_is_no_body() {
    let length = "POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 10\r\n\r\n12345";
    let chunks = "POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n";
    for (request, ending) in [
        (length, Ending::CloseNotify),
        (length, Ending::Fin),
        (chunks, Ending::CloseNotify),
        (chunks, Ending::Fin),
    ] {
        let stage = Stage::open();
        let (backend, mut heard) = witness(&stage.tasks, "", "").await;
        let mut client = client(&stage, backend).await;
        client.write_all(request.as_bytes()).await.unwrap();
        assert!(heard.recv().await.is_some());
        end(&mut client, ending).await;
        let (body, ended) = heard.recv().await.unwrap();
        assert!(!body.ends_with("0\r\n\r\n"), "{ending:?}: {body:?} looks whole");
        assert_eq!(ended, Err(ErrorKind::ConnectionReset), "{ending:?} of {request}");
    }
}

#[tokio::test]
async fn a_client_that_has_said_all_in_a_tunnel_still_listens() {
    let stage = Stage::open();
    let (backend, mut heard) = witness(&stage.tasks, SWITCH, "bye").await;
    let mut client = client(&stage, backend).await;
    client.write_all(ASK).await.unwrap();
    assert_eq!(read_answer(&mut client).await.status, 101);
    assert!(heard.recv().await.is_some());
    client.write_all(b"words").await.unwrap();
    end(&mut client, Ending::CloseNotify).await;
    assert_eq!(heard.recv().await.unwrap(), ("words".to_owned(), Ok(())));
    assert_eq!(rest(&mut client).await, ("bye".to_owned(), Ok(())));
}

#[tokio::test]
async fn a_tunnel_that_was_cut_off_is_reset() {
    let stage = Stage::open();
    let (backend, mut heard) = witness(&stage.tasks, SWITCH, "bye").await;
    let mut client = client(&stage, backend).await;
    client.write_all(ASK).await.unwrap();
    assert_eq!(read_answer(&mut client).await.status, 101);
    assert!(heard.recv().await.is_some());
    client.write_all(b"words").await.unwrap();
    end(&mut client, Ending::Fin).await;
    let (_, ended) = heard.recv().await.unwrap();
    assert_eq!(ended, Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_backend_that_has_said_all_in_a_tunnel_still_listens() {
    let stage = Stage::open();
    let (told, mut heard) = mpsc::channel(1);
    let backend = serve(&stage.tasks, move |mut stream| {
        let told = told.clone();
        async move {
            let mut some = [0; 4096];
            let _ = stream.read(&mut some).await;
            stream.write_all(SWITCH.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut all = String::new();
            let _ = stream.read_to_string(&mut all).await;
            let _ = told.send(all).await;
        }
    })
    .await;
    let mut client = client(&stage, backend).await;
    client.write_all(ASK).await.unwrap();
    assert_eq!(read_answer(&mut client).await.status, 101);
    assert_eq!(rest(&mut client).await, (String::new(), Ok(())), "told by close_notify");
    client.write_all(b"words").await.unwrap();
    end(&mut client, Ending::CloseNotify).await;
    assert_eq!(heard.recv().await.unwrap(), "words");
}

#[tokio::test]
async fn an_answer_that_was_cut_off_never_looks_whole() {
    for (answer, reset) in [
        (&b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345"[..], false),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345", true),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n", false),
        (b"HTTP/1.1 200 OK\r\n\r\n12345", true),
    ] {
        let stage = Stage::open();
        let backend = leaving(&stage.tasks, answer, reset).await;
        let mut client = client(&stage, backend).await;
        // A body that is never whole keeps the backend reading until it has been heard.
        client
            .write_all(b"POST / HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 4096\r\n\r\n1")
            .await
            .unwrap();
        let mut heard = Vec::new();
        while !heard.ends_with(b"12345") && !heard.ends_with(b"12345\r\n") {
            heard.push(client.read_u8().await.unwrap());
        }
        let _ = client.write_all(b"2").await;
        let (said, ended) = rest(&mut client).await;
        let told = String::from_utf8_lossy(answer);
        assert!(ended.is_err() && !said.ends_with("0\r\n\r\n"), "{said:?}, {ended:?} after {told}");
    }
}

#[tokio::test]
async fn an_answer_that_lasts_until_the_backend_closes_is_whole_then() {
    let stage = Stage::open();
    let backend = leaving(&stage.tasks, b"HTTP/1.1 200 OK\r\n\r\n12345", false).await;
    let mut client = client(&stage, backend).await;
    client.write_all(b"GET / HTTP/1.0\r\nhost: a.ep-r.io\r\n\r\n").await.unwrap();
    let (said, ended) = rest(&mut client).await;
    assert!(said.ends_with("\r\n\r\n12345") && ended.is_ok(), "{said:?}, {ended:?}");
}

#[tokio::test]
async fn an_http2_body_that_ends_with_the_connection_is_no_body() {
    // The preface, SETTINGS, POST / of a.ep-r.io on stream 1, and five bytes of its body.
    let mut words = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    let fields = b"\x83\x84\x87\x41\x09a.ep-r.io";
    words.extend([0, 0, u8::try_from(fields.len()).unwrap(), 1, 4, 0, 0, 0, 1]);
    words.extend(fields);
    words.extend(b"\0\0\x05\0\0\0\0\0\x0112345");
    // HTTP/2 knows no half-closed connections (RFC 9113 5.4.3): either way nothing more is to come.
    for ending in [Ending::CloseNotify, Ending::Fin] {
        let stage = Stage::open();
        let (backend, mut heard) = witness(&stage.tasks, "", "").await;
        stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
        let mut client = tls(&stage, "a.ep-r.io", &[b"h2"]).await.unwrap();
        client.write_all(&words).await.unwrap();
        assert!(heard.recv().await.is_some());
        end(&mut client, ending).await;
        let (body, ended) = heard.recv().await.unwrap();
        assert!(!body.ends_with("0\r\n\r\n"), "{ending:?}: {body:?} looks whole");
        assert_eq!(ended, Err(ErrorKind::ConnectionReset), "{ending:?}");
    }
}
