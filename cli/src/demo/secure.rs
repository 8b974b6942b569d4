use std::io;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::backends::Replica;

/// Longest line that is echoed.
const MOST_LINE: u64 = 64 * 1024;

/// TLS with a certificate of its own: says hello, sends back line by line, ends after `bye`.
pub(super) async fn serve(stream: TcpStream, tls: Arc<ServerConfig>, replica: Replica) {
    // How a client's connection ends is the client's affair.
    let _ = echo(stream, tls, replica).await;
}

async fn echo(stream: TcpStream, tls: Arc<ServerConfig>, replica: Replica) -> io::Result<()> {
    let mut stream = BufReader::new(TlsAcceptor::from(tls).accept(stream).await?);
    stream.write_all(format!("hello from {replica}: TLS ends here\n").as_bytes()).await?;
    stream.flush().await?;
    loop {
        let mut line = Vec::new();
        (&mut stream).take(MOST_LINE).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            break;
        }
        stream.write_all(&line).await?;
        stream.flush().await?;
        if line.trim_ascii() == b"bye" {
            break;
        }
    }
    stream.shutdown().await
}
