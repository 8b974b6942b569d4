use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use proto::Epoch;

use super::*;
use crate::routes::Routes;
use crate::routes::tests::{bound, delta, snapshot, unbound};

const MOST: usize = 1000;

fn begin(revision: Revision, routes: usize) -> Message {
    Message::SnapshotBegin(wire::SnapshotBegin { revision: Some(revision.into()), routes: routes as u64 })
}

fn chunk(routes: &[Route]) -> Message {
    Message::SnapshotChunk(wire::SnapshotChunk { routes: routes.iter().map(Into::into).collect() })
}

fn end(revision: Revision) -> Message {
    Message::SnapshotEnd(wire::SnapshotEnd { revision: Some(revision.into()) })
}

fn at(number: u64) -> Revision {
    Revision::new(Epoch(1), number)
}

fn delta_message(update: &RouteUpdate) -> Message {
    Message::Delta(update.into())
}

fn reasons_of(step: Step) -> Vec<String> {
    match step {
        Step::Refuse(refused) => refused.reasons,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_snapshot_is_applied_at_its_end_and_deltas_after_it() {
    let mut session = Session::new(None, MOST);
    let routes = vec![unbound("a.x"), unbound("b.x")];
    assert_eq!(session.on(delta_message(&delta(2, vec![], &[]))), Step::None, "sent before control knew");
    assert_eq!(session.on(begin(at(5), 2)), Step::None);
    assert_eq!(session.on(chunk(&routes[..1])), Step::None);
    assert_eq!(session.on(chunk(&routes[1..])), Step::None);
    assert_eq!(session.on(end(at(5))), Step::Apply(snapshot(5, routes)));
    session.applied(at(5));
    let next = delta(6, vec![unbound("c.x")], &["a.x"]);
    assert_eq!(session.on(delta_message(&next)), Step::Apply(next));
}

#[test]
fn what_does_not_follow_is_refused_and_then_all_but_a_snapshot_ignored() {
    let mut session = Session::new(Some(at(5)), MOST);
    let gap = reasons_of(session.on(delta_message(&delta(7, vec![], &[]))));
    assert_eq!(gap, ["it builds on revision 1/6, but 1/5 is held"]);
    assert_eq!(session.on(delta_message(&delta(6, vec![], &[]))), Step::None);
    assert_eq!(session.on(chunk(&[unbound("a.x")])), Step::None);
    session.on(begin(at(8), 0));
    assert_eq!(session.on(end(at(8))), Step::Apply(snapshot(8, vec![])));
}

#[test]
fn a_faulty_snapshot_is_refused_with_all_its_faults() {
    let mut session = Session::new(Some(at(5)), MOST);
    let mut bad = wire::Route::from(&unbound("b.x"));
    bad.hostname = "b..x".into();
    bad.project = String::new();
    session.on(begin(at(6), 4));
    session.on(chunk(&[unbound("a.x")]));
    session.on(Message::SnapshotChunk(wire::SnapshotChunk { routes: vec![bad] }));
    session.on(chunk(&[unbound("c.x")]));
    let reasons = reasons_of(session.on(end(at(7))));
    let beginnings =
        ["routes[1].hostname: ", "routes[1].project: ", "the end of the snapshot", "routes: 4 were"];
    assert_eq!(reasons.len(), beginnings.len(), "{reasons:?}");
    assert!(reasons.iter().zip(beginnings).all(|(reason, with)| reason.starts_with(with)), "{reasons:?}");
}

#[test]
fn a_snapshot_is_bounded_by_what_is_announced_and_by_what_comes() {
    let mut session = Session::new(None, 2);
    session.on(begin(at(1), 3));
    assert!(reasons_of(session.on(end(at(1))))[0].contains("more than the 2"));
    session.on(begin(at(1), 2));
    session.on(chunk(&[unbound("a.x"), unbound("b.x"), unbound("c.x")]));
    assert_eq!(reasons_of(session.on(end(at(1)))), ["routes: 2 were announced and 3 came"]);
}

#[test]
fn a_heartbeat_of_another_epoch_asks_for_a_snapshot_and_one_ahead_does_not() {
    let beat = |revision: Revision| Message::Heartbeat(wire::Heartbeat { revision: Some(revision.into()) });
    let mut session = Session::new(Some(at(5)), MOST);
    assert_eq!(session.on(beat(at(9))), Step::None);
    assert!(matches!(session.on(beat(Revision::new(Epoch(2), 5))), Step::Refuse(_)));
}

/// Control in miniature: a table with a history, and one stream whose messages may be lost on the way
/// as no TCP stream would lose them: a bug of the other side, or a proxy that was restored from a copy.
#[derive(Default)]
struct Control {
    epoch: u64,
    number: u64,
    table: BTreeMap<String, Route>,
    wire: VecDeque<Message>,
}

impl Control {
    fn revision(&self) -> Revision {
        Revision::new(Epoch(self.epoch), self.number)
    }

    fn commit(&mut self, name: &str, deployment: Option<u8>, lost: bool) {
        let base = Some(self.revision());
        self.number += 1;
        let mut update = RouteUpdate { base, revision: self.revision(), ..snapshot(0, vec![]) };
        match deployment {
            Some(deployment) => {
                let route = bound(name, &format!("dep-{deployment}"), &["10.0.0.1:80"]);
                self.table.insert(name.to_owned(), route.clone());
                update.upserts.push(route);
            }
            None => {
                self.table.remove(name);
                update.removals.push(name.parse().unwrap());
            }
        }
        if !lost {
            self.wire.push_back(delta_message(&update));
        }
    }

    fn send_snapshot(&mut self, lost: Option<usize>) {
        let routes: Vec<_> = self.table.values().cloned().collect();
        let mut messages = vec![begin(self.revision(), routes.len())];
        messages.extend(routes.chunks(3).map(chunk));
        messages.push(end(self.revision()));
        if let Some(lost) = lost {
            messages.remove(lost % messages.len());
        }
        self.wire.extend(messages);
    }
}

#[derive(Debug, Clone)]
enum Event {
    Commit { name: u8, deployment: Option<u8>, lost: bool },
    Snapshot { lost: Option<usize> },
    NewEpoch,
    Deliver(usize),
    Reconnect,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0_u8..12, prop::option::weighted(0.7, 0_u8..4), prop::bool::weighted(0.1))
            .prop_map(|(name, deployment, lost)| Event::Commit { name, deployment, lost }),
        1 => prop::option::weighted(0.3, any::<usize>()).prop_map(|lost| Event::Snapshot { lost }),
        1 => Just(Event::NewEpoch),
        6 => (0_usize..8).prop_map(Event::Deliver),
        1 => Just(Event::Reconnect),
    ]
}

/// The proxy's end of the stream and its table.
struct Proxy {
    session: Session,
    routes: std::sync::Arc<Routes>,
}

impl Proxy {
    /// Takes a message as the stream does. True when it was refused.
    fn take(&mut self, message: Message) -> bool {
        match self.session.on(message) {
            Step::None => false,
            Step::Refuse(_) => true,
            Step::Apply(update) => {
                let revision = update.revision;
                let applied = self.routes.apply(update).is_ok();
                if applied {
                    self.session.applied(revision)
                } else {
                    self.session.refused()
                }
                !applied
            }
        }
    }
}

proptest! {
    /// Whatever is lost, cut off or restored in between: once control sends what it is asked for and
    /// nothing is lost any more, the proxy has control's table. And at every moment what the proxy
    /// serves is a table control once had at just that revision.
    #[test]
    fn ends_at_the_right_table(events in prop::collection::vec(event(), 0..80)) {
        let mut control = Control { epoch: 1, ..Control::default() };
        let mut proxy = Proxy { session: Session::new(None, MOST), routes: Routes::new() };
        let mut history: BTreeMap<(u64, u64), Vec<Route>> = BTreeMap::new();
        let mut asked = true;
        for event in events {
            match event {
                Event::Commit { name, deployment, lost } => {
                    control.commit(&format!("n{name}.x"), deployment, lost);
                }
                Event::Snapshot { lost } => control.send_snapshot(lost),
                Event::NewEpoch => {
                    control = Control { epoch: control.epoch + 1, ..Control::default() };
                    control.send_snapshot(None);
                }
                Event::Deliver(count) => {
                    for message in control.wire.drain(..count.min(control.wire.len())).collect::<Vec<_>>() {
                        asked |= proxy.take(message);
                    }
                }
                Event::Reconnect => {
                    control.wire.clear();
                    let held = proxy.routes.revision();
                    proxy.session = Session::new(held, MOST);
                    asked |= held != Some(control.revision());
                }
            }
            history.insert((control.epoch, control.number), control.table.values().cloned().collect());
            check_served(&proxy.routes, &history)?;
            if asked && control.wire.len() > 20 {
                control.send_snapshot(None);
                asked = false;
            }
        }
        control.commit("last.x", Some(1), false);
        for _ in 0..3 {
            while let Some(message) = control.wire.pop_front() {
                asked |= proxy.take(message);
            }
            if std::mem::take(&mut asked) {
                control.send_snapshot(None);
            }
        }
        let served: Vec<_> = served(&proxy.routes);
        prop_assert_eq!(proxy.routes.revision(), Some(control.revision()));
        prop_assert_eq!(served, control.table.into_values().collect::<Vec<_>>());
    }
}

fn served(routes: &Routes) -> Vec<Route> {
    let mut served: Vec<_> =
        routes.table().page(None, MOST).iter().map(|entry| entry.route.clone()).collect();
    served.sort_by(|a, b| a.hostname.cmp(&b.hostname));
    served
}

fn check_served(routes: &Routes, history: &BTreeMap<(u64, u64), Vec<Route>>) -> Result<(), TestCaseError> {
    let Some(revision) = routes.revision() else { return Ok(()) };
    let then = history.get(&(revision.epoch.0, revision.number));
    // Not in the history only if it is a revision between two events, which here makes no difference.
    prop_assert_eq!(Some(&served(routes)), then);
    Ok(())
}
