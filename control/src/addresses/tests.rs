use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use proptest::prelude::*;
use proto::Epoch;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::*;
use crate::domain::deployment::{Phase, Reported, StoredBackend};
use crate::domain::record::encode;
use crate::domain::{Deployment, LeaseId, built_in_project, samples};
use crate::drain::Drain;
use crate::service::keys;
use crate::store::{Embedded, EmbeddedConfig};
use crate::tasks::Tasks;

const ADDRESS: &str = "10.0.0.7:8080";

/// Addresses over a real store, on a clock that moves only when the test moves it.
struct Stage {
    addresses: Addresses,
    store: Arc<dyn Store>,
    drain: Drain,
    tasks: Tasks,
    _dir: TempDir,
    /// Paused time runs on by itself while everyone waits, for the disk as well, unless a thread is busy.
    _still: oneshot::Sender<()>,
}

fn other_project() -> ProjectId {
    ProjectId::parse("project-bbbbbbbbbbbbbbbbbbbb").unwrap()
}

fn address() -> BackendAddr {
    ADDRESS.parse().unwrap()
}

impl Stage {
    async fn new() -> Self {
        let (still, held) = oneshot::channel();
        tokio::task::spawn_blocking(|| held.blocking_recv());
        let dir = tempfile::tempdir().unwrap();
        let config = EmbeddedConfig::at(dir.path().join("store"));
        let store: Arc<dyn Store> = Arc::new(Embedded::open(&config, Epoch(7)).unwrap());
        let addresses = Addresses::new(store.clone(), AddressLimits::default());
        let (drain, tasks) = (Drain::new(), Tasks::new());
        tasks.spawn("addresses", addresses.clone().run(drain.signal()));
        let stage = Self { addresses, store, drain, tasks, _dir: dir, _still: still };
        for project in [built_in_project(), other_project()] {
            stage.put(keys::project(&project), &project.as_str()).await;
        }
        stage
    }

    async fn put<T: serde::Serialize>(&self, key: Key, record: &T) {
        let batch = Batch::new().put(key, Expect::Any, encode("record", record).unwrap());
        self.store.commit(batch).await.unwrap();
    }

    async fn deploy(&self, deployment: &Deployment) {
        let owner = AddressOwner { project: deployment.project.clone(), contested: false };
        let batch = Batch::new()
            .put(
                keys::deployment(&deployment.project, &deployment.guid),
                Expect::Any,
                encode("deployment", deployment).unwrap(),
            )
            .put(keys::backend_address(address()), Expect::Any, encode("owner", &owner).unwrap());
        self.store.commit(batch).await.unwrap();
    }

    async fn standing(&self, project: ProjectId) -> Standing {
        self.addresses.standing(&project, address()).await.unwrap()
    }

    async fn has_owner(&self) -> bool {
        self.store.get(&keys::backend_address(address())).await.unwrap().is_some()
    }

    async fn end(self) {
        self.drain.start();
        self.tasks.finished().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_goes_to_another_project_after_its_quarantine() {
    let stage = Stage::new().await;
    let mut deployment = samples::web_deployment(1, ADDRESS);
    stage.deploy(&deployment).await;
    assert_eq!(stage.standing(built_in_project()).await, Standing::Free, "to those whose it is");
    assert_eq!(stage.standing(other_project()).await, Standing::InUse);
    assert!(!stage.addresses.take_back(address()).await.unwrap(), "it is in use");
    deployment.stop(SystemTime::UNIX_EPOCH.into());
    stage.put(keys::deployment(&deployment.project, &deployment.guid), &deployment).await;
    let Standing::Quarantined(rest) = stage.standing(other_project()).await else {
        panic!("not quarantined")
    };
    assert_eq!(rest, Duration::from_secs(600));
    assert_eq!(stage.standing(built_in_project()).await, Standing::Free);
    assert!(!stage.addresses.take_back(address()).await.unwrap(), "it is quarantined");
    assert_eq!(stage.addresses.sweep(10).await.unwrap(), 0);
    tokio::time::advance(Duration::from_secs(600)).await;
    assert_eq!(stage.standing(other_project()).await, Standing::Free);
    assert!(stage.has_owner().await);
    assert_eq!(stage.addresses.sweep(10).await.unwrap(), 1);
    assert!(!stage.has_owner().await);
    assert_eq!(stage.addresses.sweep(10).await.unwrap(), 0, "nothing is swept twice");
    stage.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_reported_is_in_use_until_its_lease_is_closed() {
    let stage = Stage::new().await;
    let lease = samples::lease(1);
    let mut deployment = samples::web_deployment(1, "10.0.0.1:1");
    deployment.endpoints[0].reported = Some(Reported {
        lease: lease.id.clone(),
        backends: vec![StoredBackend { address: address(), healthy: true }],
    });
    stage.put(keys::lease(&lease.project, &lease.id), &lease).await;
    stage.deploy(&deployment).await;
    let lapsed = crate::domain::Lease { lapsed: true, ..lease.clone() };
    stage.put(keys::lease(&lease.project, &lease.id), &lapsed).await;
    assert_eq!(stage.standing(other_project()).await, Standing::InUse, "it may revive");
    let close = Batch::new().delete(keys::lease(&lease.project, &lease.id), Expect::Any);
    stage.store.commit(close).await.unwrap();
    assert!(matches!(stage.standing(other_project()).await, Standing::Quarantined(_)));
    stage.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_owner_who_begins_to_use_it_again_keeps_it() {
    let stage = Stage::new().await;
    let owner = AddressOwner { project: built_in_project(), contested: false };
    stage.put(keys::backend_address(address()), &owner).await;
    assert!(matches!(stage.standing(other_project()).await, Standing::Quarantined(_)), "since the start");
    tokio::time::advance(Duration::from_secs(601)).await;
    let mut watch = stage.store.watch(stage.store.revision());
    let take = stage.addresses.take_back(address());
    let deployment = samples::web_deployment(1, ADDRESS);
    let used = async {
        // The mark is there: a deployment that comes now takes it away again.
        watch.next().await.unwrap().unwrap();
        stage.deploy(&deployment).await;
    };
    let (taken, ()) = tokio::join!(take, used);
    let in_use = stage.standing(other_project()).await == Standing::InUse;
    assert!(in_use, "the deployment has it whatever came of the other");
    // Whether the one who takes it saw the deployment or met its commit, the address has one owner.
    assert!(!taken.unwrap() || stage.has_owner().await);
    stage.end().await;
}

#[derive(Debug, Clone)]
enum Event {
    Deployment { n: u8, in_other: bool, fixed: Vec<u8>, reported: Option<(u8, Vec<u8>)>, stopped: bool },
    Gone(u8, bool),
    Lease(u8, bool),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let addresses = || proptest::collection::vec(0..4_u8, 0..3);
    let event = prop_oneof![
        4 => (0..3_u8, any::<bool>(), addresses(), proptest::option::of((0..2_u8, addresses())), any::<bool>())
            .prop_map(|(n, in_other, fixed, reported, stopped)| Event::Deployment {
                n, in_other, fixed, reported, stopped,
            }),
        1 => (0..3_u8, any::<bool>()).prop_map(|(n, in_other)| Event::Gone(n, in_other)),
        2 => (0..2_u8, any::<bool>()).prop_map(|(n, open)| Event::Lease(n, open)),
    ];
    proptest::collection::vec(event, 0..40)
}

fn stored(addresses: &[u8]) -> Vec<StoredBackend> {
    let once: BTreeSet<_> = addresses.iter().collect();
    let backend = |n: &u8| StoredBackend { address: nth(*n), healthy: true };
    once.into_iter().map(backend).collect()
}

fn nth(n: u8) -> BackendAddr {
    format!("10.0.0.{}:80", n + 1).parse().unwrap()
}

proptest! {
    /// Against counting anew from all records after each event.
    #[test]
    fn what_is_known_follows_the_records(events in events()) {
        let (mut known, now) = (Known::default(), Instant::now().into_std());
        let now = Instant::from_std(now);
        let (mut records, mut open) = (BTreeMap::new(), BTreeSet::<LeaseId>::new());
        for event in events {
            match event {
                Event::Deployment { n, in_other, fixed, reported, stopped } => {
                    let mut record = samples::web_deployment(n + 3 * u8::from(in_other), ADDRESS);
                    if in_other {
                        record.project = other_project();
                    }
                    record.endpoints[0].fixed = stored(&fixed);
                    record.endpoints[0].reported = reported.map(|(lease, addresses)| {
                        Reported { lease: samples::lease(lease).id, backends: stored(&addresses) }
                    });
                    if stopped {
                        record.phase = Phase::Stopped;
                    }
                    let key = keys::deployment(&record.project, &record.guid);
                    known.apply(&key, Some(&encode("deployment", &record).unwrap()), now);
                    records.insert(record.guid.clone(), record);
                }
                Event::Gone(n, in_other) => {
                    let record = samples::web_deployment(n + 3 * u8::from(in_other), ADDRESS);
                    let project = if in_other { other_project() } else { built_in_project() };
                    known.apply(&keys::deployment(&project, &record.guid), None, now);
                    records.remove(&record.guid);
                }
                Event::Lease(n, is_open) => {
                    let lease = samples::lease(n);
                    let bytes = encode("lease", &lease).unwrap();
                    let key = keys::lease(&lease.project, &lease.id);
                    known.apply(&key, is_open.then_some(bytes.as_slice()), now);
                    if is_open { open.insert(lease.id) } else { open.remove(&lease.id) };
                }
            }
            for address in (0..4).map(nth) {
                for (project, other) in
                    [(built_in_project(), other_project()), (other_project(), built_in_project())]
                {
                    let uses = |record: &&Deployment| {
                        let endpoint = &record.endpoints[0];
                        let reported = endpoint.reported.iter().filter(|said| open.contains(&said.lease));
                        let all = endpoint.fixed.iter().chain(reported.flat_map(|said| &said.backends));
                        record.is_live() && all.into_iter().any(|backend| backend.address == address)
                    };
                    let used = records.values().filter(|record| record.project == other).any(|r| uses(&r));
                    let standing = known.standing(&project, address, Duration::from_secs(1), now);
                    prop_assert_eq!(standing == Standing::InUse, used, "{} for {}", address, project);
                }
            }
        }
    }
}
