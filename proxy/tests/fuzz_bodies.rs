//! The bodies of the fuzz targets as plain tests: with the inputs fuzzing begins with, with what is left
//! of these when pieces are cut out, doubled or changed, and with any bytes.

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "there it is a library")]
mod bodies;

use proptest::prelude::*;

/// One change of a seed: at a place, of a length, what happens there.
#[derive(Debug, Clone)]
enum Change {
    Cut(usize, usize),
    Double(usize, usize),
    Set(usize, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..2000_usize;
    prop_oneof![
        (at.clone(), 0..40_usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (at.clone(), 0..40_usize).prop_map(|(at, length)| Change::Double(at, length)),
        (at, any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
    ]
}

/// Any bytes, or a seed with some changes.
fn input(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changed = (prop::sample::select(seeds), prop::collection::vec(change(), 0..6));
    let changed = changed.prop_map(|(seed, changes)| changes.into_iter().fold(seed, changed_by));
    prop_oneof![1 => prop::collection::vec(any::<u8>(), 0..300), 4 => changed]
}

fn changed_by(mut bytes: Vec<u8>, change: Change) -> Vec<u8> {
    let whole = bytes.len();
    let within = |at: usize, length: usize| {
        let from = at % (whole + 1);
        from..(from + length).min(whole)
    };
    match change {
        Change::Cut(at, length) => drop(bytes.drain(within(at, length))),
        Change::Double(at, length) => {
            let range = within(at, length);
            let copy = bytes[range.clone()].to_vec();
            bytes.splice(range.end..range.end, copy);
        }
        Change::Set(at, byte) => bytes.iter_mut().skip(at % whole.max(1)).take(1).for_each(|old| *old = byte),
    }
    bytes
}

#[test]
fn every_seed_holds() {
    bodies::authority::seeds().iter().for_each(|seed| bodies::authority::check(seed));
    bodies::chunked::seeds().iter().for_each(|seed| bodies::chunked::check(seed));
    bodies::hello::seeds().iter().for_each(|seed| bodies::hello::check(seed));
    bodies::request::seeds().iter().for_each(|seed| bodies::request::check(seed));
    bodies::response::seeds().iter().for_each(|seed| bodies::response::check(seed));
    bodies::route_update::seeds().iter().for_each(|seed| bodies::route_update::check(seed));
}

#[test]
fn what_is_nasty_is_refused_by_its_name() {
    bodies::http1::check_nasty();
}

proptest! {
    // What is found becomes a seed.
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn authority(data in input(bodies::authority::seeds())) {
        bodies::authority::check(&data);
    }

    #[test]
    fn chunked(data in input(bodies::chunked::seeds())) {
        bodies::chunked::check(&data);
    }

    #[test]
    fn request(data in input(bodies::request::seeds())) {
        bodies::request::check(&data);
    }

    #[test]
    fn response(data in input(bodies::response::seeds())) {
        bodies::response::check(&data);
    }

    #[test]
    fn hello(data in input(bodies::hello::seeds())) {
        bodies::hello::check(&data);
    }

    #[test]
    fn route_update(data in input(bodies::route_update::seeds())) {
        bodies::route_update::check(&data);
    }
}
