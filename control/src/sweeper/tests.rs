use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use proto::Epoch;

use super::*;
use crate::config::AddressLimits;
use crate::domain::RandomLabel;
use crate::domain::guid::tests::Counting;
use crate::domain::record::encode;
use crate::store::{Embedded, EmbeddedConfig};

const DAY: u64 = 24 * 60 * 60;

struct Stage {
    store: Arc<dyn Store>,
    sweeper: Sweeper,
    days: Arc<AtomicU64>,
    chance: Counting,
    _dir: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = EmbeddedConfig::at(dir.path().join("store"));
        let store: Arc<dyn Store> = Arc::new(Embedded::open(&config, Epoch(7)).unwrap());
        let days = Arc::new(AtomicU64::new(0));
        let today = days.clone();
        let clock: WallClock = Arc::new(move || {
            SystemTime::UNIX_EPOCH + Duration::from_secs(today.load(Ordering::Relaxed) * DAY)
        });
        let limits = SweepLimits { portion: 2, ..SweepLimits::default() };
        let addresses = Addresses::new(store.clone(), AddressLimits::default());
        let sweeper = Sweeper::new(store.clone(), addresses, limits, clock);
        Self { store, sweeper, days, chance: Counting::default(), _dir: dir }
    }

    /// Gives up `count` labels, and tells which.
    async fn release(&self, count: usize) -> Vec<RandomLabel> {
        let labels: Vec<_> = (0..count).map(|_| RandomLabel::draw(&self.chance).unwrap()).collect();
        let at = Timestamp::from((self.sweeper.clock)());
        let claim = encode("claim", &Claim::Released { at }).unwrap();
        let released = encode("released", &Released { at, labels: labels.clone() }).unwrap();
        for labels in labels.chunks(MAX_OPERATIONS) {
            let put = |batch: Batch, label: &RandomLabel| {
                batch.put(keys::claim(&label.as_label()), Expect::Absent, claim.clone())
            };
            self.store.commit(labels.iter().fold(Batch::new(), put)).await.unwrap();
        }
        let record = Batch::new().put(keys::released(at, &labels[0]), Expect::Absent, released);
        self.store.commit(record).await.unwrap();
        labels
    }

    async fn stand(&self, labels: &[RandomLabel]) -> usize {
        let mut standing = 0;
        for label in labels {
            let found = self.store.get(&keys::claim(&label.as_label())).await.unwrap();
            standing += usize::from(found.is_some());
        }
        standing
    }

    async fn round_on_day(&self, day: u64) {
        self.days.store(day, Ordering::Relaxed);
        self.sweeper.round().await;
    }
}

#[tokio::test]
async fn tombstones_stand_for_their_time_and_then_go() {
    let stage = Stage::new();
    let mut first = Vec::new();
    for _ in 0..5 {
        first.extend(stage.release(3).await);
    }
    stage.days.store(10, Ordering::Relaxed);
    let second = stage.release(1).await;
    stage.round_on_day(29).await;
    assert_eq!((stage.stand(&first).await, stage.stand(&second).await), (15, 1));
    stage.round_on_day(30).await;
    assert_eq!((stage.stand(&first).await, stage.stand(&second).await), (0, 1));
    stage.round_on_day(40).await;
    assert_eq!(stage.stand(&second).await, 0);
    let left = stage.store.list(&keys::all_released(), None, 10).await.unwrap().entries;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn more_labels_than_one_commit_carries_go_too() {
    let stage = Stage::new();
    let labels = stage.release(2 * MAX_OPERATIONS + 1).await;
    stage.round_on_day(31).await;
    assert_eq!(stage.stand(&labels).await, 0);
}

#[tokio::test]
async fn a_label_that_has_an_owner_again_stays() {
    let stage = Stage::new();
    let labels = stage.release(2).await;
    let owner = crate::domain::samples::web_deployment(1, "10.0.0.1:1").guid;
    let claim = encode("claim", &Claim::RandomRoute { deployment: owner }).unwrap();
    let put = Batch::new().put(keys::claim(&labels[0].as_label()), Expect::Any, claim);
    stage.store.commit(put).await.unwrap();
    stage.round_on_day(31).await;
    assert_eq!((stage.stand(&labels[..1]).await, stage.stand(&labels[1..]).await), (1, 0));
}

#[tokio::test]
async fn what_cannot_be_read_keeps_nothing_else_from_going() {
    let stage = Stage::new();
    for _ in 0..3 {
        let unreadable = stage.release(1).await;
        let key = keys::released(Timestamp::from((stage.sweeper.clock)()), &unreadable[0]);
        stage.store.commit(Batch::new().put(key, Expect::Any, "of another epr")).await.unwrap();
    }
    stage.days.store(1, Ordering::Relaxed);
    let labels = stage.release(2).await;
    stage.round_on_day(31).await;
    assert_eq!(stage.stand(&labels).await, 0);
}
