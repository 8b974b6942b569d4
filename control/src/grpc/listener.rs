//! The gRPC listener: takes connections, secures them, and hands them to the server.
//!
//! A permit is taken before a connection is: when there are as many as there may be, more wait in the
//! kernel's queue. Handshakes run beside the accept loop, each under its time-out.

mod connection;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::Stream as Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Timeouts};
use crate::drain::Signal;
use crate::tasks::Tasks;
use connection::Connection;
use connection::Stream;

/// Connections that are ready and not yet taken by the server.
const READY: usize = 16;

/// A bound listener.
pub struct Listener {
    socket: TcpListener,
    addr: SocketAddr,
    tls: Option<TlsAcceptor>,
    most: usize,
    permits: Arc<Semaphore>,
    cut: CancellationToken,
    timeouts: Timeouts,
}

/// Sees how many connections are open, and can cut them.
#[derive(Clone)]
pub(super) struct Connections {
    most: usize,
    permits: Arc<Semaphore>,
    cut: CancellationToken,
}

impl Connections {
    /// Connections that are open now.
    pub(super) fn open(&self) -> usize {
        self.most.saturating_sub(self.permits.available_permits())
    }

    /// Ends all of them, now.
    pub(super) fn cut(&self) {
        self.cut.cancel();
    }
}

impl Listener {
    /// Binds where `config` says.
    pub(super) async fn bind(config: &Config) -> io::Result<Self> {
        let socket = TcpListener::bind(config.grpc).await?;
        // One is the least a semaphore of connections can mean.
        let most = config.limits.connections.clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self {
            addr: socket.local_addr()?,
            socket,
            tls: config.tls.clone().map(TlsAcceptor::from),
            most,
            permits: Arc::new(Semaphore::new(most)),
            cut: CancellationToken::new(),
            timeouts: config.timeouts,
        })
    }

    /// Where it listens.
    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Sees and cuts its connections.
    pub(super) fn connections(&self) -> Connections {
        Connections { most: self.most, permits: self.permits.clone(), cut: self.cut.clone() }
    }

    /// The connections, until `signal` is given; then the listener is closed.
    pub(super) fn incoming(
        self,
        tasks: &Tasks,
        signal: Signal,
    ) -> impl Incoming<Item = io::Result<Connection>> {
        let (ready, incoming) = mpsc::channel(READY);
        let handshakes = tasks.clone();
        tasks.spawn("grpc accept", async move {
            tokio::select! {
                () = signal.given() => {}
                () = self.accept_all(&handshakes, &ready) => {}
            }
        });
        ReceiverStream::new(incoming)
    }

    async fn accept_all(&self, tasks: &Tasks, ready: &mpsc::Sender<io::Result<Connection>>) {
        loop {
            let Ok(permit) = self.permits.clone().acquire_owned().await else {
                return;
            };
            match self.socket.accept().await {
                Ok((stream, _)) => self.secure(stream, permit, tasks, ready.clone()),
                Err(error) => {
                    // Out of descriptors or memory: others must end before there is room again.
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(self.timeouts.accept_backoff).await;
                }
            }
        }
    }

    /// Hands `stream` on to the server, after its handshake.
    fn secure(
        &self,
        stream: TcpStream,
        permit: OwnedSemaphorePermit,
        tasks: &Tasks,
        ready: mpsc::Sender<io::Result<Connection>>,
    ) {
        let (tls, cut, limit) = (self.tls.clone(), self.cut.clone(), self.timeouts.handshake);
        tasks.spawn("grpc handshake", async move {
            // Answers are small and waited for.
            let _ = stream.set_nodelay(true);
            let stream = match tls {
                None => Stream::Plain(stream),
                Some(tls) => match timeout(limit, tls.accept(stream)).await {
                    Ok(Ok(stream)) => Stream::Secured(Box::new(stream)),
                    Ok(Err(error)) => return tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => return tracing::debug!("a TLS handshake took too long"),
                },
            };
            let connection = Connection::new(stream, permit, cut, limit);
            // The server has gone: so does the connection.
            let _ = ready.send(Ok(connection)).await;
        });
    }
}
