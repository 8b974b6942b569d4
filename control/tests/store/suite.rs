//! What every store must do, whatever it stands on: run it with `every_store!(factory)`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use control::store::{
    Batch, CommitError, Expect, Key, Lagged, MAX_BATCH_BYTES, MAX_OPERATIONS, Prefix, Store, Version, Watch,
    load,
};
use futures_util::future::join_all;
use futures_util::{FutureExt as _, StreamExt as _};
use proto::{Epoch, Revision};

#[path = "history.rs"]
mod history;

pub(crate) use history::any_history_agrees_with_a_model;

/// Makes empty stores. What is returned beside the store is kept until the store is done with.
pub(crate) trait Factory {
    type Home;
    fn fresh(&self) -> (Self::Home, Arc<dyn Store>);
}

macro_rules! every_store {
    ($factory:expr) => {
        suite::every_store!($factory; what_is_put_is_got, listings_go_in_order_of_keys_and_pages,
            a_prefix_takes_whole_parts, preconditions_hold_or_nothing_is_done, versions_are_never_reused,
            too_much_is_refused_before_anything_is_done, checks_alone_take_no_revision,
            a_watch_tells_every_commit_once_in_order, a_watch_of_another_epoch_has_lagged,
            of_racing_claims_one_wins, no_update_is_lost, a_listing_never_shows_half_a_commit,
            reads_go_on_while_others_write, what_is_acknowledged_is_in_the_revision,
            loading_under_writes_is_one_revision);

        #[test]
        fn any_history_agrees_with_a_model() {
            suite::any_history_agrees_with_a_model(&$factory);
        }
    };
    ($factory:expr; $($case:ident),*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let (_home, store) = suite::Factory::fresh(&$factory);
            suite::$case(store).await;
        })*
    };
}
pub(crate) use every_store;

fn key(name: &str) -> Key {
    Key::of(["k", name])
}

fn put(name: &str, expect: Expect, value: &str) -> Batch {
    Batch::new().put(key(name), expect, value.to_owned())
}

async fn value(store: &dyn Store, name: &str) -> Option<(Bytes, u64)> {
    store.get(&key(name)).await.unwrap().map(|found| (found.value, found.version.0))
}

pub(crate) async fn what_is_put_is_got(store: Arc<dyn Store>) {
    assert_eq!(value(&*store, "a").await, None);
    let first = store.commit(put("a", Expect::Any, "1")).await.unwrap();
    assert_eq!(first.epoch, store.revision().epoch);
    assert_eq!(value(&*store, "a").await, Some(("1".into(), first.number)));
    let second = store.commit(put("a", Expect::Any, "")).await.unwrap();
    assert!(second > first && store.revision() == second);
    assert_eq!(value(&*store, "a").await, Some((Bytes::new(), second.number)));
    store.commit(Batch::new().delete(key("a"), Expect::Any)).await.unwrap();
    assert_eq!(value(&*store, "a").await, None);
}

pub(crate) async fn listings_go_in_order_of_keys_and_pages(store: Arc<dyn Store>) {
    for name in ["d", "b", "a/x", "c", "e"] {
        store.commit(put(name, Expect::Absent, name)).await.unwrap();
    }
    let all = store.list(&Prefix::of(["k"]), None, 10).await.unwrap();
    let names = |page: &control::store::Page| -> Vec<_> {
        page.entries.iter().map(|entry| String::from_utf8(entry.value.to_vec()).unwrap()).collect()
    };
    assert_eq!(names(&all), ["a/x", "b", "c", "d", "e"]);
    assert!(!all.more && all.revision == store.revision());
    let page = store.list(&Prefix::of(["k"]), Some(&key("b")), 2).await.unwrap();
    assert_eq!((names(&page), page.more), (vec!["c".into(), "d".into()], true));
    let last = store.list(&Prefix::of(["k"]), Some(&key("d")), 1).await.unwrap();
    assert_eq!((names(&last), last.more), (vec!["e".into()], false));
    let between = store.list(&Prefix::of(["k"]), Some(&key("bb")), 1).await.unwrap();
    assert_eq!(names(&between), ["c"], "it need not be a key that is there");
    let beyond = store.list(&Prefix::of(["k"]), Some(&Key::of(["z"])), 10).await.unwrap();
    assert!(beyond.entries.is_empty() && !beyond.more);
    let before = store.list(&Prefix::of(["k"]), Some(&Key::of(["a"])), 10).await.unwrap();
    assert_eq!(before.entries, all.entries);
}

pub(crate) async fn a_prefix_takes_whole_parts(store: Arc<dyn Store>) {
    for parts in [["p", "1"], ["p1", "1"], ["p/", "1"], ["o", "1"], ["q", "1"]] {
        store.commit(Batch::new().put(Key::of(parts), Expect::Absent, "x")).await.unwrap();
    }
    store.commit(Batch::new().put(Key::of(["p"]), Expect::Absent, "x")).await.unwrap();
    let page = store.list(&Prefix::of(["p"]), None, 10).await.unwrap();
    let keys: Vec<_> = page.entries.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, [Key::of(["p", "1"])]);
    assert_eq!(store.list(&Prefix::of([]), None, 10).await.unwrap().entries.len(), 6);
}

pub(crate) async fn preconditions_hold_or_nothing_is_done(store: Arc<dyn Store>) {
    let at = Version(store.commit(put("a", Expect::Absent, "1")).await.unwrap().number);
    for (broken, expected, found) in [
        (put("a", Expect::Absent, "2"), Expect::Absent, Some(at)),
        (put("a", Expect::At(Version(at.0 + 1)), "2"), Expect::At(Version(at.0 + 1)), Some(at)),
        (Batch::new().delete(key("b"), Expect::At(at)), Expect::At(at), None),
        (Batch::new().check(key("b"), Expect::At(at)), Expect::At(at), None),
    ] {
        // The sound halves around the broken one must not be done either.
        let mut batch = Batch::new().put(key("x"), Expect::Absent, "x");
        for operation in broken.operations() {
            batch = batch.with(operation.clone());
        }
        let broken_key = broken.operations()[0].key.clone();
        let before = store.revision();
        match store.commit(batch.put(key("y"), Expect::Absent, "y")).await {
            Err(CommitError::Conflict { key, expected: e, found: f }) => {
                assert_eq!((key, e, f), (broken_key, expected, found));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!((value(&*store, "x").await, value(&*store, "y").await), (None, None));
        assert_eq!(store.revision(), before);
    }
    let sound =
        put("a", Expect::At(at), "2").check(key("b"), Expect::Absent).delete(key("c"), Expect::Absent);
    let revision = store.commit(sound).await.unwrap();
    assert_eq!(value(&*store, "a").await, Some(("2".into(), revision.number)));
}

pub(crate) async fn versions_are_never_reused(store: Arc<dyn Store>) {
    let first = store.commit(put("a", Expect::Absent, "1")).await.unwrap();
    let old = Expect::At(Version(first.number));
    store.commit(Batch::new().delete(key("a"), old)).await.unwrap();
    store.commit(put("a", Expect::Absent, "1")).await.unwrap();
    assert!(matches!(store.commit(put("a", old, "2")).await, Err(CommitError::Conflict { .. })));
}

pub(crate) async fn too_much_is_refused_before_anything_is_done(store: Arc<dyn Store>) {
    let many = |count: usize| {
        (0..count).fold(Batch::new(), |batch, i| batch.put(key(&i.to_string()), Expect::Absent, "x"))
    };
    let error = store.commit(many(MAX_OPERATIONS + 1)).await.unwrap_err();
    assert!(matches!(error, CommitError::TooLarge { limit: MAX_OPERATIONS, .. }), "{error}");
    let big = Batch::new().put(key("big"), Expect::Absent, vec![0; MAX_BATCH_BYTES]);
    let error = store.commit(big).await.unwrap_err();
    assert!(matches!(error, CommitError::TooLarge { limit: MAX_BATCH_BYTES, .. }), "{error}");
    let twice = put("a", Expect::Any, "1").delete(key("a"), Expect::Any);
    assert!(matches!(store.commit(twice).await, Err(CommitError::Repeated(k)) if k == key("a")));
    assert!(store.list(&Prefix::of([]), None, 1).await.unwrap().entries.is_empty());

    store.commit(many(MAX_OPERATIONS)).await.unwrap();
    let nearly = Batch::new().put(key("big"), Expect::Absent, vec![0; MAX_BATCH_BYTES - 100]);
    store.commit(nearly).await.unwrap();
}

pub(crate) async fn checks_alone_take_no_revision(store: Arc<dyn Store>) {
    store.commit(put("a", Expect::Absent, "1")).await.unwrap();
    let before = store.revision();
    let judged = store.commit(Batch::new().check(key("b"), Expect::Absent)).await.unwrap();
    assert_eq!((judged, store.revision()), (before, before));
    let broken = store.commit(Batch::new().check(key("a"), Expect::Absent)).await;
    assert!(matches!(broken, Err(CommitError::Conflict { .. })));
    assert_eq!(store.commit(Batch::new()).await.unwrap(), before);
}

pub(crate) async fn a_watch_tells_every_commit_once_in_order(store: Arc<dyn Store>) {
    let start = store.revision();
    let mut early = store.watch(start);
    assert!(early.next().now_or_never().is_none(), "there is nothing to tell yet");
    let first = store.commit(put("a", Expect::Any, "1").put(key("b"), Expect::Any, "2")).await.unwrap();
    let second = store.commit(Batch::new().delete(key("a"), Expect::Any)).await.unwrap();
    let third = store.commit(put("c", Expect::Any, "3").check(key("b"), Expect::Any)).await.unwrap();
    let late = store.watch(start);
    let from_second = store.watch(first);
    for (mut watch, expected) in [
        (early, vec![first, second, third]),
        (late, vec![first, second, third]),
        (from_second, vec![second, third]),
    ] {
        for revision in expected {
            let commit = watch.next().await.unwrap().unwrap();
            assert_eq!(commit.revision, revision);
            let changes: Vec<_> =
                commit.changes.iter().map(|change| (change.key.clone(), change.value.clone())).collect();
            let one = |value: &'static str| Some(Bytes::from(value));
            assert_eq!(
                changes,
                match revision {
                    r if r == first => vec![(key("a"), one("1")), (key("b"), one("2"))],
                    r if r == second => vec![(key("a"), None)],
                    _ => vec![(key("c"), one("3"))],
                }
            );
        }
        assert!(watch.next().now_or_never().is_none(), "nothing is told twice");
    }
}

pub(crate) async fn a_watch_of_another_epoch_has_lagged(store: Arc<dyn Store>) {
    let Epoch(epoch) = store.revision().epoch;
    let mut watch = store.watch(Revision::new(Epoch(epoch.wrapping_add(1)), 0));
    assert_eq!(watch.next().await, Some(Err(Lagged)));
    assert!(watch.next().await.is_none());
}

pub(crate) async fn of_racing_claims_one_wins(store: Arc<dyn Store>) {
    let claims = (0..50).map(|i| {
        let store = store.clone();
        async move { store.commit(put("name", Expect::Absent, &i.to_string())).await.is_ok().then_some(i) }
    });
    let winners: Vec<i32> = join_all(claims).await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    let (held, _) = value(&*store, "name").await.unwrap();
    assert_eq!(held, winners[0].to_string());
}

pub(crate) async fn no_update_is_lost(store: Arc<dyn Store>) {
    store.commit(put("sum", Expect::Absent, "0")).await.unwrap();
    let adders = (0..8).map(|_| {
        let store = store.clone();
        async move {
            let mut added = 0;
            while added < 5 {
                let (sum, version) = value(&*store, "sum").await.unwrap();
                let next = std::str::from_utf8(&sum).unwrap().parse::<u32>().unwrap() + 1;
                let batch = put("sum", Expect::At(Version(version)), &next.to_string());
                added += u32::from(store.commit(batch).await.is_ok());
            }
        }
    });
    join_all(adders).await;
    assert_eq!(value(&*store, "sum").await.unwrap().0, "40");
}

pub(crate) async fn a_listing_never_shows_half_a_commit(store: Arc<dyn Store>) {
    let pair =
        |i: u32| put("left", Expect::Any, &i.to_string()).put(key("right"), Expect::Any, i.to_string());
    store.commit(pair(0)).await.unwrap();
    let writing = async {
        for i in 1..60 {
            store.commit(pair(i)).await.unwrap();
        }
    };
    let reading = async {
        while store.revision().number < 60 {
            let page = store.list(&Prefix::of(["k"]), None, 10).await.unwrap();
            assert_eq!(page.entries[0].value, page.entries[1].value);
            assert_eq!(page.entries[0].version.0, page.revision.number);
        }
    };
    tokio::join!(writing, reading);
}

/// From several threads, for a reader must never hold what a writer takes for free.
pub(crate) async fn reads_go_on_while_others_write(store: Arc<dyn Store>) {
    store.commit(put("a", Expect::Absent, "0")).await.unwrap();
    let reads = || {
        let store = store.clone();
        move || {
            let (mut last, runtime) = (0, tokio::runtime::Builder::new_current_thread().build().unwrap());
            while last < 150 {
                let (_, version) = runtime.block_on(value(&*store, "a")).unwrap();
                assert!(version >= last, "a reader never sees an older state than before");
                last = version;
            }
        }
    };
    let readers = [std::thread::spawn(reads()), std::thread::spawn(reads()), std::thread::spawn(reads())];
    for i in 1..150 {
        store.commit(put("a", Expect::Any, &i.to_string())).await.unwrap();
    }
    for reader in readers {
        reader.join().unwrap();
    }
}

/// Readers may be ahead of the revision; who has been answered never is.
pub(crate) async fn what_is_acknowledged_is_in_the_revision(store: Arc<dyn Store>) {
    let writers = (0..16).map(async |i| {
        for _ in 0..8 {
            let made = store.commit(put(&i.to_string(), Expect::Any, "x")).await.unwrap();
            assert!(store.revision().includes(made));
            let mut watch = store.watch(Revision::new(made.epoch, made.number - 1));
            // The first commit follows on another epoch.
            if made.number > 1 {
                assert_eq!(watch.next().now_or_never().unwrap().unwrap().unwrap().revision, made);
            }
        }
    });
    join_all(writers).await;
}

/// Everything under `prefix`, as [`load`] tells it.
pub(crate) async fn load_map(store: &dyn Store, prefix: &Prefix) -> (Revision, BTreeMap<Key, Bytes>, Watch) {
    let take = |map: &mut BTreeMap<Key, Bytes>, key: &Key, value: Option<&Bytes>| {
        match value {
            Some(value) => map.insert(key.clone(), value.clone()),
            None => map.remove(key),
        };
    };
    load(store, prefix, BTreeMap::new, take).await.unwrap()
}

pub(crate) async fn loading_under_writes_is_one_revision(store: Arc<dyn Store>) {
    // Two keys far enough apart to be read in different pages always change together.
    for i in 0..22 {
        let many = (0..100)
            .fold(Batch::new(), |batch, j| batch.put(key(&format!("m{i:02}{j:02}")), Expect::Absent, "x"));
        store.commit(many).await.unwrap();
    }
    let pair = |i: u32| put("a", Expect::Any, &i.to_string()).put(key("z"), Expect::Any, i.to_string());
    store.commit(pair(0)).await.unwrap();
    let writing = async {
        for i in 1..60 {
            store.commit(pair(i)).await.unwrap();
        }
    };
    let loading = async {
        for _ in 0..5 {
            let (at, entries, mut watch) = load_map(&*store, &Prefix::of(["k"])).await;
            assert_eq!(entries[&key("a")], entries[&key("z")]);
            assert_eq!(entries.len(), 2202);
            if store.revision() > at {
                let next = watch.next().await.unwrap().unwrap();
                assert_eq!(next.revision.number, at.number + 1);
            }
        }
    };
    tokio::join!(writing, loading);
}
