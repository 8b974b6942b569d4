//! Every row of what is asked and what is answered.

use proto::EdgeProtocol::{Http, Https, SecureTcp};
use rustls::AlertDescription;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::backends::{echo, nobody};
use crate::client::{alert, exchange, get, plain, tls, tls_get};
use crate::stage::{Stage, bound, only_from, unbound};

const ELSEWHERE: &str = "198.51.100.0/24";

/// A name of each kind.
async fn all_kinds() -> Stage {
    let stage = Stage::open();
    let backend = echo(&stage.tasks, "backend").await;
    let dead = nobody().await;
    stage.apply(vec![
        bound("http.ep-r.io", Http, &[backend]),
        bound("https.ep-r.io", Https, &[backend]),
        bound("other.ep-r.io", Https, &[backend]),
        bound("tcp.ep-r.io", SecureTcp, &[backend]),
        bound("foreign.example", Https, &[backend]),
        bound("empty.ep-r.io", Http, &[]),
        bound("empty-tls.ep-r.io", Https, &[]),
        bound("empty-tcp.ep-r.io", SecureTcp, &[]),
        bound("dead.ep-r.io", Http, &[dead]),
        bound("dead-tcp.ep-r.io", SecureTcp, &[dead]),
        unbound("free.ep-r.io", None),
        unbound("free-http.ep-r.io", Some(Http)),
        unbound("free-tcp.ep-r.io", Some(SecureTcp)),
        only_from(bound("closed.ep-r.io", Http, &[backend]), ELSEWHERE),
        only_from(bound("closed-tls.ep-r.io", Https, &[backend]), ELSEWHERE),
        only_from(bound("closed-tcp.ep-r.io", SecureTcp, &[backend]), ELSEWHERE),
        only_from(bound("open.ep-r.io", Http, &[backend]), "127.0.0.0/8"),
    ]);
    stage
}

#[tokio::test]
async fn on_the_plain_port() {
    let stage = all_kinds().await;
    for (host, status, refusal) in [
        ("http.ep-r.io", 200, "-"),
        ("HTTP.Ep-R.io.:8080", 200, "-"),
        ("open.ep-r.io", 200, "-"),
        ("https.ep-r.io", 308, "redirect_to_https"),
        ("tcp.ep-r.io", 404, "secure_tcp_on_plain"),
        ("nothing.ep-r.io", 404, "no_route"),
        ("127.0.0.1:8080", 404, "no_route"),
        ("[::1]", 404, "no_route"),
        ("free.ep-r.io", 503, "unbound"),
        ("free-tcp.ep-r.io", 503, "unbound"),
        ("empty.ep-r.io", 503, "no_backend"),
        ("dead.ep-r.io", 502, "connect_failed"),
        ("closed.ep-r.io", 403, "source_not_allowed"),
    ] {
        let answer = get(&stage, host, "/").await;
        assert_eq!(answer.refusal(), (status, refusal), "{host}");
    }
}

#[tokio::test]
async fn on_the_tls_port_by_its_own_name() {
    let stage = all_kinds().await;
    for (name, status, refusal) in [
        ("https.ep-r.io", 200, "-"),
        ("free.ep-r.io", 503, "unbound"),
        ("free-http.ep-r.io", 503, "unbound"),
        ("empty-tls.ep-r.io", 503, "no_backend"),
        ("closed-tls.ep-r.io", 403, "source_not_allowed"),
    ] {
        assert_eq!(tls_get(&stage, name, name).await.refusal(), (status, refusal), "{name}");
    }
}

#[tokio::test]
async fn on_a_tls_connection_of_another_name() {
    let stage = all_kinds().await;
    for (host, status, refusal) in [
        ("other.ep-r.io", 200, "-"),
        ("other.ep-r.io:8443", 200, "-"),
        ("nothing.ep-r.io", 404, "no_route"),
        ("tcp.ep-r.io", 421, "secure_tcp_on_tls"),
        ("http.ep-r.io", 421, "http_on_tls"),
        ("foreign.example", 421, "not_covered"),
        ("unknown.example", 421, "not_covered"),
        ("free.ep-r.io", 503, "unbound"),
        ("closed-tls.ep-r.io", 403, "source_not_allowed"),
    ] {
        assert_eq!(tls_get(&stage, "https.ep-r.io", host).await.refusal(), (status, refusal), "{host}");
    }
}

#[tokio::test]
async fn alerts_before_the_handshake() {
    let stage = all_kinds().await;
    for (name, expected) in [
        ("nothing.ep-r.io", AlertDescription::UnrecognisedName),
        ("http.ep-r.io", AlertDescription::UnrecognisedName),
        ("foreign.example", AlertDescription::UnrecognisedName),
        ("free-tcp.ep-r.io", AlertDescription::InternalError),
        ("empty-tcp.ep-r.io", AlertDescription::InternalError),
        ("dead-tcp.ep-r.io", AlertDescription::InternalError),
        // An address is never sent as a name.
        ("192.0.2.1", AlertDescription::MissingExtension),
    ] {
        assert_eq!(alert(&stage, name).await, Some(expected), "{name}");
    }
    let closed = tls(&stage, "closed-tcp.ep-r.io", &[]).await.unwrap_err();
    assert_eq!(closed.kind(), std::io::ErrorKind::UnexpectedEof, "closed without a word");
}

#[tokio::test]
async fn what_is_not_tls_is_told_in_plain_words() {
    let stage = all_kinds().await;
    let mut stream = TcpStream::connect(stage.https).await.unwrap();
    let heard = exchange(&mut stream, b"GET / HTTP/1.1\r\nhost: https.ep-r.io\r\n\r\n").await;
    assert!(heard.starts_with(b"HTTP/1.1 400 Bad Request\r\n"));
    assert!(String::from_utf8(heard).unwrap().contains("epr-refusal: not_tls"));
    let mut garbage = TcpStream::connect(stage.https).await.unwrap();
    let heard = exchange(&mut garbage, &[22, 3, 1, 0, 5, 1, 0, 0, 1, 9]).await;
    assert_eq!(heard, [0x15, 3, 3, 0, 2, 2, 50], "decode_error");
    let mut silent = TcpStream::connect(stage.https).await.unwrap();
    silent.shutdown().await.unwrap();
    assert_eq!(exchange(&mut silent, b"").await, b"");
}

#[tokio::test]
async fn http2_in_the_clear_is_refused() {
    let stage = all_kinds().await;
    let answer = plain(&stage, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert_eq!(answer.refusal(), (505, "http2_on_plain"));
}

#[tokio::test]
async fn a_redirect_names_the_public_port_and_can_be_switched_off() {
    let stage = Stage::with(|config| config.public_ports.https = 9443);
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("https.ep-r.io", Https, &[backend])]);
    let answer = get(&stage, "HTTPS.ep-r.io:80", "/a%20b?c=d").await;
    assert_eq!(
        (answer.status, answer.field("location")),
        (308, Some("https://https.ep-r.io:9443/a%20b?c=d"))
    );
    let off = Stage::with(|config| config.redirect_to_https = false);
    off.apply(vec![bound("https.ep-r.io", Https, &[backend])]);
    assert_eq!(get(&off, "https.ep-r.io", "/").await.refusal(), (404, "https_only"));
}

#[tokio::test]
async fn refusals_say_when_to_come_back_and_nothing_to_head() {
    let stage = all_kinds().await;
    let answer = get(&stage, "free.ep-r.io", "/").await;
    assert_eq!((answer.field("retry-after"), answer.field("cache-control")), (Some("5"), Some("no-store")));
    assert!(answer.body.contains("Bind it"), "{}", answer.body);
    let head = plain(&stage, "HEAD / HTTP/1.1\r\nhost: free.ep-r.io\r\nconnection: close\r\n\r\n").await;
    assert_eq!((head.refusal(), head.body.as_str()), ((503, "unbound"), ""));
}
