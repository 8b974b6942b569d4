use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;

use certs::{Certificates, CertsError};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::access_log::{AccessLog, Writer};
use crate::config::Config;
use crate::context::Shared;
use crate::drain::{self, DrainReport, Signal};
use crate::listener::{self, ListenError};
use crate::metrics::Metrics;
use crate::per_worker::WorkerId;
use crate::routes::Routes;
use crate::upstream::Networks;
use crate::worker::{self, Post};

/// A proxy that listens, and serves once it is run.
pub struct Proxy {
    shared: Arc<Shared>,
    http: Vec<StdListener>,
    https: Vec<StdListener>,
    admin: StdListener,
    addresses: Addresses,
    log: Writer,
    seeds: Vec<u64>,
}

/// Where it really listens.
#[derive(Debug, Clone, Copy)]
struct Addresses {
    http: SocketAddr,
    https: SocketAddr,
    admin: SocketAddr,
}

/// Why a proxy could not start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A port could not be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// TLS cannot be served.
    #[error("TLS cannot be served: {0}")]
    Tls(#[from] CertsError),
    /// The access log cannot be written.
    #[error("{0}")]
    AccessLog(#[source] io::Error),
    /// The system has no randomness, or does not say where a socket listens.
    #[error("the system refused: {0}")]
    System(#[source] io::Error),
}

impl Proxy {
    /// Binds all ports and gets everything ready; connections wait in the kernel's queue until
    /// [`Proxy::run`]. The table is empty, or the last good one from `config.route_cache`.
    pub fn bind(config: Config, certificates: Arc<Certificates>) -> Result<Self, BindError> {
        let (listen, workers) = (config.listen, config.workers.get());
        let backlog = config.limits.backlog;
        let admin = listener::bind_one(listen.admin, "--admin")?;
        let http = listener::bind(listen.http, "--http", workers, backlog)?;
        let https = listener::bind(listen.https, "--https", workers, backlog)?;
        let addresses = Addresses {
            http: addr(&http)?,
            https: addr(&https)?,
            admin: admin.local_addr().map_err(BindError::System)?,
        };
        let tls = certs::edge_server_config(&certificates)?;
        let (log, writer) = AccessLog::start(&config.access_log, config.limits.access_log_queue)
            .map_err(BindError::AccessLog)?;
        let own = vec![addresses.http, addresses.https, addresses.admin];
        let seeds = (0..workers).map(|_| {
            getrandom::u64().map_err(|error| BindError::System(io::Error::other(error.to_string())))
        });
        Ok(Self {
            seeds: seeds.collect::<Result<_, _>>()?,
            shared: Arc::new(Shared {
                routes: Routes::new(),
                networks: Arc::new(Networks::new(&config.backends, own)),
                metrics: Metrics::new(),
                config,
                certificates,
                tls,
                log,
            }),
            http,
            https,
            admin,
            addresses,
            log: writer,
        })
    }

    /// Where HTTP is spoken in the clear.
    pub fn http_addr(&self) -> SocketAddr {
        self.addresses.http
    }

    /// Where TLS is spoken.
    pub fn https_addr(&self) -> SocketAddr {
        self.addresses.https
    }

    /// Where the admin server listens.
    pub fn admin_addr(&self) -> SocketAddr {
        self.addresses.admin
    }

    /// The table, for whoever feeds it without a control plane.
    pub fn routes(&self) -> Arc<Routes> {
        self.shared.routes.clone()
    }

    /// What is counted.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.shared.metrics.clone()
    }

    /// Serves until `shutdown` drains, then until all is over, its grace has run out, or `shutdown`
    /// cuts. Dropping the future drains as well.
    pub async fn run(self, mut shutdown: Signal) -> DrainReport {
        // A hand of its own: dropping this future drops it, and with it the workers drain.
        let (hand, signal) = drain::channel();
        let permits = Arc::new(Semaphore::new(self.shared.config.limits.connections.get()));
        let mut reports = Vec::new();
        let ids = WorkerId::all(self.seeds.len());
        for (((worker, http), https), seed) in ids.zip(self.http).zip(self.https).zip(self.seeds) {
            let (shared, permits, drain) = (self.shared.clone(), permits.clone(), signal.clone());
            match worker::start(Post { worker, shared, http, https, permits, drain, seed }) {
                Ok(report) => reports.push(report),
                Err(error) => {
                    tracing::error!(%error, "a worker could not start; the proxy ends");
                    hand.start();
                }
            }
        }
        let mut began = None;
        let conduct = async {
            shutdown.draining().await;
            began = Some(Instant::now());
            hand.start();
            shutdown.cut().await;
            hand.cut();
        };
        let all = futures_util::future::join_all(reports);
        let mut all = std::pin::pin!(all);
        let ended = tokio::select! {
            ended = &mut all => ended,
            () = conduct => all.await,
        };
        let mut report = DrainReport {
            took: began.map(|began| began.elapsed()).unwrap_or_default(),
            ..DrainReport::default()
        };
        for worker in ended {
            match worker {
                Ok(Ok(worker)) => {
                    report.open += worker.open;
                    report.cut += worker.cut;
                }
                Ok(Err(error)) => tracing::error!(%error, "a worker could not start"),
                Err(_) => tracing::error!("a worker died; this is a defect of the proxy"),
            }
        }
        drop(self.shared);
        report
    }
}

fn addr(sockets: &[StdListener]) -> Result<SocketAddr, BindError> {
    let first = sockets.first().ok_or_else(|| BindError::System(io::ErrorKind::AddrNotAvailable.into()))?;
    first.local_addr().map_err(BindError::System)
}
