use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::pin::pin;
use std::sync::Arc;

use certs::Certificates;
use futures_util::future::join_all;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::access_log::{AccessLog, Writer};
use crate::admin::Admin;
use crate::config::Config;
use crate::context::Shared;
use crate::descriptors;
use crate::drain::{self, DrainReport, Signal};
use crate::feed::FeedState;
use crate::limits;
use crate::listener::{self, ListenError, Terms};
use crate::metrics::Metrics;
use crate::per_worker::WorkerId;
use crate::routes::Routes;
use crate::side::{self, Cache, Side};
use crate::upstream::Networks;
use crate::worker::{self, Post, Report};

/// A proxy that listens, and serves once it is run.
pub struct Proxy {
    shared: Arc<Shared>,
    sockets: Sockets,
    addresses: Addresses,
    cache: Option<Cache>,
    log: Writer,
    seeds: Seeds,
}

struct Sockets {
    http: Vec<StdListener>,
    https: Vec<StdListener>,
    admin: StdListener,
}

/// Where it really listens.
#[derive(Debug, Clone, Copy)]
struct Addresses {
    http: SocketAddr,
    https: SocketAddr,
    admin: SocketAddr,
}

/// Random numbers: one for each worker, one for the side thread.
struct Seeds {
    workers: Vec<u64>,
    side: u64,
}

/// Why a proxy could not start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A port could not be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The access log cannot be written.
    #[error("{0}; name another file, or `off`")]
    AccessLog(#[source] io::Error),
    /// The system has no randomness, or does not say where a socket listens.
    #[error("the system refused what every proxy needs: {0}")]
    System(#[source] io::Error),
}

impl Proxy {
    /// Binds all ports and gets everything ready; connections wait in the kernel's queue until
    /// [`Proxy::run`]. The table is the last good one from `config.route_cache`, else empty.
    pub fn bind(config: Config, certificates: Arc<Certificates>) -> Result<Self, BindError> {
        let sockets = Sockets::bind(&config)?;
        let addresses = sockets.addresses().map_err(BindError::System)?;
        let seeds = Seeds::draw(config.workers.get())?;
        let (log, writer) = AccessLog::start(&config.access_log, config.limits.access_log_queue)
            .map_err(BindError::AccessLog)?;
        let mut own = vec![addresses.http, addresses.https, addresses.admin];
        own.extend(&config.never_dialled);
        let routes = Routes::new();
        let cache = Cache::load(&config, &routes);
        let shared = Arc::new(Shared {
            routes,
            networks: Arc::new(Networks::new(&config.backends, own)),
            metrics: Metrics::new(),
            limits: limits::Common::new(&config, descriptors::raise_and_count(), Instant::now()),
            config,
            certificates,
            log,
        });
        Ok(Self { shared, sockets, addresses, cache, log: writer, seeds })
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
        // A hand of its own: dropping this future drops it, and with it everything drains.
        let (hand, signal) = drain::channel();
        let Self { shared, sockets, cache, log, seeds, .. } = self;
        let side = side(&shared, sockets.admin, cache, signal.clone(), seeds.side);
        let workers = workers(&shared, sockets.http, sockets.https, &signal, &seeds.workers);
        let log_grace = shared.config.timeouts.log_grace;
        drop(shared);
        if workers.len() < seeds.workers.len() || side.is_err() {
            hand.start();
        }
        let mut began = None;
        let conduct = async {
            shutdown.draining().await;
            began = Some(Instant::now());
            hand.start();
            shutdown.cut().await;
            hand.cut();
        };
        let mut all = pin!(join_all(workers));
        let ended = tokio::select! {
            ended = &mut all => ended,
            () = conduct => all.await,
        };
        // Workers that ended by themselves leave a proxy that must end as a whole.
        hand.start();
        let took = began.map(|began| began.elapsed()).unwrap_or_default();
        let blocking = move || {
            match side {
                Ok(side) => side.finish(),
                Err(error) => tracing::error!(%error, "the side thread could not start"),
            }
            if !log.finish(log_grace) {
                tracing::error!("the access log takes no more lines; ending without the last ones");
            }
        };
        // Its panics have been reported where they happened.
        let _ = tokio::task::spawn_blocking(blocking).await;
        ended.into_iter().fold(DrainReport { took, ..DrainReport::default() }, add)
    }
}

impl Sockets {
    fn bind(config: &Config) -> Result<Self, ListenError> {
        let (listen, workers, terms) = (config.listen, config.workers.get(), Terms::of(config));
        Ok(Self {
            admin: listener::bind_one(listen.admin, "--admin", terms)?,
            http: listener::bind(listen.http, "--http", workers, terms)?,
            https: listener::bind(listen.https, "--https", workers, terms)?,
        })
    }

    fn addresses(&self) -> io::Result<Addresses> {
        let of = |sockets: &[StdListener]| match sockets.first() {
            Some(first) => first.local_addr(),
            None => Err(io::ErrorKind::AddrNotAvailable.into()),
        };
        Ok(Addresses { http: of(&self.http)?, https: of(&self.https)?, admin: self.admin.local_addr()? })
    }
}

impl Seeds {
    fn draw(workers: usize) -> Result<Self, BindError> {
        let draw =
            || getrandom::u64().map_err(|error| BindError::System(io::Error::other(error.to_string())));
        Ok(Self { workers: (0..workers).map(|_| draw()).collect::<Result<_, _>>()?, side: draw()? })
    }
}

fn side(
    shared: &Shared,
    listener: StdListener,
    cache: Option<Cache>,
    drain: Signal,
    seed: u64,
) -> io::Result<side::Running> {
    let feed = shared.config.feed.clone().map(|config| (config, Arc::<FeedState>::default()));
    let admin = Admin {
        routes: shared.routes.clone(),
        metrics: shared.metrics.clone(),
        limits: shared.limits.clone(),
        networks: shared.networks.clone(),
        certificates: shared.certificates.clone(),
        redirect_to_https: shared.config.redirect_to_https,
        feed: feed.as_ref().map(|(_, state)| state.clone()),
        cache: cache.as_ref().map(Cache::state),
        log: shared.log.losses(),
        extra_metrics: shared.config.extra_metrics.clone(),
        drain: drain.clone(),
    };
    side::start(Side {
        admin: (listener, admin),
        feed,
        cache,
        certificates: (shared.certificates.clone(), shared.config.timeouts.certificate_look),
        routes: shared.routes.clone(),
        most: shared.config.limits.routes,
        drain,
        seed,
    })
}

type Reported = oneshot::Receiver<io::Result<Report>>;

/// Starts the workers; fewer than there should be when one could not be started.
fn workers(
    shared: &Arc<Shared>,
    http: Vec<StdListener>,
    https: Vec<StdListener>,
    signal: &Signal,
    seeds: &[u64],
) -> Vec<Reported> {
    let posts = WorkerId::all(seeds.len()).zip(http).zip(https).zip(seeds);
    let started = posts.map(|(((worker, http), https), seed)| {
        let (shared, drain) = (shared.clone(), signal.clone());
        worker::start(Post { worker, shared, http, https, drain, seed: *seed })
    });
    let told =
        started.map(|started| started.map_err(|error| tracing::error!(%error, "a worker could not start")));
    told.flatten().collect()
}

fn add(mut sum: DrainReport, worker: Result<io::Result<Report>, oneshot::error::RecvError>) -> DrainReport {
    match worker {
        Ok(Ok(report)) => {
            sum.open += report.open;
            sum.cut += report.cut;
        }
        Ok(Err(error)) => tracing::error!(%error, "a worker could not start"),
        Err(_) => tracing::error!("a worker died; this is a defect of the proxy"),
    }
    sum
}
