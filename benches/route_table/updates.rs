use std::hint::black_box;
use std::sync::Arc;

use benches::clock::{Cost, per_unit};
use benches::rounds::{Contender, Measured, interleave};
use benches::{Random, hosts};
use proto::{Route, RouteUpdate};
use proxy::routes::Routes;

use crate::contenders::Keyed;

/// Routes changed in one turn.
const TURN: usize = 2000;

/// Moves routes of a table of `size`, `batch` of them in each revision. Costs are those of a revision.
pub(crate) fn measure(
    size: usize,
    batch: usize,
    rounds: usize,
    keyed: &mut Keyed,
    routes: &Arc<Routes>,
) -> Vec<Measured> {
    let revisions = (TURN / batch).max(1);
    let mut ours = Random::new(batch as u64);
    let mut theirs = ours.clone();
    let mut reader = routes.reader();
    interleave(
        rounds,
        vec![
            Contender::new("hashbrown table, in place", |round| {
                let batches: Vec<_> =
                    (0..revisions).map(|_| moved(&mut theirs, size, batch, round)).collect();
                per_unit(revisions, || {
                    for batch in batches {
                        batch.into_iter().for_each(|route| keyed.put(Arc::new(route)));
                    }
                })
            }),
            Contender::new("routes", |round| {
                let from = routes.revision().map_or(0, |revision| revision.number);
                let updates: Vec<_> = (from..)
                    .take(revisions)
                    .map(|base| hosts::delta(base, moved(&mut ours, size, batch, round)))
                    .collect();
                apply(routes, updates, || {
                    // A worker that serves lets go of the old version between two updates.
                    reader.refresh();
                })
            }),
        ],
    )
}

/// Loads whole tables: into an empty one, and over one that holds the same routes at another revision.
pub(crate) fn measure_snapshots(all: &[Arc<Route>], rounds: usize) -> Vec<Measured> {
    let full = Routes::with_seed(crate::contenders::SEED);
    let whole = |number| hosts::snapshot(all.iter().map(|route| Route::clone(route)).collect(), number);
    if let Err(error) = full.apply(whole(1)) {
        black_box(error);
    }
    let mut number = 1;
    interleave(
        rounds,
        vec![
            Contender::new("hashbrown table, built", |_| {
                per_unit(1, || {
                    black_box(Keyed::new(all));
                })
            }),
            Contender::new("routes, into an empty table", |_| {
                let empty = Routes::with_seed(crate::contenders::SEED);
                apply(&empty, vec![whole(1)], || {})
            }),
            Contender::new("routes, over the same routes", |_| {
                number += 1;
                apply(&full, vec![whole(number)], || {})
            }),
        ],
    )
}

/// `count` different routes of the first `size`, each at another backend than in the round before.
pub(crate) fn moved(random: &mut Random, size: usize, count: usize, round: usize) -> Vec<Route> {
    let mut indices: Vec<_> = (0..count).map(|_| random.below(size)).collect();
    indices.sort_unstable();
    indices.dedup();
    indices.into_iter().filter_map(|index| hosts::route(index, round + 1 + random.below(1000))).collect()
}

fn apply(routes: &Routes, updates: Vec<RouteUpdate>, mut after: impl FnMut()) -> Cost {
    let mut refused = 0;
    let cost = per_unit(updates.len(), || {
        for update in updates {
            refused += usize::from(routes.apply(update).is_err());
            after();
        }
    });
    assert_eq!(refused, 0, "updates were refused");
    cost
}
