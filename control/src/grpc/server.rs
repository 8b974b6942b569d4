//! Serves the services on a listener, and ends well.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;

use prometheus_client::metrics::counter::Counter;
use tokio::time::timeout;
use tonic::service::Routes;

use super::listener::{Connections, Listener};
use super::{Parts, services, status};
use crate::auth::{Auth, AuthError, AuthLayer};
use crate::config::{Config, Limits, Timeouts};
use crate::drain::Drain;
use crate::tasks::Tasks;

/// A bound server of all services.
pub struct Server {
    listener: Listener,
    routes: Routes,
    limits: Limits,
    timeouts: Timeouts,
    tasks: Tasks,
    drain: Drain,
}

/// Why a server ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It failed.
    #[error("the gRPC server failed: {0}")]
    Failed(#[from] tonic::transport::Error),
    /// It ended by itself.
    #[error("the gRPC listener ended by itself; this is a defect in epr")]
    Ended,
}

/// The services do not fit their own description.
#[derive(Debug, thiserror::Error)]
#[error("the services cannot be described: {0}; this is a defect in epr")]
pub struct DescriptionError(#[from] tonic_reflection::server::Error);

/// A listener where `config` says, before there is anything to serve.
pub async fn bind(config: &Config) -> io::Result<Listener> {
    Listener::bind(config).await
}

impl Server {
    /// Serves what `parts` can do on `listener`, on tasks of `tasks`; `drain` ends it, and whatever else
    /// listens to it.
    pub fn new(
        listener: Listener,
        parts: &Parts,
        tasks: Tasks,
        drain: Drain,
    ) -> Result<Self, DescriptionError> {
        let routes = services(parts, tasks.clone(), drain.signal())?;
        Ok(Self { listener, routes, limits: parts.limits, timeouts: parts.timeouts, tasks, drain })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.listener.addr()
    }

    /// Serves until `shutdown` completes; then gives the signal to drain, lets what is under way finish
    /// within its grace, and cuts the rest. Calls that are not admitted by `auth` are counted.
    pub async fn run(
        self,
        auth: Auth,
        refusals: Counter,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let Self { listener, routes, limits, timeouts, tasks, drain } = self;
        let signal = drain.signal();
        let connections = listener.connections();
        let incoming = listener.incoming(&tasks, signal.clone());
        let refuse = move |error: AuthError| {
            refusals.inc();
            status::refused(&error).into_http()
        };
        let serving = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(timeouts.keep_alive_interval))
            .http2_keepalive_timeout(Some(timeouts.keep_alive_timeout))
            .concurrency_limit_per_connection(limits.calls_per_connection)
            .max_concurrent_streams(limits.streams_per_connection)
            .layer(AuthLayer::new(auth, refuse))
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, async move { signal.given().await });
        let mut serving = pin!(serving);
        tokio::select! {
            ended = &mut serving => return ended.map_err(ServeError::from).and(Err(ServeError::Ended)),
            () = shutdown => {}
        }
        drain.start();
        finish(serving, &connections, timeouts).await
    }
}

/// Waits for what is under way, and cuts what does not end within its grace.
async fn finish(
    mut serving: impl Future<Output = Result<(), tonic::transport::Error>> + Unpin,
    connections: &Connections,
    timeouts: Timeouts,
) -> Result<(), ServeError> {
    let open = connections.open();
    if let Ok(ended) = timeout(timeouts.drain_grace, &mut serving).await {
        tracing::info!(open, "every gRPC connection has finished");
        return Ok(ended?);
    }
    tracing::warn!(open, cut = connections.open(), "gRPC connections were cut");
    connections.cut();
    Ok(serving.await?)
}
