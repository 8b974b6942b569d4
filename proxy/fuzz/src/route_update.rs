//! From the bytes of a revision to a table: `proto::convert` and `proxy::routes`.
//!
//! An input is a history: for each revision a byte that says how it is bent, the length of a `Delta` in
//! two bytes, and the `Delta`, encoded.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use prost::Message;
use proto::{Epoch, Hostname, Revision, Route, RouteUpdate, wire};
use proxy::routes::{ApplyError, Routes};

/// Leave base and revision as they came.
const AS_IT_CAME: u8 = 0;
/// Make a whole table of it.
const WHOLE: u8 = 1;

type Model = BTreeMap<Hostname, Route>;

/// Asserts that a message means the same after a way there and back, and that a revision is applied
/// whole, as a sorted map would take it, or not at all.
pub fn check(data: &[u8]) {
    let routes = Routes::with_seed(1);
    let mut model = Model::new();
    let mut rest = data;
    while let Some((&[how, high, low], after)) = rest.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([high, low])).min(after.len());
        let (delta, after) = after.split_at(length);
        rest = after;
        let Ok(delta) = wire::Delta::decode(delta) else { continue };
        if let Some(update) = understood(delta, how, routes.revision()) {
            apply(&routes, &mut model, update);
        }
    }
}

/// Inputs to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let bound = |name: &str, address: &str| wire::Route {
        target: Some(wire::route::Target::Binding(wire::Binding {
            deployment: "dep-a".to_owned(),
            endpoint: "WEB".to_owned(),
            protocol: 2,
            backend_protocol: 1,
            backends: vec![wire::Backend { address: address.to_owned(), unhealthy: false }],
        })),
        ..unbound(name)
    };
    let delta = |upserts: &[wire::Route], removals: &[&str]| wire::Delta {
        base: Some(wire::Revision { epoch: 1, number: 1 }),
        revision: Some(wire::Revision { epoch: 1, number: 2 }),
        upserts: upserts.to_vec(),
        removals: removals.iter().map(|&name| name.to_owned()).collect(),
    };
    let restarted = |number| wire::Delta {
        base: Some(wire::Revision { epoch: 1, number: 1 }),
        revision: Some(wire::Revision { epoch: 2, number }),
        ..delta(&[unbound("d.x")], &["a.x"])
    };
    let ranged = wire::Route { source_ranges: vec!["10.0.0.0/8".to_owned()], ..unbound("c.x") };
    let first = delta(&[bound("a.x", "10.0.0.1:80"), unbound("b.x")], &[]);
    let histories: Vec<Vec<(u8, wire::Delta)>> = vec![
        vec![(WHOLE, first.clone())],
        vec![(WHOLE, first.clone()), (2, delta(&[bound("a.x", "[fd00::1]:81")], &["b.x"]))],
        vec![(2, first.clone()), (2, delta(&[], &["a.x", "b.x", "none.x"]))],
        vec![(2, delta(&[ranged, unbound("c.x")], &[]))],
        vec![(2, delta(&[unbound("a.x")], &["a.x"]))],
        vec![(2, delta(&[bound("A.x.", "no address")], &["..", ""]))],
        vec![(WHOLE, first.clone()), (AS_IT_CAME, first.clone()), (WHOLE, first.clone())],
        vec![(WHOLE, first.clone()), (AS_IT_CAME, restarted(2))],
        vec![(WHOLE, first), (AS_IT_CAME, restarted(0))],
        vec![(AS_IT_CAME, wire::Delta::default())],
    ];
    histories
        .iter()
        .map(|history| history.iter().flat_map(|(how, delta)| framed(*how, delta)).collect())
        .collect()
}

fn unbound(name: &str) -> wire::Route {
    wire::Route {
        hostname: name.to_owned(),
        project: "project-a".to_owned(),
        target: Some(wire::route::Target::Unbound(wire::Unbound { last_protocol: 0 })),
        source_ranges: Vec::new(),
    }
}

fn framed(how: u8, delta: &wire::Delta) -> Vec<u8> {
    let delta = delta.encode_to_vec();
    let [high, low] = u16::try_from(delta.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[how, high, low], &delta[..]].concat()
}

/// Parses a message, bent so that more of them lead somewhere than chance would let.
fn understood(mut delta: wire::Delta, how: u8, held: Option<Revision>) -> Option<RouteUpdate> {
    let next = held
        .map_or(Revision::new(Epoch(1), 1), |held| Revision::new(held.epoch, held.number.wrapping_add(1)));
    if how != AS_IT_CAME {
        delta.base = Some(held.unwrap_or(next).into());
        delta.revision = Some(next.into());
    }
    let mut update = match RouteUpdate::try_from(delta) {
        Ok(update) => update,
        Err(faults) => {
            assert!(!faults.0.is_empty(), "refused without a reason");
            assert!(faults.0.iter().all(|fault| !fault.field.is_empty() && !fault.message.is_empty()));
            return None;
        }
    };
    there_and_back(&update);
    if how == WHOLE || (how != AS_IT_CAME && held.is_none()) {
        update.base = None;
        update.removals.clear();
    }
    Some(update)
}

fn there_and_back(update: &RouteUpdate) {
    let bytes = wire::Delta::from(update).encode_to_vec();
    let again = wire::Delta::decode(&bytes[..]).map(RouteUpdate::try_from);
    assert_eq!(again.ok(), Some(Ok(update.clone())));
}

fn apply(routes: &Arc<Routes>, model: &mut Model, update: RouteUpdate) {
    let before = routes.table();
    let expected = expected(routes.revision(), model, &update);
    let applied = routes.apply(update.clone());
    match expected {
        Ok(next) => {
            assert_eq!(applied, Ok(()));
            *model = next;
            assert_eq!(routes.revision(), Some(update.revision));
        }
        Err(why) => {
            assert!(applied.as_ref().is_err_and(why), "{applied:?}");
            assert!(Arc::ptr_eq(&before, &routes.table()), "a refused revision left something behind");
        }
    }
    holds(routes, model);
}

type Why = fn(&ApplyError) -> bool;

/// What the table should become, worked out the simple way.
fn expected(held: Option<Revision>, model: &Model, update: &RouteUpdate) -> Result<Model, Why> {
    if let Some(base) = update.base {
        if held != Some(base) {
            return Err(|error| matches!(error, ApplyError::Base { .. }));
        }
        // Another epoch may build on what is held: control's first commit after a start does.
        if base.epoch == update.revision.epoch && update.revision.number <= base.number {
            return Err(|error| matches!(error, ApplyError::Backwards { .. }));
        }
    }
    let mut next = if update.base.is_some() { model.clone() } else { Model::new() };
    let mut seen = BTreeSet::new();
    for route in &update.upserts {
        if !seen.insert(&route.hostname) {
            return Err(|error| matches!(error, ApplyError::Repeated(_)));
        }
        next.insert(route.hostname.clone(), route.clone());
    }
    for name in &update.removals {
        if !seen.insert(name) {
            return Err(|error| matches!(error, ApplyError::Repeated(_)));
        }
        next.remove(name);
    }
    Ok(next)
}

fn holds(routes: &Arc<Routes>, model: &Model) {
    let mut reader = routes.reader();
    assert_eq!(routes.len(), model.len());
    for (name, route) in model {
        let found = reader.get(name.as_str());
        assert_eq!(found.as_ref().map(|entry| &entry.route), Some(route));
    }
    let mut listed = Model::new();
    routes.table().for_each(None, |entry| {
        listed.insert(entry.route.hostname.clone(), entry.route.clone());
        ControlFlow::Continue(())
    });
    assert_eq!(listed, *model);
}
