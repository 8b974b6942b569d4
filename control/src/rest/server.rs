//! The API's listener: HTTP/1.1, in the clear on loopback or under TLS.
//!
//! A permit is taken before a connection is: when there are as many as there may be, more wait in the
//! kernel's queue. When a drain begins nothing new is taken, requests under way are answered within
//! their grace, and the rest is cut.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::taken::Taken;
use super::{Parts, router};
use crate::config::ApiLimits;
use crate::drain::Signal;
use crate::tasks::Tasks;

/// A bound listener of the API.
pub struct Api {
    socket: TcpListener,
    addr: SocketAddr,
    tls: Option<TlsAcceptor>,
    limits: ApiLimits,
}

/// A listener at `addr`, before there is anything to serve; `tls` secures its connections.
pub async fn bind(addr: SocketAddr, tls: Option<Arc<ServerConfig>>, limits: ApiLimits) -> io::Result<Api> {
    let socket = TcpListener::bind(addr).await?;
    Ok(Api { addr: socket.local_addr()?, socket, tls: tls.map(TlsAcceptor::from), limits })
}

impl Api {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves what `parts` can do, on tasks of `tasks`, until `drain` is given.
    pub async fn run(self, parts: Parts, tasks: Tasks, drain: Signal) {
        // One is the least a semaphore of connections can mean.
        let permits = Arc::new(Semaphore::new(self.limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
        let server = Server { router: router::router(parts), limits: self.limits, drain: drain.clone() };
        loop {
            let accepted = tokio::select! {
                () = drain.given() => return,
                accepted = accept(&self.socket, &permits) => accepted,
            };
            match accepted {
                Ok((stream, permit)) => {
                    // Answers are small and waited for.
                    let _ = stream.set_nodelay(true);
                    let (server, tls) = (server.clone(), self.tls.clone());
                    tasks.spawn("api connection", server.connection(stream, tls, permit));
                }
                Err(error) => {
                    // Out of descriptors or memory: others must end before there is room again.
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(self.limits.accept_backoff).await;
                }
            }
        }
    }
}

async fn accept(
    socket: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = permits.clone().acquire_owned().await.map_err(io::Error::other)?;
    Ok((socket.accept().await?.0, permit))
}

#[derive(Clone)]
struct Server {
    router: Router,
    limits: ApiLimits,
    drain: Signal,
}

impl Server {
    async fn connection(self, stream: TcpStream, tls: Option<TlsAcceptor>, permit: OwnedSemaphorePermit) {
        let _permit = permit;
        let Some(tls) = tls else { return self.serve(stream).await };
        match timeout(self.limits.handshake, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.serve(stream).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.limits.head)
            .max_buf_size(self.limits.head_bytes);
        let stream = Taken::new(stream, self.limits.answer);
        let service = TowerToHyperService::new(self.router);
        let mut serving = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            // Who hangs up, or does not speak HTTP, has been answered as far as that is possible.
            _ = serving.as_mut() => return,
            () = self.drain.given() => {}
        }
        serving.as_mut().graceful_shutdown();
        if timeout(self.limits.drain_grace, serving).await.is_err() {
            tracing::warn!("a request was cut by the end of the drain");
        }
    }
}
