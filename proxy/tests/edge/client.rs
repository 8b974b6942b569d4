use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::stage::Stage;

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {text:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let field = |line: &'_ str| line.starts_with(&format!("{name}: "));
        self.head
            .lines()
            .find(|line| field(line))
            .and_then(|line| line.split_once(": "))
            .map(|(_, value)| value)
    }

    /// Status and the name of the refusal.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.field("epr-refusal").unwrap_or("-"))
    }
}

/// Sends bytes to the plain port and reads until the proxy closes.
pub(crate) async fn plain(stage: &Stage, request: &str) -> Answer {
    let mut stream = TcpStream::connect(stage.http).await.unwrap();
    Answer::parse(&exchange(&mut stream, request.as_bytes()).await)
}

/// A GET that closes, on the plain port.
pub(crate) async fn get(stage: &Stage, host: &str, path: &str) -> Answer {
    plain(stage, &format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")).await
}

/// A GET that closes, over TLS to `sni` with `host` as its authority.
pub(crate) async fn tls_get(stage: &Stage, sni: &'static str, host: &str) -> Answer {
    let mut stream = tls(stage, sni, &[b"http/1.1"]).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    Answer::parse(&exchange(&mut stream, request.as_bytes()).await)
}

pub(crate) async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), words: &[u8]) -> Vec<u8> {
    stream.write_all(words).await.unwrap();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    heard
}

/// Reads one answer with a Content-Length from a connection that stays open.
pub(crate) async fn read_answer(stream: &mut (impl AsyncRead + Unpin)) -> Answer {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    let length = Answer::parse(&bytes).field("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    bytes.extend(body);
    Answer::parse(&bytes)
}

pub(crate) fn tls_config(stage: &Stage, alpn: &[&[u8]]) -> Arc<rustls::ClientConfig> {
    let mut config = rustls::ClientConfig::clone(&certs::client_config(Some(&stage.ca)).unwrap());
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}

/// A TLS connection to the TLS port, verified against the stage's CA.
pub(crate) async fn tls(
    stage: &Stage,
    sni: &'static str,
    alpn: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    tls_to(stage.https, tls_config(stage, alpn), sni).await
}

pub(crate) async fn tls_to(
    address: SocketAddr,
    config: Arc<rustls::ClientConfig>,
    sni: &'static str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(config).connect(sni.try_into().unwrap(), stream).await
}

/// The description of the alert a TLS client gets when it asks for `sni`.
pub(crate) async fn alert(stage: &Stage, sni: &'static str) -> Option<rustls::AlertDescription> {
    let error = tls(stage, sni, &[]).await.err()?;
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}
