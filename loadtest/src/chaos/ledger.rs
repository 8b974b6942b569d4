use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Faults that are told one by one; of more there is only a count.
const TOLD: usize = 50;

/// What everybody saw, and what was wrong.
#[derive(Default)]
pub(super) struct Ledger {
    numbers: AtomicU64,
    moves: AtomicU64,
    seen: Mutex<BTreeMap<String, u64>>,
    wrong: Mutex<Vec<String>>,
    posted: Mutex<HashMap<u64, u32>>,
}

impl Ledger {
    /// A number no other request has.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// `who` saw `what` once more.
    pub(super) fn saw(&self, who: &str, what: impl Display) {
        *held(&self.seen).entry(format!("{who}: {what}")).or_default() += 1;
    }

    /// Something that must not be.
    pub(super) fn wrong(&self, what: impl Display) {
        let mut wrong = held(&self.wrong);
        if wrong.len() < TOLD {
            wrong.push(what.to_string());
        }
        drop(wrong);
        self.saw("WRONG", "in all");
    }

    /// So many routes more were moved.
    pub(super) fn moved(&self, routes: usize) {
        self.moves.fetch_add(routes as u64, Ordering::Relaxed);
    }

    /// Routes moved so far.
    pub(super) fn moves(&self) -> u64 {
        self.moves.load(Ordering::Relaxed)
    }

    /// A backend has got a request that must not come twice.
    pub(super) fn posted(&self, number: u64) {
        let times = {
            let mut posted = held(&self.posted);
            let times = posted.entry(number).or_default();
            *times += 1;
            *times
        };
        if times > 1 {
            self.wrong(format_args!("POST {number} came {times} times"));
        }
    }

    /// Everything seen, with how often.
    pub(super) fn seen(&self) -> Vec<(String, u64)> {
        held(&self.seen).iter().map(|(what, count)| (what.clone(), *count)).collect()
    }

    /// Everything that was wrong.
    pub(super) fn all_wrong(&self) -> Vec<String> {
        held(&self.wrong).clone()
    }
}

/// What it holds is sound whoever panicked beside it.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
