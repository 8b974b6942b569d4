use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use proto::{Epoch, Revision};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::*;
use crate::domain::built_in_project;
use crate::domain::guid::tests::Counting;
use crate::drain::Drain;
use crate::store::{Embedded, EmbeddedConfig, Key, Page, StoreError, Versioned, Watch};
use crate::tasks::Tasks;

/// Leases over a real store, on a clock that moves only when the test moves it.
struct Stage {
    leases: Leases,
    store: Arc<Busy>,
    watch: Watch,
    drain: Drain,
    tasks: Tasks,
    dir: TempDir,
    /// Paused time runs on by itself while everyone waits, for the disk as well, unless a thread is busy.
    _still: oneshot::Sender<()>,
}

/// A store that can be made to take no commit in.
struct Busy {
    store: Embedded,
    takes_nothing: AtomicBool,
}

impl Store for Busy {
    fn revision(&self) -> Revision {
        self.store.revision()
    }

    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Versioned>, StoreError>> {
        self.store.get(key)
    }

    fn list<'a>(
        &'a self,
        prefix: &'a Prefix,
        after: Option<&'a Key>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Page, StoreError>> {
        self.store.list(prefix, after, limit)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision, CommitError>> {
        if self.takes_nothing.load(Ordering::Relaxed) {
            return std::future::pending().boxed();
        }
        self.store.commit(batch)
    }

    fn watch(&self, from: Revision) -> Watch {
        self.store.watch(from)
    }
}

impl Stage {
    async fn new() -> Self {
        Self::on(tempfile::tempdir().unwrap()).await
    }

    async fn on(dir: TempDir) -> Self {
        let (still, held) = oneshot::channel();
        tokio::task::spawn_blocking(|| held.blocking_recv());
        let config = EmbeddedConfig::at(dir.path().join("store"));
        let store = Embedded::open(&config, Epoch(7)).unwrap();
        let store = Arc::new(Busy { store, takes_nothing: AtomicBool::new(false) });
        let watch = store.watch(store.revision());
        let wall: WallClock = Arc::new(|| SystemTime::UNIX_EPOCH);
        let (limits, projects) = (LeaseLimits { open: 3, ..LeaseLimits::default() }, [built_in_project()]);
        let chance = Arc::new(Counting::default());
        let loaded =
            Leases::load(store.clone(), &projects, limits, wall, chance, LeaseMetrics::default()).await;
        let (leases, clock) = loaded.unwrap();
        let (drain, tasks) = (Drain::new(), Tasks::new());
        tasks.spawn("lease clock", clock.run(drain.signal()));
        Self { leases, store, watch, drain, tasks, dir, _still: still }
    }

    /// Stops everything, and starts again on the same store.
    async fn restart(self) -> Self {
        let Self { leases, store, drain, tasks, dir, watch, _still } = self;
        drain.start();
        tasks.finished().await;
        drop((leases, store, watch));
        Self::on(dir).await
    }

    async fn open(&mut self, ttl: u32) -> String {
        let lease = self.leases.open(&built_in_project(), "test", ttl).await.unwrap();
        assert_eq!(self.stored().await, Some((lease.id.clone(), false)));
        lease.id.as_str().to_owned()
    }

    async fn keep(&self, id: &str) -> Result<Lease, Error> {
        self.leases.keep_alive(&built_in_project(), id).await
    }

    /// What the next commit says of a lease; none when it removes one.
    async fn stored(&mut self) -> Option<(LeaseId, bool)> {
        let commit = self.watch.next().await.unwrap().unwrap();
        let value = commit.changes[0].value.clone()?;
        let lease: Lease = decode("lease", &value).unwrap();
        Some((lease.id, lease.lapsed))
    }

    fn nothing_stored(&mut self) -> bool {
        self.watch.next().now_or_never().is_none()
    }

    /// Returns once so many lapses have been written and nobody is at one.
    async fn until_lapses_are(&self, count: u64) {
        while self.leases.inner.metrics.lapses.get() < count {
            tokio::task::yield_now().await;
        }
        assert_eq!(self.leases.inner.metrics.lapses.get(), count);
    }

    /// Lets time pass, and everyone who waited for it act.
    async fn pass(&self, seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_lapses_when_it_is_not_kept_alive_and_revives_when_it_is() {
    let mut stage = Stage::new().await;
    let id = stage.open(10).await;
    stage.pass(9).await;
    assert!(!stage.keep(&id).await.unwrap().lapsed);
    stage.pass(9).await;
    assert!(stage.nothing_stored(), "keeping alive writes nothing");
    stage.pass(1).await;
    let parsed = LeaseId::parse(&id).unwrap();
    assert_eq!(stage.stored().await, Some((parsed.clone(), true)));
    stage.pass(100).await;
    assert!(stage.nothing_stored(), "it lapses once");

    assert!(!stage.keep(&id).await.unwrap().lapsed);
    assert_eq!(stage.stored().await, Some((parsed.clone(), false)));
    stage.pass(10).await;
    assert_eq!(stage.stored().await, Some((parsed, true)), "and again");
}

#[tokio::test(start_paused = true)]
async fn each_lease_runs_out_in_its_own_time() {
    let mut stage = Stage::new().await;
    let long = stage.open(60).await;
    let short = stage.open(5).await;
    stage.pass(5).await;
    assert_eq!(stage.stored().await.unwrap().0.as_str(), short);
    stage.pass(54).await;
    assert!(stage.nothing_stored());
    stage.pass(1).await;
    assert_eq!(stage.stored().await.unwrap().0.as_str(), long);
}

#[tokio::test(start_paused = true)]
async fn a_start_gives_full_time_to_those_that_live() {
    let mut stage = Stage::new().await;
    let lapsed = stage.open(5).await;
    let alive = stage.open(30).await;
    stage.pass(5).await;
    stage.stored().await;
    stage.pass(20).await;
    let mut stage = stage.restart().await;
    stage.pass(29).await;
    assert!(stage.nothing_stored(), "the time before the start does not count");
    stage.pass(1).await;
    assert_eq!(stage.stored().await.unwrap().0.as_str(), alive);
    stage.keep(&lapsed).await.unwrap();
    assert_eq!(stage.stored().await, Some((LeaseId::parse(&lapsed).unwrap(), false)));
}

#[tokio::test(start_paused = true)]
async fn a_closed_lease_is_gone() {
    let mut stage = Stage::new().await;
    let id = stage.open(10).await;
    stage.leases.close(&built_in_project(), &id).await.unwrap();
    assert_eq!(stage.stored().await, None);
    let gone = |result: Result<_, Error>| matches!(result, Err(Error::NotFound { kind: Kind::Lease, .. }));
    assert!(gone(stage.keep(&id).await.map(|_| ())));
    assert!(gone(stage.leases.close(&built_in_project(), &id).await));
    assert!(gone(stage.keep("no lease at all").await.map(|_| ())));
    stage.pass(3600).await;
    assert!(stage.nothing_stored());
    let other = ProjectId::parse("project-other").unwrap();
    let id = stage.open(10).await;
    assert!(gone(stage.leases.keep_alive(&other, &id).await.map(|_| ())));
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_lease_is_told_at_once() {
    let stage = Stage::new().await;
    let project = built_in_project();
    let Err(Error::Invalid(faults)) = stage.leases.open(&project, "", 4).await else { panic!("taken") };
    let fields: Vec<_> = faults.as_slice().iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["ttl_seconds", "runtime"]);
    for _ in 0..3 {
        assert_eq!(stage.leases.open(&project, "test", 0).await.unwrap().ttl_seconds, 30);
    }
    assert!(matches!(stage.leases.open(&project, "test", 0).await, Err(Error::Refused(_))));
}

#[tokio::test(start_paused = true)]
async fn what_ran_out_first_makes_room_when_there_is_none() {
    let mut stage = Stage::new().await;
    let (first, second) = (stage.open(5).await, stage.open(10).await);
    let kept = stage.open(30).await;
    stage.pass(5).await;
    assert_eq!(stage.stored().await.unwrap().0.as_str(), first);
    stage.pass(5).await;
    assert_eq!(stage.stored().await.unwrap().0.as_str(), second);
    stage.leases.open(&built_in_project(), "test", 0).await.unwrap();
    assert_eq!(stage.stored().await, None, "the first is removed");
    assert!(stage.stored().await.is_some(), "and the new one is stored");
    assert!(matches!(stage.keep(&first).await, Err(Error::NotFound { .. })));
    assert!(stage.keep(&second).await.is_ok() && stage.keep(&kept).await.is_ok());
    let refused = stage.leases.open(&built_in_project(), "test", 0).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "all three are alive");
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_next_revives_a_lease_when_the_one_who_was_at_it_has_gone() {
    let mut stage = Stage::new().await;
    let id = stage.open(10).await;
    stage.pass(10).await;
    let parsed = LeaseId::parse(&id).unwrap();
    assert_eq!(stage.stored().await, Some((parsed.clone(), true)));
    stage.until_lapses_are(1).await;
    stage.store.takes_nothing.store(true, Ordering::Relaxed);
    assert!(stage.keep(&id).now_or_never().is_none(), "the caller goes away while the store is busy");
    stage.store.takes_nothing.store(false, Ordering::Relaxed);
    assert!(!stage.keep(&id).await.unwrap().lapsed);
    let revived = stage.stored().now_or_never();
    assert_eq!(revived, Some(Some((parsed, false))), "it lives in the store, too");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_of_leases_that_are_closed() {
    let mut stage = Stage::new().await;
    for _ in 0..8 {
        let id = stage.open(3_600).await;
        stage.leases.close(&built_in_project(), &id).await.unwrap();
        assert_eq!(stage.stored().await, None);
    }
    assert_eq!(stage.leases.inner.held().next_look(), None);
}
