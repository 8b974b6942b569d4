use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use certs::Certificates;
use proto::{
    Backend, BackendProtocol, Binding, DeploymentId, EdgeProtocol, EndpointName, Epoch, Hostname, ProjectId,
    Revision, Route, RouteUpdate, SourceRanges, Target,
};
use proxy::Proxy;
use proxy::config::Config;
use proxy::drain::{self, Drain, DrainReport};
use proxy::metrics::Metrics;
use proxy::routes::Routes;
use proxy::tasks::Tasks;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A running proxy, and what tests need to know of it.
pub(crate) struct Stage {
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) ca: PathBuf,
    pub(crate) tasks: Tasks,
    routes: Arc<Routes>,
    metrics: Arc<Metrics>,
    revision: AtomicU64,
    drain: Drain,
    report: oneshot::Receiver<DrainReport>,
    _dir: TempDir,
}

impl Stage {
    /// With two workers and loopback backends allowed.
    pub(crate) fn open() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let base = Hostname::parse("ep-r.io").unwrap();
        let made = certs::dev_certificates(dir.path(), &[base], SystemTime::now()).unwrap();
        let certificates = Certificates::load(&made.chain, &made.key, SystemTime::now()).unwrap();
        let mut config = Config { workers: NonZeroUsize::new(2).unwrap(), ..Config::default() };
        let local: SocketAddr = "127.0.0.1:0".parse().unwrap();
        (config.listen.http, config.listen.https, config.listen.admin) = (local, local, local);
        config.backends = config.backends.with_loopback();
        change(&mut config);
        let proxy = Proxy::bind(config, certificates).unwrap();
        let (http, https, admin) = (proxy.http_addr(), proxy.https_addr(), proxy.admin_addr());
        let (routes, metrics) = (proxy.routes(), proxy.metrics());
        let (drain, signal) = drain::channel();
        let (done, report) = oneshot::channel();
        let tasks = Tasks::new();
        tasks.spawn(async move {
            let _ = done.send(proxy.run(signal).await);
        });
        Self {
            http,
            https,
            admin,
            ca: made.ca,
            tasks,
            routes,
            metrics,
            revision: AtomicU64::new(0),
            drain,
            report,
            _dir: dir,
        }
    }

    /// Adds or changes routes, in one revision.
    pub(crate) fn apply(&self, upserts: Vec<Route>) {
        let number = self.revision.fetch_add(1, Ordering::Relaxed);
        let revision = |number| Revision::new(Epoch(7), number);
        let base = (number > 0).then(|| revision(number));
        let update = RouteUpdate { revision: revision(number + 1), base, upserts, removals: vec![] };
        self.routes.apply(update).unwrap();
    }

    pub(crate) fn open_connections(&self) -> u64 {
        self.metrics.open_connections()
    }

    pub(crate) fn drain(&self) {
        self.drain.start();
    }

    pub(crate) fn cut(&self) {
        self.drain.cut();
    }

    pub(crate) async fn report(self) -> DrainReport {
        self.report.await.unwrap()
    }
}

/// A route bound to backends that speak HTTP/1.1.
pub(crate) fn bound(name: &str, protocol: EdgeProtocol, backends: &[SocketAddr]) -> Route {
    bound_to("dep-a", name, protocol, BackendProtocol::Http1, backends)
}

pub(crate) fn bound_to(
    deployment: &str,
    name: &str,
    protocol: EdgeProtocol,
    backend_protocol: BackendProtocol,
    backends: &[SocketAddr],
) -> Route {
    let backends =
        backends.iter().map(|address| Backend { address: (*address).try_into().unwrap(), healthy: true });
    let target = Target::Bound(Binding {
        deployment: DeploymentId::parse(deployment).unwrap(),
        endpoint: EndpointName::parse("WEB").unwrap(),
        protocol,
        backend_protocol,
        backends: backends.collect(),
    });
    route(name, target)
}

pub(crate) fn unbound(name: &str, last: Option<EdgeProtocol>) -> Route {
    route(name, Target::Unbound { last })
}

/// Only this source is served.
pub(crate) fn only_from(mut route: Route, source: &str) -> Route {
    route.sources = [SourceRanges::parse_one(source).unwrap()].into_iter().collect();
    route
}

fn route(name: &str, target: Target) -> Route {
    Route {
        hostname: Hostname::parse(name).unwrap(),
        project: ProjectId::parse("project-a").unwrap(),
        target,
        sources: SourceRanges::everyone(),
    }
}
