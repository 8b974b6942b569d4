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
    for target in bodies::TARGETS {
        assert!(!target.inputs().is_empty(), "{} has nothing to begin with", target.name);
        target.inputs().iter().for_each(|input| (target.check)(input));
    }
}

#[test]
fn what_was_found_is_read_as_it_was_written() {
    let inputs = vec![b"\0\t\r\n'\"\\\x7f\xff a".to_vec(), vec![], (0..=u8::MAX).collect()];
    let mut read = bodies::found::read(&bodies::found::write(inputs.clone(), 2_000));
    read.sort_by_key(|input| inputs.iter().position(|given| given == input));
    assert_eq!(read, inputs);
    assert_eq!(bodies::found::read(&bodies::found::write(inputs, 50)).len(), 2, "the largest does not fit");
}

#[test]
fn what_is_nasty_is_refused_by_its_name() {
    bodies::http1::check_nasty();
}

#[test]
fn what_must_hold_does() {
    // What is found becomes a seed.
    let config = ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() };
    for target in bodies::TARGETS {
        proptest!(config.clone(), |(_target in Just(target.name), data in input(target.inputs()))| {
            (target.check)(&data);
        });
    }
}
