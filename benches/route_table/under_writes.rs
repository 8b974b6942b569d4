use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use benches::clock::wall;
use benches::{Histogram, Random, hosts};
use proto::Route;
use proxy::routes::Routes;

use crate::contenders::{Keyed, touch};
use crate::lookups::{Asked, Questions};
use crate::updates::moved;

/// Updates a second.
const RATE: u64 = 10_000;
/// Moved routes made beforehand; the writer begins anew when it has used them all.
const MADE: usize = 20_000;

/// What one reader saw.
pub(crate) struct Seen {
    /// Who was read.
    pub(crate) name: &'static str,
    /// Nanoseconds of each lookup, the clock's own included.
    pub(crate) lookups: Histogram,
    /// Updates a second that were really applied.
    pub(crate) rate: f64,
}

/// Reads any names of a table of `size` for `seconds` while nobody writes, and while another thread
/// moves ten thousand routes a second, each as a revision of its own.
pub(crate) fn measure(size: usize, seconds: u64, keyed: Keyed, routes: &Arc<Routes>) -> Vec<Seen> {
    let questions = Questions::new(Asked::Uniform, size, 1 << 16);
    let made = moved(&mut Random::new(3), size, MADE, 0);
    let keyed = RwLock::new(keyed);
    let mut seen = Vec::new();
    for written in [false, true] {
        let rate = if written { RATE } else { 0 };
        let mut put = |route: &Route| {
            keyed.write().unwrap_or_else(PoisonError::into_inner).put(Arc::new(route.clone()));
        };
        let look = |name: &str| {
            let keyed = keyed.read().unwrap_or_else(PoisonError::into_inner);
            keyed.get(name).map_or(0, |route| touch(route))
        };
        seen.push(contend(
            "hashbrown table in an RwLock",
            (rate, seconds),
            (&made, &questions),
            &mut put,
            look,
        ));
        let mut reader = routes.reader();
        let mut base = routes.revision().map_or(0, |revision| revision.number);
        let mut apply = |route: &Route| {
            let applied = routes.apply(hosts::delta(base, vec![route.clone()]));
            assert!(applied.is_ok(), "{applied:?}");
            base += 1;
        };
        let look = |name: &str| reader.table().get(name).map_or(0, |entry| touch(&entry.route));
        seen.push(contend("routes", (rate, seconds), (&made, &questions), &mut apply, look));
    }
    seen.push(contend("the clock alone", (0, seconds), (&made, &questions), &mut |_| {}, |_| 0));
    seen
}

fn contend(
    name: &'static str,
    (rate, seconds): (u64, u64),
    (made, questions): (&[Route], &Questions),
    put: &mut (impl FnMut(&Route) + Send),
    look: impl FnMut(&str) -> usize,
) -> Seen {
    let (over, applied) = (AtomicBool::new(false), AtomicU64::new(0));
    let lookups = thread::scope(|scope| {
        if rate > 0 {
            scope.spawn(|| write(rate, made, put, &over, &applied));
        }
        let lookups = read(questions, seconds, look);
        over.store(true, Ordering::Relaxed);
        lookups
    });
    let rate = applied.load(Ordering::Relaxed) as f64 / seconds as f64;
    Seen { name, lookups, rate }
}

fn read(questions: &Questions, seconds: u64, mut look: impl FnMut(&str) -> usize) -> Histogram {
    let mut histogram = Histogram::default();
    let end = wall() + seconds * 1_000_000_000;
    let mut before = wall();
    while before < end {
        for name in questions.iter() {
            before = wall();
            black_box(look(name));
            histogram.record(wall() - before);
        }
    }
    histogram
}

/// Applies as many updates as are due, and sleeps until more are.
fn write(rate: u64, made: &[Route], put: &mut impl FnMut(&Route), over: &AtomicBool, applied: &AtomicU64) {
    let start = wall();
    let mut done = 0;
    for route in made.iter().cycle() {
        while done >= (wall() - start) * rate / 1_000_000_000 {
            if over.load(Ordering::Relaxed) {
                return;
            }
            thread::park_timeout(Duration::from_micros(50));
        }
        if over.load(Ordering::Relaxed) {
            return;
        }
        put(route);
        done += 1;
        applied.store(done, Ordering::Relaxed);
    }
}
