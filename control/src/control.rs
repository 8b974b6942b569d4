//! A control plane: everything opened, bound and wired, then run until it is told to stop.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use proto::Epoch;

use crate::addresses::Addresses;
use crate::admin::Admin;
use crate::auth::{Auth, TokenFileError, TokenFiles, first_tokens};
use crate::clock;
use crate::config::Config;
use crate::domain::rules::Rules;
use crate::domain::{Chance as _, NoChance, Timestamp};
use crate::drain::{Drain, Signal};
use crate::feed::{Feed, Publisher};
use crate::grpc::{self, DescriptionError, Parts, ServeError, Server};
use crate::key_file::{self, KeyFileError};
use crate::lease::{LeaseClock, Leases};
use crate::metrics::Metrics;
use crate::rest;
use crate::service::{self, Service, SystemChance};
use crate::store::{self, Embedded, EmbeddedConfig, Store, StoreError};
use crate::sweeper::Sweeper;
use crate::tasks::Tasks;
use crate::watch::Watches;

/// The file of the store in the data directory.
const STORE_FILE: &str = "store.redb";

/// A control plane that is open and bound, and serves once it is run.
pub struct Control {
    store: Arc<dyn Store>,
    server: Server,
    api: Option<(rest::Api, rest::Parts)>,
    admin: Option<Admin>,
    auth: Auth,
    publisher: Publisher,
    lease_clock: LeaseClock,
    addresses: Addresses,
    sweeper: Sweeper,
    token_files: TokenFiles,
    metrics: Arc<Metrics>,
    tasks: Tasks,
    signal: Signal,
}

/// Why a control plane does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Names must stand under something.
    #[error("no base domain is set; give at least one, like ep-r.io")]
    NoDomain,
    /// Tokens would travel in the clear.
    #[error(
        "{what} is to be served on {addr}, which others can reach, without TLS: tokens would travel in the \
         clear; give a certificate and its key, or listen on loopback"
    )]
    Insecure {
        /// What is to be served.
        what: &'static str,
        /// Where.
        addr: SocketAddr,
    },
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] store::OpenError),
    /// The store opens and cannot be read.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// The store opens and its leases cannot be read.
    #[error(transparent)]
    Leases(#[from] service::Error),
    /// The first tokens cannot be made or read.
    #[error(transparent)]
    Tokens(#[from] TokenFileError),
    /// Secrets could be neither sealed nor opened.
    #[error(transparent)]
    SecretsKey(#[from] KeyFileError),
    /// No random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The address is not to be had.
    #[error("cannot listen for {what} on {addr}: {source}; {}", advice(source))]
    Listen {
        /// What for.
        what: &'static str,
        /// Where.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A part of this program does not fit the others.
    #[error(transparent)]
    Description(#[from] DescriptionError),
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another process listens there: stop it, or choose another address",
        io::ErrorKind::PermissionDenied => "ports below 1024 take root: choose a higher one",
        io::ErrorKind::AddrNotAvailable => "no interface of this machine has that address",
        _ => "choose another address",
    }
}

impl Control {
    /// Opens the store, makes the first tokens when there are none, reads everything, binds the listener.
    ///
    /// Errors say what stands in the way and what can be done; nothing is left behind but what was made in
    /// the data directory.
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        if config.base_domains.is_empty() {
            return Err(OpenError::NoDomain);
        }
        refuse_clear(&config)?;
        let store = open_store(&config).await?;
        let clock = clock::system();
        let now = Timestamp::from(clock());
        let token_files = first_tokens(&*store, &config.data_dir, &SystemChance, now).await?;
        let given = config.secrets_key.as_deref();
        let keyring = Arc::new(key_file::open(&*store, given, &config.data_dir, &SystemChance).await?);
        let listener = bind_grpc(&config).await?;
        let api = bind_api(&config).await?;
        let admin = bind_admin(&config).await?;

        let metrics = Arc::new(Metrics::new());
        let (tasks, drain) = (Tasks::new(), Drain::new());
        let (feed, publisher) = Feed::open(
            store.clone(),
            config.base_domains.clone(),
            config.feed.clone(),
            clock.clone(),
            metrics.feed.clone(),
        )
        .await?;
        let rules = Arc::new(rules_of(&config));
        let chance = Arc::new(SystemChance);
        let (leases, lease_clock) = Leases::load(
            store.clone(),
            &service::all_projects(&*store).await?,
            config.leases.clone(),
            clock.clone(),
            chance.clone(),
            metrics.leases.clone(),
        )
        .await?;
        let service = Service::new(store.clone(), rules, config.limits, clock.clone(), chance, keyring);
        let addresses = Addresses::new(store.clone(), config.addresses.clone());
        let service = service.with_addresses(addresses.clone());
        let sweeper = Sweeper::new(store.clone(), addresses.clone(), config.sweep.clone(), clock.clone());
        let signal = drain.signal();
        let watches = Watches::new(
            store.clone(),
            service.clone(),
            config.watch.clone(),
            metrics.watch.clone(),
            tasks.clone(),
            signal.clone(),
        );
        let auth = Auth::new(store.clone(), clock);
        let refused = metrics.auth.refused.clone();
        let rest = rest::Parts::new(service.clone(), auth.clone(), config.api_limits, refused);
        let (timeouts, limits) = (config.timeouts, config.limits);
        let parts = Parts { service, auth: auth.clone(), feed, leases, watches, timeouts, limits };
        Ok(Self {
            store,
            server: Server::new(listener, &parts, tasks.clone(), drain)?,
            api: api.map(|api| (api, rest)),
            admin,
            auth,
            publisher,
            lease_clock,
            addresses,
            sweeper,
            token_files,
            metrics,
            tasks,
            signal,
        })
    }

    /// Where gRPC is served.
    pub fn grpc_addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Where the JSON API is served; none for nowhere.
    pub fn api_addr(&self) -> Option<SocketAddr> {
        self.api.as_ref().map(|(api, _)| api.addr())
    }

    /// Where health and metrics are served; none for nowhere.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(Admin::addr)
    }

    /// What everything is kept in.
    pub fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Where the first tokens are.
    pub fn first_tokens(&self) -> &TokenFiles {
        &self.token_files
    }

    /// Tells what is counted, in the Prometheus text format.
    pub fn metrics(&self) -> Arc<dyn Fn() -> String + Send + Sync> {
        self.metrics.teller()
    }

    /// Serves until `shutdown` completes; then takes nothing new, gives what is under way its grace, cuts
    /// the rest, and returns when everything has ended.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self { server, api, admin, auth, publisher, lease_clock, metrics, tasks, signal, .. } = self;
        let (addresses, sweeper) = (self.addresses, self.sweeper);
        tasks.spawn("publisher", publisher.run(signal.clone()));
        tasks.spawn("lease clock", lease_clock.run(signal.clone()));
        tasks.spawn("sweeper", sweeper.run(signal.clone()));
        if let Some((api, parts)) = api {
            tasks.spawn("api", api.run(parts, tasks.clone(), signal.clone()));
        }
        let end = Drain::new();
        // Calls that are finished during a drain may ask.
        tasks.spawn("addresses", addresses.run(end.signal()));
        if let Some(admin) = admin {
            tasks.spawn("admin", admin.run(metrics.teller(), tasks.clone(), signal, end.signal()));
        }
        let ended = server.run(auth, metrics.auth.refused.clone(), shutdown).await;
        end.start();
        tasks.finished().await;
        ended
    }
}

/// Tokens travel in the clear on this machine alone.
fn refuse_clear(config: &Config) -> Result<(), OpenError> {
    let served = [("gRPC", Some(config.grpc)), ("the JSON API", config.api)];
    let open = served.into_iter().filter_map(|(what, addr)| Some((what, addr?)));
    match open.filter(|(_, addr)| !addr.ip().is_loopback()).find(|_| config.tls.is_none()) {
        Some((what, addr)) => Err(OpenError::Insecure { what, addr }),
        None => Ok(()),
    }
}

async fn bind_api(config: &Config) -> Result<Option<rest::Api>, OpenError> {
    let Some(addr) = config.api else {
        return Ok(None);
    };
    let tls = config.tls.as_deref().map(certs::for_http1);
    let bound = rest::bind(addr, tls, config.api_limits).await;
    bound.map(Some).map_err(|source| OpenError::Listen { what: "the JSON API", addr, source })
}

async fn bind_grpc(config: &Config) -> Result<grpc::Listener, OpenError> {
    let bound = grpc::bind(config).await;
    bound.map_err(|source| OpenError::Listen { what: "gRPC", addr: config.grpc, source })
}

async fn bind_admin(config: &Config) -> Result<Option<Admin>, OpenError> {
    let Some(addr) = config.admin else {
        return Ok(None);
    };
    let bound = Admin::bind(addr, config.admin_limits).await;
    bound.map(Some).map_err(|source| OpenError::Listen { what: "health and metrics", addr, source })
}

/// Opens the store beside the runtime's threads: reading a file takes its time.
async fn open_store(config: &Config) -> Result<Arc<dyn Store>, OpenError> {
    let mut epoch = [0; 8];
    SystemChance.fill(&mut epoch)?;
    let epoch = Epoch(u64::from_le_bytes(epoch));
    let embedded = EmbeddedConfig { path: config.data_dir.join(STORE_FILE), limits: config.store };
    refuse_emptied(&embedded.path, &config.data_dir)?;
    let opened = tokio::task::spawn_blocking(move || Embedded::open(&embedded, epoch)).await;
    match opened {
        Ok(opened) => Ok(Arc::new(opened?)),
        Err(error) => Err(StoreError { doing: "open its file", reason: error.to_string() }.into()),
    }
}

/// An empty file where there was a store is what a full disk or a broken copy leaves. To begin anew on it
/// would take every route from every proxy.
fn refuse_emptied(path: &Path, directory: &Path) -> Result<(), store::OpenError> {
    let emptied = std::fs::metadata(path).is_ok_and(|file| file.len() == 0);
    if emptied && TokenFiles::in_directory(directory).admin.exists() {
        let reason = "it is empty, though a token beside it says that it was not".to_owned();
        return Err(store::OpenError::Unreadable { path: path.to_owned(), reason });
    }
    Ok(())
}

fn rules_of(config: &Config) -> Rules {
    Rules {
        domains: config.base_domains.clone(),
        ports: config.public_ports,
        reserved: config.reserved.clone(),
        organization_suffix: config.organization_suffix,
        networks: config.backend_networks.clone(),
        backends_per_endpoint: config.limits.backends_per_endpoint,
    }
}
