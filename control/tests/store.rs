//! The embedded store: what every store must do, and what only it does.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

#[path = "store/suite.rs"]
mod suite;

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use control::config::StoreLimits;
use control::store::{
    Batch, Embedded, EmbeddedConfig, Expect, Key, Lagged, OpenError, Prefix, Store, Version,
};
use futures_util::StreamExt as _;
use proto::{Epoch, Revision};
use tempfile::TempDir;

fn open(dir: &TempDir) -> Embedded {
    Embedded::open(&EmbeddedConfig::at(dir.path().join("data/store.redb")), Epoch(7)).unwrap()
}

struct InTempDir;

impl suite::Factory for InTempDir {
    type Home = TempDir;

    fn fresh(&self) -> (TempDir, Arc<dyn Store>) {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(open(&dir));
        (dir, store)
    }
}

suite::every_store!(InTempDir);

fn numbered(i: u64) -> Batch {
    Batch::new().put(Key::of(["n", &format!("{i:08}")]), Expect::Absent, i.to_string())
}

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    for i in 0..10 {
        store.commit(numbered(i)).await.unwrap();
    }
    let before = store.list(&Prefix::of([]), None, 100).await.unwrap();
    drop(store);

    let other_life = EmbeddedConfig::at(dir.path().join("data/store.redb"));
    let store = Embedded::open(&other_life, Epoch(8)).unwrap();
    assert_eq!(store.revision(), Revision::new(Epoch(7), 10), "it stands where it stood");
    assert_eq!(store.list(&Prefix::of([]), None, 100).await.unwrap().entries, before.entries);
    let mut watch = store.watch(store.revision());
    let next = store.commit(numbered(10)).await.unwrap();
    assert_eq!(next, Revision::new(Epoch(8), 11), "what is committed from now on is of another epoch");
    assert_eq!(store.list(&Prefix::of([]), None, 100).await.unwrap().revision, next);
    assert_eq!(watch.next().await.unwrap().unwrap().revision, next, "the watch leads from one to the other");
    let first = store.watch(Revision::new(Epoch(7), 3)).next().await.unwrap();
    assert_eq!(first, Err(Lagged), "commits of an earlier run are not remembered");
}

/// Someone keeps a copy, the store goes on, and the copy is put back and goes on as well.
#[tokio::test]
async fn no_revision_means_two_things_when_a_copy_is_put_back() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("store.redb"), dir.path().join("copy.redb"));
    let config = EmbeddedConfig::at(&path);
    let go_on = async |epoch| {
        let store = Embedded::open(&config, Epoch(epoch)).unwrap();
        let from = store.revision();
        (from, store.commit(numbered(epoch)).await.unwrap())
    };
    go_on(1).await;
    std::fs::copy(&path, &copy).unwrap();
    let (from, original) = go_on(2).await;
    std::fs::copy(&copy, &path).unwrap();
    let (from_copy, other) = go_on(3).await;
    assert_eq!((from, original.number), (from_copy, other.number));
    assert!(original != other && !other.includes(original) && !original.includes(other));
}

#[test]
fn a_second_instance_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(&dir);
    let config = EmbeddedConfig::at(dir.path().join("data/store.redb"));
    let Err(error) = Embedded::open(&config, Epoch(7)) else { panic!("two stores on one file") };
    assert!(matches!(error, OpenError::Locked(_)), "{error}");
    assert!(error.to_string().contains("another epr runs on this data directory"), "{error}");
    drop(first);
    assert!(Embedded::open(&config, Epoch(7)).is_ok());
}

#[test]
fn the_file_is_for_its_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let _store = open(&dir);
    let mode = |path: &str| std::fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("data"), mode("data/store.redb")), (0o700, 0o600));
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.redb");
    let text = "not a database, but something someone may want to keep\n".repeat(200);
    std::fs::write(&path, &text).unwrap();
    let result = Embedded::open(&EmbeddedConfig::at(&path), Epoch(7));
    assert!(matches!(result, Err(OpenError::Unreadable { .. })), "{:?}", result.err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_directory_that_is_a_file_is_one_clear_line() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let result = Embedded::open(&EmbeddedConfig::at(dir.path().join("file/store.redb")), Epoch(7));
    let Err(error) = result else { panic!("opened below a file") };
    assert!(error.to_string().contains("check the directory's owner, permissions"), "{error}");
}

#[tokio::test]
async fn a_watch_that_falls_too_far_behind_is_told_and_load_starts_over() {
    let dir = tempfile::tempdir().unwrap();
    let limits = StoreLimits { history_commits: 4, ..StoreLimits::default() };
    let config = EmbeddedConfig { path: dir.path().join("s"), limits };
    let store = Embedded::open(&config, Epoch(7)).unwrap();
    let start = store.revision();
    let mut slow = store.watch(start);
    for i in 0..5 {
        store.commit(numbered(i)).await.unwrap();
    }
    assert_eq!(slow.next().await, Some(Err(Lagged)));
    assert!(slow.next().await.is_none(), "it is over after that");
    let (at, entries, mut watch) = suite::load_map(&store, &Prefix::of(["n"])).await;
    assert_eq!((at.number, entries.len()), (5, 5));
    store.commit(numbered(5)).await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().revision.number, 6);
    drop(store);
    assert!(watch.next().await.is_none(), "it ends with the store");
}

const CHILD_DIR: &str = "EPR_TEST_STORE_DIR";

/// Not a test by itself: the process that is killed below. Writes for ever, and says what was
/// acknowledged.
#[tokio::test]
#[ignore = "run as a child by a_killed_process_loses_nothing_it_acknowledged"]
async fn writes_until_killed() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let config = EmbeddedConfig::at(std::path::Path::new(&dir).join("store.redb"));
    let store = Embedded::open(&config, Epoch(7)).unwrap();
    for i in store.revision().number.. {
        let revision = store.commit(numbered(i)).await.unwrap();
        println!("acknowledged {} {i}", revision.number);
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=5_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["writes_until_killed", "--exact", "--ignored", "--nocapture"])
            .env(CHILD_DIR, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut acknowledged = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            // The harness prints its own words into the first line.
            let line = line.unwrap();
            let Some((_, rest)) = line.split_once("acknowledged ") else { continue };
            let (version, i) = rest.split_once(' ').unwrap();
            acknowledged.push((version.parse::<u64>().unwrap(), i.parse::<u64>().unwrap()));
            if acknowledged.len() as u64 == 7 * round {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        let store = Embedded::open(&EmbeddedConfig::at(dir.path().join("store.redb")), Epoch(7)).unwrap();
        assert!(acknowledged.len() as u64 >= 7 * round);
        for (version, i) in acknowledged {
            let found = store.get(&Key::of(["n", &format!("{i:08}")])).await.unwrap().unwrap();
            assert_eq!((found.version, found.value), (Version(version), i.to_string().into()));
        }
    }
}
