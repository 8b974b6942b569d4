use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::{Outcome, Stage};

/// A server that answers each request head with the same bytes, right or wrong.
pub struct RawBackend {
    addr: SocketAddr,
    accepted: Arc<AtomicU64>,
    _server: JoinSet<()>,
}

/// What a [`RawBackend`] does after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It closes the connection.
    Close,
    /// It waits for the next request.
    Stay,
}

impl RawBackend {
    /// Listens on a port of the stage.
    pub async fn start(stage: &Stage, answer: &'static str, then: Then) -> Outcome<Self> {
        let listener = TcpListener::bind(stage.any_port()).await?;
        let addr = listener.local_addr()?;
        let accepted = Arc::new(AtomicU64::new(0));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, answer.as_bytes(), then, Arc::clone(&accepted)));
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

async fn serve(listener: TcpListener, answer: &'static [u8], then: Then, accepted: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            connection = listener.accept() => if let Ok((stream, _)) = connection {
                accepted.fetch_add(1, Ordering::Relaxed);
                connections.spawn(converse(stream, answer, then));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(mut stream: TcpStream, answer: &'static [u8], then: Then) -> std::io::Result<()> {
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        head.extend_from_slice(buffer.get(..count).unwrap_or_default());
        if head.windows(4).any(|end| end == b"\r\n\r\n") {
            head.clear();
            stream.write_all(answer).await?;
            if then == Then::Close {
                return stream.shutdown().await;
            }
        }
    }
}
