use std::fs;
use std::time::Duration;

use benches::clock::wall;
use loadtest::backend::HttpBackend;
use loadtest::manifest::{App, Speaks, static_route};
use loadtest::{Epr, Fault, OrFault as _, Outcome, Stage, Start, eventually};
use proto::Hostname;

use crate::seed::{PER_DEPLOYMENT, seed};

/// The route that moves.
pub(crate) const ROUTE: &str = "bench-probe";
/// The deployments it moves between; their backends bear their names.
pub(crate) const DEPLOYMENTS: [&str; 2] = ["bench-a", "bench-b"];
/// The one base domain, so that a route is one name.
const DOMAIN: &str = "ep-r.io";
/// How long a big table may take to get from control to the edge.
const LOAD: Duration = Duration::from_secs(300);

/// An edge that serves a table of some size, with the deployments and the route of the bench among them.
pub(crate) struct Set {
    pub(crate) epr: Epr,
    /// Routes the edge serves.
    pub(crate) routes: usize,
    /// Seconds it took to fill the store.
    pub(crate) seeding: f64,
    /// Seconds from the start to the whole table at the edge.
    pub(crate) loading: f64,
    _backends: Vec<HttpBackend>,
}

impl Set {
    /// Fills a store with about `routes` routes, starts `epr up` on it and waits until the edge serves all.
    pub(crate) async fn build(stage: &Stage, routes: usize) -> Outcome<Self> {
        let data_dir = stage.dir().join(format!("data-{routes}"));
        fs::create_dir(&data_dir)?;
        let deployments = routes.div_ceil(PER_DEPLOYMENT);
        let seeding = seed(&data_dir.join("store.redb"), &Hostname::parse(DOMAIN)?, deployments).await?;
        let start = wall();
        let command =
            Start::up(stage).data(&data_dir).flag("--base-domain", DOMAIN).flag("--access-log", "off");
        let epr = Epr::start(stage, command).await?;
        becomes(&epr, deployments * PER_DEPLOYMENT).await?;
        let loading = (wall() - start) as f64 / 1e9;
        let mut backends = Vec::new();
        epr.apply(stage, &static_route(ROUTE)).await?;
        for name in DEPLOYMENTS {
            let backend = HttpBackend::start(stage, name).await?;
            let app = App::new(name).endpoint("WEB", Speaks::Http, &[backend.addr()]);
            epr.apply(stage, &app.manifest()).await?;
            backends.push(backend);
        }
        let [first, _] = DEPLOYMENTS;
        epr.ok(&["bind", ROUTE, first]).await?;
        let routes = deployments * PER_DEPLOYMENT + DEPLOYMENTS.len() + 1;
        becomes(&epr, routes).await?;
        Ok(Self { epr, routes, seeding, loading, _backends: backends })
    }

    /// The host name of the route that moves.
    pub(crate) fn host() -> String {
        format!("{ROUTE}.{DOMAIN}")
    }

    /// Bytes of the process that are in memory.
    pub(crate) fn resident(&mut self) -> Outcome<u64> {
        let path = format!("/proc/{}/status", self.epr.process().pid().as_raw_nonzero());
        let status = fs::read_to_string(path)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).or_fault("no VmRSS")?;
        let kib: Option<u64> = line.split_ascii_whitespace().next().and_then(|number| number.parse().ok());
        Ok(kib.or_fault("VmRSS is no number")? * 1024)
    }
}

/// Waits until the edge serves so many routes.
async fn becomes(epr: &Epr, routes: usize) -> Outcome {
    let line = format!("epr_routes {routes}");
    let seen = eventually(&line, LOAD, async || {
        let metrics = epr.admin_page("/metrics").await?;
        let found = metrics.lines().find(|found| found.starts_with("epr_routes ")).map(str::to_owned);
        Ok(found.filter(|found| *found == line))
    });
    seen.await.map(|_| ()).map_err(|fault| Fault::new(format_args!("the table is not whole: {fault}")))
}
