use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::manifest::Speaks;
use crate::{Outcome, Stage};

/// The key of RFC 6455 1.3, and what a backend makes of it.
pub(in crate::chaos) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A backend that says whose it is at a tunnel's beginning, then gives back every byte.
pub(in crate::chaos) struct Tunnel {
    addr: SocketAddr,
    _server: JoinSet<io::Result<()>>,
}

impl Tunnel {
    pub(in crate::chaos) async fn start(stage: &Stage, name: &str, speaks: Speaks) -> Outcome<Self> {
        let listener = TcpListener::bind(stage.any_port()).await?;
        let addr = listener.local_addr()?;
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::from(format!("{name}\n")), speaks != Speaks::SecureTcp));
        Ok(Self { addr, _server: server })
    }

    pub(in crate::chaos) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

async fn serve(listener: TcpListener, name: Arc<str>, switches: bool) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                connections.spawn(echo(accepted?.0, Arc::clone(&name), switches));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn echo(mut stream: TcpStream, name: Arc<str>, switches: bool) -> io::Result<()> {
    let _ = stream.set_nodelay(true);
    if switches {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let switching = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n";
        let accept = format!("sec-websocket-accept: {ACCEPT}\r\n\r\n");
        stream.write_all(format!("{switching}{accept}").as_bytes()).await?;
    }
    stream.write_all(name.as_bytes()).await?;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return stream.shutdown().await;
        }
        stream.write_all(buffer.get(..count).unwrap_or_default()).await?;
    }
}
