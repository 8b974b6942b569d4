use std::hint::black_box;
use std::sync::Arc;

use benches::clock::{Cost, per_unit};
use benches::rounds::{Contender, Measured, interleave};
use benches::{Random, hosts};
use proto::{Hostname, Route};
use proxy::routes::{RouteEntry, Routes};

use crate::contenders::{Keyed, Map, touch};

/// Names of the hot set: what stays in the cache of a core.
const HOT: usize = 1000;
/// Lookups of one turn.
const TURN: usize = 200_000;

/// Which names are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    /// The same thousand again and again.
    Hot,
    /// Any name of the table.
    Uniform,
    /// Names that are not in it.
    Miss,
}

impl Asked {
    pub(crate) const ALL: [Self; 3] = [Self::Hot, Self::Uniform, Self::Miss];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Uniform => "uniform",
            Self::Miss => "miss",
        }
    }
}

/// Names in one stretch of memory, so that reading the question costs the same whatever it is.
pub(crate) struct Questions {
    text: String,
    ends: Vec<usize>,
}

impl Questions {
    /// `count` questions about a table of the first `size` names.
    pub(crate) fn new(asked: Asked, size: usize, count: usize) -> Self {
        let mut random = Random::new(size as u64 + asked as u64);
        let hot: Vec<_> = (0..HOT.min(size)).map(|_| random.below(size)).collect();
        let mut questions = Self { text: String::new(), ends: Vec::with_capacity(count) };
        for _ in 0..count {
            let name = match asked {
                Asked::Hot => hot.get(random.below(hot.len())).and_then(|&index| hosts::name(index, 0)),
                Asked::Uniform => hosts::name(random.below(size), 0),
                Asked::Miss => hosts::name(random.below(size), 1),
            };
            questions.text.push_str(name.as_ref().map_or("", Hostname::as_str));
            questions.ends.push(questions.text.len());
        }
        questions
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let mut from = 0;
        self.ends.iter().map(move |&end| {
            let name = self.text.get(from..end).unwrap_or_default();
            from = end;
            name
        })
    }
}

/// Looks `asked` names up in all tables of the first `size` routes.
pub(crate) fn measure(
    asked: Asked,
    size: usize,
    rounds: usize,
    (map, keyed, routes): (&Map, &Keyed, &Arc<Routes>),
) -> Vec<Measured> {
    let questions = Questions::new(asked, size, TURN);
    let questions = &questions;
    let (mut borrowing, mut cloning, mut walking) = (routes.reader(), routes.reader(), routes.reader());
    interleave(
        rounds,
        vec![
            Contender::new("hashbrown map", |_| turn(questions, |name| touched(map.get(name)))),
            Contender::new("hashbrown table, key in route", |_| {
                turn(questions, |name| touched(keyed.get(name)))
            }),
            Contender::new("same, Arc cloned", |_| {
                turn(questions, |name| touched(keyed.get(name).cloned().as_ref()))
            }),
            Contender::new("routes", |_| {
                turn(questions, |name| entry(borrowing.look_up(name).map(Arc::as_ref)))
            }),
            Contender::new("routes, Arc cloned", |_| {
                turn(questions, |name| entry(cloning.get(name).as_deref()))
            }),
            Contender::new("routes, the tree alone", |_| {
                turn(questions, |name| entry(walking.table().get(name).map(Arc::as_ref)))
            }),
        ],
    )
}

fn turn(questions: &Questions, mut look: impl FnMut(&str) -> usize) -> Cost {
    per_unit(TURN, || {
        for name in questions.iter() {
            black_box(look(name));
        }
    })
}

fn touched(route: Option<&Arc<Route>>) -> usize {
    route.map_or(0, |route| touch(route))
}

fn entry(entry: Option<&RouteEntry>) -> usize {
    entry.map_or(0, |entry| touch(&entry.route))
}
