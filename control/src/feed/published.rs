use std::collections::VecDeque;

use proto::Revision;

use super::frame::Frame;
use super::table::{Diff, Standing, Table};

/// What proxies are to have: the table, and the last deltas that led to it.
///
/// Every stream is only a place in the deltas, so a slow one costs nothing and holds nobody up; one
/// whose place is forgotten is sent the table.
#[derive(Debug)]
pub(super) struct Published {
    table: Table,
    deltas: VecDeque<Delta>,
    bytes: usize,
    limits: DeltaLimits,
    /// Deltas forgotten since the start: the place before the first of `deltas`.
    forgotten: u64,
    /// What the table stands at: the end of the last delta.
    at: Revision,
    /// The last commit taken in. Those after `at` changed no route.
    reached: Revision,
}

/// How many deltas are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeltaLimits {
    pub(super) count: usize,
    pub(super) bytes: usize,
    /// A larger one is not made: everyone is sent the table instead, which comes in chunks.
    pub(super) one: usize,
}

#[derive(Debug)]
struct Delta {
    base: Revision,
    frame: Frame,
}

/// A place in the deltas: those before it are known to whoever is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position(u64);

/// What there is for someone at a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This, and then the place after it.
    Send(Frame, Position),
    /// Nothing yet.
    Wait,
    /// What comes after the place is forgotten: take the table.
    TakeTable,
}

impl Published {
    pub(super) fn new(table: Table, at: Revision, limits: DeltaLimits) -> Self {
        Self { table, deltas: VecDeque::new(), bytes: 0, limits, forgotten: 0, at, reached: at }
    }

    /// Takes in commits up to `revision`, after which the touched names stand as given. Returns how
    /// many routes that changed; none of them is published twice.
    pub(super) fn advance(&mut self, standings: Vec<Standing>, revision: Revision) -> usize {
        self.reached = revision;
        let diff = self.table.update(standings);
        if !diff.is_empty() {
            self.push(&diff, revision);
        }
        diff.upserts.len() + diff.removals.len()
    }

    /// Lets proxies know, by an empty delta, of commits that changed no route. False when there are none.
    pub(super) fn settle(&mut self) -> bool {
        let behind = self.at != self.reached;
        if behind {
            self.push(&Diff::default(), self.reached);
        }
        behind
    }

    /// Puts another table in the place of this one, to which no deltas lead. Returns the old one.
    pub(super) fn replace(&mut self, table: Table, at: Revision) -> Table {
        (self.at, self.reached) = (at, at);
        self.forget_all();
        std::mem::replace(&mut self.table, table)
    }

    fn push(&mut self, diff: &Diff, revision: Revision) {
        let base = std::mem::replace(&mut self.at, revision);
        let frame = Frame::delta(base, revision, &diff.upserts, &diff.removals);
        if frame.0.len() > self.limits.one {
            self.forget_all();
            return;
        }
        self.bytes += frame.0.len();
        self.deltas.push_back(Delta { base, frame });
        while self.deltas.len() > self.limits.count || self.bytes > self.limits.bytes {
            let Some(oldest) = self.deltas.pop_front() else { break };
            self.bytes -= oldest.frame.0.len();
            self.forgotten += 1;
        }
    }

    /// Makes every place there was one to take the table from.
    fn forget_all(&mut self) {
        self.forgotten = self.end().0 + 1;
        self.deltas.clear();
        self.bytes = 0;
    }

    fn end(&self) -> Position {
        Position(self.forgotten + self.deltas.len() as u64)
    }

    pub(super) fn next(&self, from: Position) -> Next {
        let Some(index) = from.0.checked_sub(self.forgotten) else {
            return Next::TakeTable;
        };
        match usize::try_from(index).ok().and_then(|index| self.deltas.get(index)) {
            Some(delta) => Next::Send(delta.frame.clone(), Position(from.0 + 1)),
            None => Next::Wait,
        }
    }

    /// The place of someone who holds `revision`; none when no deltas lead on from it.
    pub(super) fn position(&self, revision: Revision) -> Option<Position> {
        if revision == self.at {
            return Some(self.end());
        }
        let index = self.deltas.iter().position(|delta| delta.base == revision)?;
        Some(Position(self.forgotten + index as u64))
    }

    /// Whether someone can have been sent `revision`: it is no later than the table, or deltas lead on
    /// from it (the first commit after a start leads from another epoch).
    pub(super) fn knows(&self, revision: Revision) -> bool {
        self.at.includes(revision) || self.position(revision).is_some()
    }

    /// A view of the table, what it stands at, and the place to go on from.
    pub(super) fn snapshot(&self) -> (Table, Revision, Position) {
        (self.table.clone(), self.at, self.end())
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    pub(super) fn at(&self) -> Revision {
        self.at
    }

    pub(super) fn reached(&self) -> Revision {
        self.reached
    }
}

#[cfg(test)]
mod tests {
    use proto::{Epoch, Hostname};

    use super::super::frame::EncodedRoute;
    use super::super::frame::tests::route;
    use super::*;

    const LIMITS: DeltaLimits = DeltaLimits { count: 3, bytes: 10_000, one: 1_000 };

    fn at(number: u64) -> Revision {
        Revision::new(Epoch(1), number)
    }

    fn standing(name: &str) -> Standing {
        (Hostname::parse(name).unwrap(), Some(EncodedRoute::from(&route(name))))
    }

    fn delta(base: u64, revision: u64, names: &[&str]) -> Frame {
        let upserts: Vec<_> = names.iter().map(|name| EncodedRoute::from(&route(name))).collect();
        Frame::delta(at(base), at(revision), &upserts, &[])
    }

    #[test]
    fn commits_that_change_no_route_are_told_later_and_the_chain_holds() {
        let mut published = Published::new(Table::default(), at(0), LIMITS);
        let start = published.position(at(0)).unwrap();
        assert_eq!(published.advance(vec![standing("a.x")], at(1)), 1);
        assert_eq!(published.advance(vec![standing("a.x")], at(2)), 0, "it stood so already");
        assert_eq!((published.at(), published.reached()), (at(1), at(2)));
        assert_eq!(published.advance(vec![standing("b.x")], at(3)), 1);
        assert_eq!(published.advance(vec![], at(4)), 0);
        assert!(published.settle() && !published.settle());

        let mut place = start;
        for expected in [delta(0, 1, &["a.x"]), delta(1, 3, &["b.x"]), delta(3, 4, &[])] {
            let Next::Send(frame, next) = published.next(place) else { panic!("nothing at {place:?}") };
            assert_eq!(frame, expected);
            place = next;
        }
        assert_eq!(published.next(place), Next::Wait);
        assert_eq!(published.position(at(4)), Some(place));
        assert_eq!(published.position(at(1)), Some(Position(1)));
        assert_eq!(published.position(at(2)), None, "no proxy ever held it");
        assert_eq!(published.position(Revision::new(Epoch(2), 4)), None);
    }

    #[test]
    fn the_first_commit_after_a_start_leads_from_the_epoch_before() {
        let next = Revision::new(Epoch(2), 4);
        let mut published = Published::new(Table::default(), at(3), LIMITS);
        published.advance(vec![standing("a.x")], next);
        let place = published.position(at(3)).unwrap();
        let Next::Send(frame, _) = published.next(place) else { panic!("nothing leads on") };
        assert_eq!(frame, Frame::delta(at(3), next, &[EncodedRoute::from(&route("a.x"))], &[]));
        assert!(published.knows(next) && published.knows(at(3)));
        for unknown in [at(2), at(4), Revision::new(Epoch(2), 5), Revision::new(Epoch(3), 4)] {
            assert!(!published.knows(unknown), "{unknown}");
        }
    }

    #[test]
    fn whoever_is_too_far_behind_takes_the_table() {
        let mut published = Published::new(Table::default(), at(0), LIMITS);
        let start = published.position(at(0)).unwrap();
        for number in 1..=4 {
            published.advance(vec![standing(&format!("n{number}.x"))], at(number));
        }
        assert_eq!(published.next(start), Next::TakeTable);
        assert_eq!(published.position(at(0)), None);
        let (table, revision, place) = published.snapshot();
        assert_eq!((table.len(), revision, published.next(place)), (4, at(4), Next::Wait));

        let many = (0..100).map(|n| standing(&format!("many{n}.x"))).collect();
        published.advance(many, at(5));
        assert_eq!(published.next(place), Next::TakeTable, "too large for one message");
        assert_eq!(table.len(), 4, "a view stays as it is");

        let (_, _, place) = published.snapshot();
        let old = published.replace(Table::default(), at(9));
        assert_eq!((old.len(), published.next(place), published.at()), (104, Next::TakeTable, at(9)));
    }
}
