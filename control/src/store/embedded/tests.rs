//! What becomes of the store when its file fails under it. What every store must do is in the
//! conformance suite.

use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::StreamExt as _;
use proto::Epoch;
use redb::backends::FileBackend;
use redb::{BackendError, Builder, StorageBackend};

use super::super::{Batch, Expect, Key, Prefix, Store as _};
use super::{Embedded, EmbeddedConfig, OpenError, file};

/// How many more changes of the file succeed before the disk is full; negative once it is.
#[derive(Debug)]
struct Disk(AtomicI64);

impl Disk {
    fn take(&self) -> io::Result<()> {
        if self.0.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Ok(());
        }
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    fn give(&self, changes: i64) {
        self.0.store(changes, Ordering::SeqCst);
    }
}

/// A real file on a disk that fills up when the test says so.
#[derive(Debug)]
struct OnDisk(FileBackend, Arc<Disk>);

impl StorageBackend for OnDisk {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.1.take()?;
        self.0.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.1.take()?;
        self.0.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.1.take()?;
        self.0.write(offset, data)
    }
    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }
    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }
}

fn open_on(path: &Path, disk: &Arc<Disk>) -> Embedded {
    try_open_on(path, disk).unwrap()
}

fn try_open_on(path: &Path, disk: &Arc<Disk>) -> Result<Embedded, OpenError> {
    let config = EmbeddedConfig::at(path);
    let (path, disk) = (path.to_owned(), disk.clone());
    let opener = Box::new(move |create| {
        let mut options = std::fs::OpenOptions::new();
        let file = options.read(true).write(true).create(create).truncate(false).open(&path).unwrap();
        let backend = OnDisk(FileBackend::new(file).unwrap(), disk.clone());
        let full = |error: redb::DatabaseError| OpenError::Thread(error.to_string());
        Builder::new().set_cache_size(1 << 20).create_with_backend(backend).map_err(full)
    });
    Embedded::start(opener, &config, Epoch(1))
}

fn put(name: &str) -> Batch {
    Batch::new().put(Key::of(["k", name]), Expect::Absent, vec![7; 3000])
}

/// The disk fills up at every possible moment of a commit in turn. Whatever the moment: the one who
/// commits is told, nothing acknowledged is lost, what others watch is what is in the store, and once
/// there is room again the store goes on without a restart.
#[tokio::test]
async fn a_full_disk_loses_nothing_and_is_survived() {
    let mut failures = 0;
    for room in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.redb");
        let disk = Arc::new(Disk(AtomicI64::new(i64::MAX)));
        let store = open_on(&path, &disk);
        let start = store.revision();
        store.commit(put("before")).await.unwrap();

        disk.give(room);
        let during = store.commit(put("during")).await;
        disk.give(i64::MAX);
        store.commit(put("after")).await.unwrap();

        let page = store.list(&Prefix::of(["k"]), None, 10).await.unwrap();
        let mut names: Vec<_> = page.entries.iter().map(|entry| entry.key.clone()).collect();
        let landed = names.contains(&Key::of(["k", "during"]));
        assert!(landed || during.is_err());
        if let Err(error) = &during {
            let words = error.to_string();
            assert!(words.contains("make room"), "{words}");
            let (done_not, perhaps) =
                (words.contains("nothing was changed"), words.contains("may have been"));
            assert!(done_not != perhaps && !(done_not && landed), "{words}; landed: {landed}");
        }
        let mut seen = store.watch(start);
        let mut watched = Vec::new();
        for number in 1..=store.revision().number {
            let commit = seen.next().await.unwrap().unwrap();
            assert_eq!(commit.revision.number, number);
            watched.extend(commit.changes.iter().map(|change| change.key.clone()));
        }
        watched.sort();
        names.sort();
        assert_eq!(watched, names);

        drop(store);
        let again = open_on(&path, &disk);
        assert_eq!(again.list(&Prefix::of(["k"]), None, 10).await.unwrap().entries, page.entries);
        if during.is_ok() {
            break;
        }
        failures += 1;
    }
    assert!(failures >= 2, "a commit must write and sync");
}

/// Whoever is told that a store is damaged may throw it away: a full disk must not be taken for that.
#[test]
fn a_first_start_on_a_full_disk_is_no_damage() {
    let mut refused = 0;
    for room in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.redb");
        let disk = Arc::new(Disk(AtomicI64::new(room)));
        match try_open_on(&path, &disk) {
            Ok(store) => {
                disk.give(i64::MAX);
                drop(store);
                break;
            }
            Err(OpenError::Unreachable { path: told, reason }) => {
                assert!(told == path && reason.contains("space"), "{reason}");
                refused += 1;
            }
            // What the opener of this test makes of a refusal while the file is being laid out.
            Err(OpenError::Thread(_)) => {}
            Err(other) => panic!("{other}"),
        }
        disk.give(i64::MAX);
        drop(try_open_on(&path, &disk));
    }
    assert!(refused >= 1, "the first commit must meet the full disk too");
}

#[test]
fn a_newer_format_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let config = EmbeddedConfig::at(dir.path().join("store.redb"));
    drop(Embedded::open(&config, Epoch(1)).unwrap());
    let database = file::opener(&config).unwrap()(true).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(file::META).unwrap().insert("format", 99).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(Embedded::open(&config, Epoch(1)), Err(OpenError::Format { found: 99 })));
}

#[tokio::test]
async fn a_damaged_page_is_an_error_and_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    let config = EmbeddedConfig::at(dir.path().join("store.redb"));
    let store = Embedded::open(&config, Epoch(1)).unwrap();
    for n in 0..40 {
        let batch = (0..50).fold(Batch::new(), |batch, m| {
            batch.put(Key::of(["project", &format!("{n}-{m}")]), Expect::Any, vec![b'x'; 200])
        });
        store.commit(batch).await.unwrap();
    }
    drop(store);
    let whole = std::fs::read(&config.path).unwrap();
    let mut told = 0;
    // Page by page, behind the header that says where everything is.
    for page in (1..whole.len() / 4096).step_by(7) {
        let mut damaged = whole.clone();
        damaged[page * 4096..(page + 1) * 4096].fill(124);
        std::fs::write(&config.path, damaged).unwrap();
        let Ok(store) = Embedded::open(&config, Epoch(2)) else {
            told += 1;
            continue;
        };
        let listed = store.list(&Prefix::of(["project"]), None, 10_000).await;
        let written = store.commit(Batch::new().put(Key::of(["project", "20-7"]), Expect::Any, "y")).await;
        told += i32::from(listed.is_err() || written.is_err());
    }
    assert!(told > 0, "no damaged page was met");
}
