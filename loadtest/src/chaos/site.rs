use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::time::Instant;

use super::backends::{BREAKS, Frames, Sound, Tunnel, WILD, Wild};
use super::history::History;
use super::ledger::Ledger;
use crate::manifest::{App, Speaks};
use crate::{Api, Epr, Outcome, Stage, Start};

/// Deployments of a group, and static routes that go round among them.
const GROUP: usize = 5;
/// Static routes that one update moves.
const CHURNED: usize = 32;

/// For how long the proxy waits for those who stand still: not so long that nobody sees it.
const PATIENCE: [&str; 4] =
    ["--first-byte-timeout", "--body-idle-timeout", "--stall-timeout", "--tunnel-idle-timeout"];

/// A static route and who has had it.
pub(super) struct Name {
    pub(super) route: String,
    pub(super) host: String,
    pub(super) history: History,
}

/// Static routes that move among deployments that speak alike.
#[derive(Clone)]
pub(super) struct Group {
    pub(super) speaks: Speaks,
    pub(super) deployments: Arc<[String]>,
    pub(super) names: Arc<[Name]>,
}

/// A name behind which somebody misbehaves.
#[derive(Clone)]
pub(super) struct Victim {
    pub(super) host: String,
    pub(super) speaks: Speaks,
    /// How.
    pub(super) what: String,
    /// Whether there is a whole answer in what they say.
    pub(super) whole: bool,
}

/// What runs.
pub(super) struct Site {
    pub(super) proxy: Epr,
    pub(super) groups: Vec<Group>,
    /// Whose static routes are moved all at once.
    pub(super) churns: Vec<Group>,
    /// Over whose static routes tunnels go.
    pub(super) tunnels: Vec<Group>,
    victims: Vec<Victim>,
    control: Epr,
    _sound: Vec<Sound>,
    _wild: Vec<Wild>,
    _frames: Vec<Frames>,
    _echoes: Vec<Tunnel>,
}

/// Where the edge is.
#[derive(Clone)]
pub(super) struct Edge {
    pub(super) http: SocketAddr,
    pub(super) https: SocketAddr,
    pub(super) ca: PathBuf,
}

impl Site {
    /// Everything but the clients.
    pub(super) async fn set_up(stage: &Stage, ledger: &Arc<Ledger>) -> Outcome<Self> {
        let control = Epr::start(stage, Start::control(stage)).await?;
        let (mut manifest, mut sound, mut wild) = (String::new(), Vec::new(), Vec::new());
        let (mut groups, mut echoes, mut frames) = (Vec::new(), Vec::new(), Vec::new());
        let mut victims: Vec<Victim> = Vec::new();
        for (kind, speaks, names) in [
            ("plain", Speaks::Http, GROUP),
            ("safe", Speaks::Https, GROUP),
            ("frames", Speaks::HttpsH2c, GROUP),
            ("churn", Speaks::Http, CHURNED),
            ("whirl", Speaks::Http, CHURNED),
            ("talk", Speaks::Http, GROUP),
            ("tcp", Speaks::SecureTcp, GROUP),
        ] {
            let group = Group::new(kind, speaks, names);
            for deployment in group.deployments.iter() {
                if matches!(kind, "talk" | "tcp") {
                    let backend = Tunnel::start(stage, deployment, speaks).await?;
                    manifest += &format!("---\n{}", app(deployment, speaks, backend.addr()).manifest());
                    echoes.push(backend);
                    continue;
                }
                let backend = Sound::start(stage, deployment, speaks, ledger.clone()).await?;
                manifest += &format!("---\n{}", app(deployment, speaks, backend.addr()).manifest());
                sound.push(backend);
            }
            groups.push(group);
        }
        let mut add = |what: String, speaks, whole, addr| {
            let name = format!("wild-{}", victims.len());
            manifest += &format!("---\n{}", app(&name, speaks, addr).bound(&name).manifest_with_routes());
            victims.push(Victim { host: format!("{name}.ep-r.io"), speaks, what, whole });
        };
        for (character, all) in WILD {
            for speaks in all {
                let backend = Wild::start(stage, character, ledger.clone()).await?;
                add(format!("{character:?}"), *speaks, character.answers(), backend.addr());
                wild.push(backend);
            }
        }
        for how in BREAKS {
            let backend = Frames::start(stage, how).await?;
            add(format!("{how:?}"), Speaks::HttpsH2c, false, backend.addr());
            frames.push(backend);
        }
        control.apply(stage, manifest.trim_start_matches("---\n")).await?;
        let api = control.api().await?;
        for group in &groups {
            group.begin(&api).await?;
        }
        let proxy = control.proxy(stage, "proxy")?;
        let proxy = PATIENCE.iter().fold(proxy, |proxy, flag| proxy.flag(flag, "10s"));
        let proxy = Epr::start(stage, proxy.flag("--log", "warn")).await?;
        control.settled(1).await?;
        let tunnels = groups.split_off(5);
        let churns = groups.split_off(3);
        Ok(Self {
            proxy,
            groups,
            churns,
            tunnels,
            victims,
            control,
            _sound: sound,
            _wild: wild,
            _frames: frames,
            _echoes: echoes,
        })
    }

    pub(super) async fn api(&self) -> Outcome<Api> {
        self.control.api().await
    }

    pub(super) fn edge(&self) -> Outcome<Edge> {
        Ok(Edge { http: self.proxy.http()?, https: self.proxy.https()?, ca: self.proxy.ca() })
    }

    /// Whom wild clients ask: those behind whom wild backends are, and the others.
    pub(super) fn names(&self) -> Arc<[String]> {
        let groups = self.groups.iter().chain(&self.churns);
        let sound = groups.flat_map(|group| group.names.iter().take(GROUP)).map(|name| name.host.clone());
        self.victims.iter().map(|victim| victim.host.clone()).chain(sound).collect()
    }

    /// Those behind whom somebody misbehaves over HTTP.
    pub(super) fn victims(&self) -> impl Iterator<Item = Victim> {
        self.victims.iter().filter(|victim| victim.speaks != Speaks::SecureTcp).cloned()
    }

    /// Looks at the process itself.
    pub(super) async fn judge(&mut self, ledger: &Ledger, began: Instant) -> Outcome {
        let metrics = self.proxy.admin_page("/metrics").await?;
        for line in metrics.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            if name.starts_with("epr_refusals_total") && value != "0" {
                ledger.saw("the proxy", format_args!("{name} {value}"));
            }
            if name == "epr_panics_total" && value != "0" {
                ledger.wrong(line);
            }
        }
        if let Some(status) = self.proxy.process().ended()? {
            ledger.wrong(format_args!("the proxy ended after {:?}: {status}", began.elapsed()));
        }
        if self.proxy.process().err().contains("panicked") {
            ledger.wrong("the proxy panicked");
        }
        Ok(())
    }
}

fn app(name: &str, speaks: Speaks, backend: SocketAddr) -> App {
    App::new(name).endpoint("WEB", speaks, &[backend])
}

impl Group {
    fn new(kind: &str, speaks: Speaks, names: usize) -> Self {
        let deployments = (0..if names == GROUP { GROUP } else { 2 }).map(|at| format!("{kind}-{at}"));
        let names = (0..names).map(|at| {
            let route = format!("{kind}-name-{at}");
            Name { host: format!("{route}.ep-r.io"), route, history: History::default() }
        });
        Self { speaks, deployments: deployments.collect(), names: names.collect() }
    }

    /// Claims its static routes and binds them to the first deployment.
    async fn begin(&self, api: &Api) -> Outcome {
        for Name { route, history, .. } in self.names.iter() {
            let Some(first) = self.deployments.first() else { continue };
            api.create_static_route(route).await?;
            history.moves(first);
            api.bind(route, first, None).await?;
            history.has_moved();
        }
        Ok(())
    }
}
