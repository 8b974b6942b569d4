use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proto::Hostname;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::{OrFault as _, Outcome, Stage};

/// A TLS server with a certificate of its own, which echoes what it gets and ends after `bye`.
pub struct SecureBackend {
    addr: SocketAddr,
    accepted: Arc<AtomicU64>,
    _server: JoinSet<()>,
}

impl SecureBackend {
    /// Listens on a port of the stage, with a self-signed certificate for `host`.
    pub async fn start(stage: &Stage, host: &str) -> Outcome<Self> {
        let names = [Hostname::parse(host).or_fault(host)?];
        let acceptor = TlsAcceptor::from(certs::self_signed_server_config(&names)?);
        let listener = TcpListener::bind(stage.any_port()).await?;
        let addr = listener.local_addr()?;
        let accepted = Arc::new(AtomicU64::new(0));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, acceptor, Arc::clone(&accepted)));
        Ok(Self { addr, accepted, _server: server })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Connections it has accepted.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, accepted: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            connection = listener.accept() => if let Ok((stream, _)) = connection {
                accepted.fetch_add(1, Ordering::Relaxed);
                connections.spawn(echo(stream, acceptor.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn echo(stream: TcpStream, acceptor: TlsAcceptor) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = acceptor.accept(stream).await?;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        let came = buffer.get(..count).unwrap_or_default();
        stream.write_all(came).await?;
        stream.flush().await?;
        if count == 0 || came.ends_with(b"bye\n") {
            return stream.shutdown().await;
        }
    }
}
