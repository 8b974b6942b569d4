use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use certs::{Certificates, Pair, Sources};
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
    dir: TempDir,
}

impl Stage {
    /// With two workers and loopback backends allowed.
    pub(crate) fn open() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::certified(&["ep-r.io"], change)
    }

    /// With a certificate for each of these and all names below it, under one CA.
    pub(crate) fn certified(bases: &[&str], change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pairs = bases.iter().map(|base| certify(dir.path(), base)).collect();
        let sources = Sources { pairs, directories: vec![] };
        let certificates = Certificates::open(sources, None, SystemTime::now()).unwrap();
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
            ca: dir.path().join("ca.pem"),
            tasks,
            routes,
            metrics,
            revision: AtomicU64::new(0),
            drain,
            report,
            dir,
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

    /// Replaces the certificate for `base` by another one, as a tool that renews them does.
    pub(crate) fn certify_anew(&self, base: &str) {
        std::fs::remove_file(self.dir.path().join(base).join("edge.key")).unwrap();
        certify(self.dir.path(), base);
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

/// A certificate for `base` and what is below it, in a directory of its own beside the CA they share.
fn certify(dir: &Path, base: &str) -> Pair {
    let own = dir.join(base);
    std::fs::create_dir_all(&own).unwrap();
    let name = Hostname::parse(base).unwrap();
    for file in ["ca.pem", "ca.key"] {
        if dir.join(file).exists() {
            std::fs::copy(dir.join(file), own.join(file)).unwrap();
        }
    }
    let made = certs::dev_certificates(&own, &[name], SystemTime::now()).unwrap();
    for file in ["ca.pem", "ca.key"] {
        std::fs::copy(own.join(file), dir.join(file)).unwrap();
    }
    Pair { chain: made.chain, key: made.key }
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
