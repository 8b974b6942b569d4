mod h1;
mod h2;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

use super::draw::Draw;
use super::ledger::Ledger;
use super::site::Edge;

/// How long they wait for anything.
const PATIENCE: Duration = Duration::from_millis(700);
/// Bytes of an answer they read at most.
const MOST: u64 = 4_000_000;

/// Does one thing after the other to one name after the other.
pub(super) async fn run(
    edge: Edge,
    names: Arc<[String]>,
    ledger: Arc<Ledger>,
    over: CancellationToken,
    seed: u64,
) {
    let mut draw = Draw::new(seed);
    while !over.is_cancelled() {
        let Some(host) = draw.one_of(&names) else { return };
        if draw.below(2) == 0 {
            let Some(misdeed) = draw.one_of(&h1::MISDEEDS).copied() else { return };
            let what = h1::commit(&edge, host, misdeed, &ledger, &mut draw).await;
            saw(&ledger, "HTTP/1.1", format_args!("{misdeed:?}"), what);
        } else {
            let Some(misdeed) = draw.one_of(&h2::MISDEEDS).copied() else { return };
            let what = h2::commit(&edge, host, misdeed, &ledger, &mut draw).await;
            saw(&ledger, "HTTP/2", format_args!("{misdeed:?}"), what);
        }
    }
}

fn saw(ledger: &Ledger, version: &str, misdeed: std::fmt::Arguments<'_>, what: io::Result<String>) {
    let what = what.unwrap_or_else(|_| "broken off".to_owned());
    ledger.saw("wild clients", format_args!("{version}, {misdeed}: {what}"));
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// A connection to the edge in TLS on which one of these is spoken.
async fn secured(edge: &Edge, host: &str, protocols: &[&[u8]]) -> io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(edge.https).await?;
    let mut config =
        rustls::ClientConfig::clone(&*certs::client_config(Some(&edge.ca)).map_err(io::Error::other)?);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let name = host.to_owned().try_into().map_err(io::Error::other)?;
    timeout(PATIENCE, TlsConnector::from(Arc::new(config)).connect(name, tcp)).await?
}
