use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use proto::{Epoch, Hostname, wire};
use tempfile::TempDir;

use super::*;
use crate::config::{Limits, PublicPorts, StoreLimits};
use crate::domain::record::encode;
use crate::domain::rules::Rules;
use crate::domain::sealing::Keyring;
use crate::domain::{BackendNetworks, Deployment, Reserved, built_in_project, samples};
use crate::drain::Drain;
use crate::service::{SystemChance, keys};
use crate::store::{Batch, Embedded, EmbeddedConfig, Expect};

/// Watches over a real store, with the package that the deployments of the samples are of.
struct Stage {
    store: Arc<dyn Store>,
    watches: Watches,
    metrics: WatchMetrics,
    tasks: Tasks,
    drain: Drain,
    _dir: TempDir,
}

/// Limits under which nothing happens only because time has passed.
fn patient() -> WatchLimits {
    let hour = Duration::from_secs(3600);
    WatchLimits { heartbeat: hour, stalled: hour, longest: hour * 24, ..WatchLimits::default() }
}

impl Stage {
    async fn with(limits: WatchLimits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = EmbeddedConfig { path: dir.path().join("store"), limits: StoreLimits::default() };
        let store: Arc<dyn Store> = Arc::new(Embedded::open(&config, Epoch(7)).unwrap());
        let rules = Rules {
            domains: vec![Hostname::parse("ep-r.io").unwrap()],
            ports: PublicPorts::default(),
            reserved: Reserved::default(),
            organization_suffix: false,
            networks: BackendNetworks::private(),
            backends_per_endpoint: 8,
        };
        let chance = Arc::new(SystemChance);
        let keyring = Keyring::parse(&Keyring::draw(&SystemChance).unwrap()).unwrap();
        let keyring = Arc::new(keyring);
        let clock = crate::clock::system();
        let service = Service::new(store.clone(), Arc::new(rules), Limits::default(), clock, chance, keyring);
        let (tasks, drain, metrics) = (Tasks::new(), Drain::new(), WatchMetrics::default());
        let signal = drain.signal();
        let watches =
            Watches::new(store.clone(), service.clone(), limits, metrics.clone(), tasks.clone(), signal);
        let (draft, faults) = crate::convert::package::draft(hello());
        service.create_package(&built_in_project(), &draft, faults, false).await.unwrap();
        Self { store, watches, metrics, tasks, drain, _dir: dir }
    }

    fn watch(&self) -> Watch {
        self.watches.watch(Scope::Project(built_in_project())).unwrap()
    }

    /// Stores the `n`th deployment, changed so often.
    async fn put(&self, n: u8, generation: u64) {
        let mut record = samples::web_deployment(n, "10.0.0.1:80");
        record.generation = generation;
        self.put_record(&record).await;
    }

    async fn put_record(&self, record: &Deployment) {
        let key = keys::deployment(&record.project, &record.guid);
        let batch = Batch::new().put(key, Expect::Any, encode("deployment", record).unwrap());
        self.store.commit(batch).await.unwrap();
    }
}

/// The package `hello 1.0` with its one endpoint, WEB.
fn hello() -> wire::Package {
    let docker = wire::DockerImage { image: "nginx:1.27".into(), ..Default::default() };
    let executable = wire::Executable {
        name: "app".into(),
        kind: Some(wire::executable::Kind::Docker(docker)),
        ..Default::default()
    };
    let kind = wire::EndpointType::ExternalHttp.into();
    let endpoint = wire::Endpoint { name: "WEB".into(), r#type: kind, ..Default::default() };
    let component = wire::Component {
        name: "main_part".into(),
        executables: vec![executable],
        endpoints: vec![endpoint],
        ..Default::default()
    };
    let plans = vec![wire::Plan { components: vec![component], ..Default::default() }];
    let metadata = wire::Metadata { name: "hello".into(), ..Default::default() };
    wire::Package { metadata: Some(metadata), version: "1.0".into(), plans, ..Default::default() }
}

/// A message in short: `deployment 1 @2`, `-deployment 1`, `synced`, `heartbeat`, or why it is over.
async fn hear(watch: &mut Watch) -> String {
    match watch.next().await {
        Some(Ok(Told::Run(run))) => {
            format!("{} @{}", run.viewed.deployment.name, run.viewed.deployment.generation)
        }
        Some(Ok(Told::Stop(stop))) => format!("-{}", stop.name),
        Some(Ok(Told::Synced)) => "synced".into(),
        Some(Ok(Told::Heartbeat)) => "heartbeat".into(),
        Some(Err(cut)) => cut.to_string(),
        None => "over".into(),
    }
}

#[tokio::test]
async fn all_that_is_there_is_told_then_what_changes() {
    let stage = Stage::with(WatchLimits { portion: 2, ..patient() }).await;
    for n in 1..=5 {
        stage.put(n, 1).await;
    }
    let mut watch = stage.watch();
    for n in 1..=5 {
        assert_eq!(hear(&mut watch).await, format!("deployment {n} @1"));
    }
    assert_eq!(hear(&mut watch).await, "synced");
    stage.put(2, 2).await;
    assert_eq!(hear(&mut watch).await, "deployment 2 @2");
    let mut stopped = samples::web_deployment(4, "10.0.0.1:80");
    stopped.stop(stopped.created_at);
    stage.put_record(&stopped).await;
    assert_eq!(hear(&mut watch).await, "-deployment 4");

    let mut later = stage.watch();
    for told in ["deployment 1 @1", "deployment 2 @2", "deployment 3 @1", "deployment 5 @1", "synced"] {
        assert_eq!(hear(&mut later).await, told);
    }
}

#[tokio::test]
async fn what_a_runtime_reports_is_not_told_back() {
    let stage = Stage::with(patient()).await;
    stage.put(1, 1).await;
    let mut watch = stage.watch();
    assert_eq!(hear(&mut watch).await, "deployment 1 @1");
    assert_eq!(hear(&mut watch).await, "synced");
    let mut reported = samples::web_deployment(1, "10.0.0.9:80");
    reported.phase = crate::domain::deployment::Phase::Provisioning;
    reported.message = "pulls".into();
    stage.put_record(&reported).await;
    stage.put(2, 1).await;
    assert_eq!(hear(&mut watch).await, "deployment 2 @1", "the report came before it");
}

#[tokio::test]
async fn of_changes_that_wait_the_outcome_is_told() {
    let stage = Stage::with(WatchLimits { queue: 1, ..patient() }).await;
    stage.put(1, 1).await;
    let mut watch = stage.watch();
    assert_eq!(hear(&mut watch).await, "deployment 1 @1");
    for generation in 2..=50 {
        stage.put(1, generation).await;
    }
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "deployment 1 @50") {
        told.push(hear(&mut watch).await);
    }
    assert_eq!(told.iter().filter(|told| *told == "synced").count(), 1);
    assert!(told.len() < 50, "{told:?}");
}

#[tokio::test]
async fn a_watch_that_is_not_read_is_cut_off() {
    let stage = Stage::with(WatchLimits { queue: 1, pending: 3, ..patient() }).await;
    let mut watch = stage.watch();
    assert_eq!(hear(&mut watch).await, "synced");
    for n in 1..=9 {
        stage.put(n, 1).await;
    }
    // The watch is over before anybody reads on.
    stage.tasks.finished().await;
    let mut told = Vec::new();
    while told.last().is_none_or(|last: &String| last.starts_with("deployment")) {
        told.push(hear(&mut watch).await);
    }
    assert_eq!(told.last().unwrap(), &Cut::Slow.to_string(), "{told:?}");
    assert_eq!(hear(&mut watch).await, "over");
    assert_eq!((stage.metrics.cut.get(), stage.metrics.open.get()), (1, 0));
}

#[tokio::test]
async fn a_watch_that_reads_nothing_for_long_is_cut_off() {
    let stage = Stage::with(WatchLimits { queue: 1, stalled: Duration::from_millis(1), ..patient() }).await;
    for n in 1..=3 {
        stage.put(n, 1).await;
    }
    let mut watch = stage.watch();
    stage.tasks.finished().await;
    assert_eq!(hear(&mut watch).await, "deployment 1 @1");
    assert_eq!(hear(&mut watch).await, Cut::Slow.to_string());
}

#[tokio::test]
async fn a_silent_watch_shows_that_it_is_alive() {
    let stage = Stage::with(WatchLimits { heartbeat: Duration::from_millis(1), ..patient() }).await;
    let mut watch = stage.watch();
    assert_eq!(hear(&mut watch).await, "synced");
    assert_eq!(hear(&mut watch).await, "heartbeat");
    assert_eq!(hear(&mut watch).await, "heartbeat");
}

#[tokio::test]
async fn a_watch_does_not_last_for_ever() {
    let stage = Stage::with(WatchLimits { longest: Duration::from_millis(1), ..patient() }).await;
    let mut watch = stage.watch();
    stage.tasks.finished().await;
    while hear(&mut watch).await != Cut::Old.to_string() {}
}

#[tokio::test(start_paused = true)]
async fn a_watch_with_much_to_tell_does_not_last_longer() {
    let longest = Duration::from_secs(60);
    let stage = Stage::with(WatchLimits { longest, ..patient() }).await;
    for n in 1..=9 {
        stage.put(n, 1).await;
    }
    let mut watch = stage.watch();
    tokio::time::advance(longest).await;
    assert_eq!(hear(&mut watch).await, Cut::Old.to_string());
}

#[tokio::test]
async fn what_cannot_be_read_any_more_runs_on() {
    let stage = Stage::with(patient()).await;
    stage.put(1, 1).await;
    let mut watch = stage.watch();
    assert_eq!(hear(&mut watch).await, "deployment 1 @1");
    assert_eq!(hear(&mut watch).await, "synced");
    let record = samples::web_deployment(1, "10.0.0.1:80");
    let key = keys::deployment(&record.project, &record.guid);
    stage.store.commit(Batch::new().put(key, Expect::Any, "of another epr")).await.unwrap();
    stage.put(2, 1).await;
    assert_eq!(hear(&mut watch).await, "deployment 2 @1", "the first is not to stop");
    stage.put(1, 2).await;
    assert_eq!(hear(&mut watch).await, "deployment 1 @2");
}

#[tokio::test]
async fn watches_end_with_control_and_with_their_runtime() {
    let stage = Stage::with(WatchLimits { watches: 2, ..patient() }).await;
    let (mut stays, leaves) = (stage.watch(), stage.watch());
    assert_eq!(hear(&mut stays).await, "synced");
    let Err(full) = stage.watches.watch(Scope::Project(built_in_project())) else {
        panic!("a third one");
    };
    assert_eq!(full, Full(2));
    drop(leaves);
    while stage.tasks.running() > 1 {
        tokio::task::yield_now().await;
    }
    let mut another = stage.watch();
    assert_eq!(hear(&mut another).await, "synced");
    stage.drain.start();
    assert_eq!(hear(&mut stays).await, Cut::Stopping.to_string());
    assert_eq!(hear(&mut another).await, Cut::Stopping.to_string());
    stage.tasks.finished().await;
}
