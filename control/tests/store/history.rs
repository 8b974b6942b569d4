//! Any history of batches, against a model.

use std::collections::BTreeMap;

use bytes::Bytes;
use control::store::{Batch, Expect, Key, Prefix, Version};
use futures_util::StreamExt as _;
use proptest::prelude::*;

use super::{Factory, key};

#[derive(Debug, Clone)]
enum Step {
    Put(u8, Precondition, u8),
    Delete(u8, Precondition),
    Check(u8, Precondition),
}

#[derive(Debug, Clone, Copy)]
enum Precondition {
    Absent,
    Current,
    Stale,
    Any,
}

fn step() -> impl Strategy<Value = Step> {
    use Precondition::{Absent, Any, Current, Stale};
    let precondition = || prop::sample::select(vec![Absent, Current, Stale, Any, Any, Any]);
    prop_oneof![
        (0..5_u8, precondition(), any::<u8>()).prop_map(|(k, p, v)| Step::Put(k, p, v)),
        (0..5_u8, precondition()).prop_map(|(k, p)| Step::Delete(k, p)),
        (0..5_u8, precondition()).prop_map(|(k, p)| Step::Check(k, p)),
    ]
}

/// The model: what stands under each key, and which revision wrote it.
type Model = BTreeMap<Key, (Bytes, u64)>;

/// The batch of `steps` (the first step on a key counts), and what it makes of the model.
fn foretell(steps: &[Step], model: &Model, number: u64) -> (Batch, Option<Model>) {
    let (mut batch, mut next, mut sound) = (Batch::new(), model.clone(), true);
    for step in steps {
        let (Step::Put(k, p, _) | Step::Delete(k, p) | Step::Check(k, p)) = step;
        let key = key(&k.to_string());
        if batch.operations().iter().any(|operation| operation.key == key) {
            continue;
        }
        let current = model.get(&key).map(|(_, version)| Version(*version));
        let expect = match (p, current) {
            (Precondition::Absent, _) | (Precondition::Current, None) => Expect::Absent,
            (Precondition::Current, Some(version)) => Expect::At(version),
            (Precondition::Stale, _) => Expect::At(Version(u64::MAX)),
            (Precondition::Any, _) => Expect::Any,
        };
        sound &= match expect {
            Expect::Absent => current.is_none(),
            Expect::At(version) => current == Some(version),
            Expect::Any => true,
        };
        batch = match step {
            Step::Put(_, _, v) => {
                next.insert(key.clone(), (v.to_string().into(), number));
                batch.put(key, expect, v.to_string())
            }
            Step::Delete(..) => {
                next.remove(&key);
                batch.delete(key, expect)
            }
            Step::Check(..) => batch.check(key, expect),
        };
    }
    (batch, sound.then_some(next))
}

pub(crate) fn any_history_agrees_with_a_model(factory: &impl Factory) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let history = prop::collection::vec(prop::collection::vec(step(), 0..5), 0..20);
    proptest!(ProptestConfig::with_cases(16), |(history in history)| {
        let (_home, store) = factory.fresh();
        runtime.block_on(async {
            let start = store.revision();
            let mut model = Model::new();
            for steps in &history {
                let (batch, foretold) = foretell(steps, &model, store.revision().number + 1);
                let verdict = store.commit(batch).await;
                assert_eq!(verdict.is_ok(), foretold.is_some(), "{verdict:?}");
                model = foretold.unwrap_or(model);
                let page = store.list(&Prefix::of([]), None, 100).await.unwrap();
                let found: Model =
                    page.entries.into_iter().map(|entry| (entry.key, (entry.value, entry.version.0))).collect();
                assert_eq!(found, model);
            }
            // Those who watched from the start have come to the same.
            let (mut watched, mut watch) = (Model::new(), store.watch(start));
            let mut at = start;
            while at < store.revision() {
                let commit = watch.next().await.unwrap().unwrap();
                at = commit.revision;
                for change in commit.changes.iter() {
                    match &change.value {
                        Some(value) => watched.insert(change.key.clone(), (value.clone(), at.number)),
                        None => watched.remove(&change.key),
                    };
                }
            }
            assert_eq!(watched, model);
        });
    });
}
