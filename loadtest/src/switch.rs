//! A static route that goes from one deployment to another and back under load, with a receipt of each turn:
//! which revision, when which proxy applied it, who answered around it, what failed.

use std::time::{Duration, SystemTime};

use proto::wire::{
    Deployment, GetDeploymentRequest, ListProxiesRequest, Receipt, StaticRouteBinding,
    UpdateDeploymentRequest, WaitForProxies,
};
use serde_json::{Value, json};

use crate::backend::HttpBackend;
use crate::load::{self, Load};
use crate::manifest::{App, Speaks, static_route};
use crate::{Api, Epr, KeepAlive, OrFault as _, Outcome, Stage, Start, eventually};

const WAIT: Duration = Duration::from_secs(10);
const ROUTE: &str = "moving";
const HOST: &str = "moving.ep-r.io";
const COLOURS: [&str; 2] = ["blue", "green"];
const CLIENTS: usize = 4;
/// Answers seen after a switch before the next one: the new deployment is at work by then.
const ANSWERS_BETWEEN: u64 = 100;

/// How a static route is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// By binding it to the other deployment.
    Bind,
    /// By an update of the other deployment that names it.
    Update,
}

/// A control plane with proxies, two deployments, and clients that ask without a pause.
pub struct Site {
    control: Epr,
    proxies: Vec<Epr>,
    backends: Vec<HttpBackend>,
    loads: Vec<Load>,
    switches: u64,
}

/// What one switch was like.
#[derive(Debug, Clone, PartialEq)]
pub struct Switched {
    /// Which one, from 1 on.
    pub number: u64,
    /// The deployment that has the route now.
    pub to: &'static str,
    /// The commit, as EPOCH.NUMBER.
    pub revision: String,
    /// From the call to its answer, which waits for every proxy.
    pub took: Duration,
    /// The proxies that have applied it, with the time from the call to their acknowledgement.
    pub applied: Vec<(String, Duration)>,
    /// The proxies that had not when the call returned.
    pub lagging: Vec<String>,
    /// Requests answered by the deployment that lost the route, from the call until some time after the answer.
    pub by_old: u64,
    /// Requests answered by the one that got it.
    pub by_new: u64,
    /// Whether a request that came after the answer met the new deployment, at every proxy.
    pub obeyed: bool,
    /// Requests that failed meanwhile.
    pub failures: u64,
}

impl Site {
    /// Sets everything up, the route bound to the second deployment, the load running.
    pub async fn set_up(stage: &Stage, proxies: usize) -> Outcome<Self> {
        let control = Epr::start(stage, Start::control(stage)).await?;
        control.apply(stage, &static_route(ROUTE)).await?;
        let mut backends = Vec::new();
        for colour in COLOURS {
            let backend = HttpBackend::start(stage, colour).await?;
            let app = App::new(colour).endpoint("WEB", Speaks::Http, &[backend.addr()]);
            control.apply(stage, &app.manifest()).await?;
            backends.push(backend);
        }
        control.api().await?.bind(ROUTE, COLOURS[0], None).await?;
        let mut site = Self { control, proxies: Vec::new(), backends, loads: Vec::new(), switches: 0 };
        for number in 1..=proxies {
            let proxy = site.control.proxy(stage, &format!("proxy-{number}"))?;
            site.proxies.push(Epr::start(stage, proxy.flag("--log", "warn")).await?);
        }
        site.control.settled(proxies).await?;
        for proxy in &site.proxies {
            site.loads.push(load::start(proxy.http()?, HOST, "/", CLIENTS));
        }
        Ok(site)
    }

    /// Moves the route to the other deployment.
    pub async fn switch(&mut self, how: Move) -> Outcome<Switched> {
        self.switches += 1;
        let (old, new) = if self.switches.is_multiple_of(2) { (1, 0) } else { (0, 1) };
        let to = COLOURS.get(new).copied().unwrap_or_default();
        let api = self.control.api().await?;
        let (failed, before) = (self.failed(), self.served());
        let called = SystemTime::now();
        let receipt = match how {
            Move::Bind => api.bind(ROUTE, to, Some(WAIT)).await?,
            Move::Update => update(&api, to).await?,
        };
        let took = called.elapsed().unwrap_or_default();
        let obeyed = self.asked_anew(to).await?;
        self.answers(ANSWERS_BETWEEN).await?;
        let after = self.served();
        let of = |served: &[u64], which: usize| served.get(which).copied().unwrap_or_default();
        let revision = receipt.revision.unwrap_or_default();
        Ok(Switched {
            number: self.switches,
            to,
            revision: format!("{:x}.{}", revision.epoch, revision.number),
            took,
            applied: applied(&api, &receipt, called).await?,
            lagging: receipt.lagging.iter().map(|lagging| lagging.proxy.clone()).collect(),
            by_old: of(&after, old) - of(&before, old),
            by_new: of(&after, new) - of(&before, new),
            obeyed,
            failures: self.failed() - failed,
        })
    }

    /// Ends the load: requests answered, and everything that went wrong.
    pub async fn stop(self) -> Outcome<(u64, Vec<String>)> {
        let (mut answered, mut failures) = (0, Vec::new());
        for load in self.loads {
            let seen = load.stop().await?;
            answered += seen.answered;
            failures.extend(seen.failures);
        }
        Ok((answered, failures))
    }

    /// Whether a new connection to each proxy meets the deployment.
    async fn asked_anew(&self, to: &str) -> Outcome<bool> {
        for proxy in &self.proxies {
            let answer = KeepAlive::connect(proxy.http()?, HOST).await?.get("/").await?;
            if (answer.status, answer.by.as_str()) != (200, to) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn served(&self) -> Vec<u64> {
        self.backends.iter().map(HttpBackend::requests).collect()
    }

    fn failed(&self) -> u64 {
        self.loads.iter().map(Load::failed).sum()
    }

    /// Waits for so many more answers at each proxy; a load that has broken off has no more.
    async fn answers(&self, more: u64) -> Outcome {
        for load in &self.loads {
            let goal = load.answered() + more;
            let over = || load.answered() >= goal || load.failed() > 0;
            eventually("more answers", WAIT, async || Ok(over().then_some(()))).await?;
        }
        Ok(())
    }
}

/// Names the route in an update of the deployment, which takes it from the one that has it.
async fn update(api: &Api, to: &str) -> Outcome<Receipt> {
    let mut deployments = api.deployments();
    let name = GetDeploymentRequest { name: to.to_owned(), ..Default::default() };
    let Deployment { metadata, spec, .. } = deployments.get_deployment(name).await?.into_inner();
    let mut spec = spec.or_fault("a deployment without a spec")?;
    spec.static_routes =
        vec![StaticRouteBinding { static_route: ROUTE.to_owned(), endpoint: "WEB".to_owned() }];
    let request = UpdateDeploymentRequest {
        deployment: Some(Deployment { metadata, spec: Some(spec), status: None }),
        dry_run: false,
        wait: Some(WaitForProxies { timeout: WAIT.try_into().ok() }),
    };
    let updated = deployments.update_deployment(request).await?.into_inner();
    updated.receipt.or_fault("an update without a receipt")
}

/// When each proxy that has it acknowledged the revision, counted from the call.
async fn applied(api: &Api, receipt: &Receipt, called: SystemTime) -> Outcome<Vec<(String, Duration)>> {
    let told = api.fleet().list_proxies(ListProxiesRequest {}).await?.into_inner();
    let mut applied = Vec::new();
    for proxy in told.proxies.into_iter().filter(|proxy| receipt.applied_by.contains(&proxy.id)) {
        let since = proxy.applied_since.and_then(|since| SystemTime::try_from(since).ok());
        let since = since.or_fault("a proxy that has applied nothing")?;
        applied.push((proxy.id, since.duration_since(called).unwrap_or_default()));
    }
    Ok(applied)
}

impl Switched {
    /// Whether nothing went wrong in it.
    pub fn is_clean(&self) -> bool {
        self.failures == 0 && self.lagging.is_empty() && self.obeyed
    }

    /// The heading of the rows.
    pub fn heading() -> String {
        format!(
            "{:>4}  {:<6}{:<22}{:>9}  {:<34}{:>8}{:>8}{:>8}  {}",
            "#", "to", "revision", "took ms", "applied after ms", "by old", "by new", "failed", "obeyed"
        )
    }

    /// One row of a table.
    pub fn row(&self) -> String {
        let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
        let each = self.applied.iter().map(|(proxy, after)| format!("{proxy} {}", ms(*after)));
        let late = self.lagging.iter().map(|proxy| format!("{proxy} late"));
        let applied = each.chain(late).collect::<Vec<_>>().join(", ");
        let Self { number, to, revision, by_old, by_new, failures, obeyed, took, .. } = self;
        let took = ms(*took);
        let obeyed = if *obeyed { "yes" } else { "NO" };
        format!(
            "{number:>4}  {to:<6}{revision:<22}{took:>9}  {applied:<34}{by_old:>8}{by_new:>8}{failures:>8}  {obeyed}"
        )
    }

    /// One line of JSON; times in milliseconds.
    pub fn json(&self) -> Value {
        let ms = |time: Duration| (time.as_secs_f64() * 1e5).round() / 1e2;
        let applied: serde_json::Map<String, Value> =
            self.applied.iter().map(|(proxy, after)| (proxy.clone(), ms(*after).into())).collect();
        json!({
            "switch": self.number,
            "to": self.to,
            "revision": self.revision,
            "took_ms": ms(self.took),
            "applied_ms": applied,
            "lagging": self.lagging,
            "by_old": self.by_old,
            "by_new": self.by_new,
            "failures": self.failures,
            "obeyed": self.obeyed,
        })
    }
}
