//! HTTP/1 as three readers see it: ours, the [reference](super::reference), and hyper. And what becomes of
//! a message that ours accepts and writes anew.

pub mod nasty;
mod ours;
mod peer;
mod rewrite;

use proxy::http1::Fault;

pub use ours::{Ended, chunked, requests, responses};
pub use peer::Heard;
pub use rewrite::every_line_ends_in_one_way;

use super::reference::{self, End, Message};

/// How the octets may come: split in two at every place, and one at a time. More than 400 of them are split at every
/// second place, more than 800 at every third, and so on; where that begins their sum says, so that of inputs alike
/// each place is tried.
pub fn arrivals(octets: &[u8]) -> Vec<Vec<usize>> {
    let length = octets.len();
    let step = length / 400 + 1;
    let first = octets.iter().map(|octet| usize::from(*octet)).sum::<usize>() % step + 1;
    let halves = (first..length).step_by(step).map(|at| vec![at, length]);
    halves.chain([(1..=length).collect()]).collect()
}

/// The requests that hyper finds in octets.
pub fn heard(octets: &[u8]) -> Vec<Heard> {
    peer::requests(octets, octets.len().max(1))
}

/// Asserts what must hold of the octets a client sends.
pub fn check_requests(octets: &[u8]) {
    let (messages, ended) = requests(octets, &[octets.len()]);
    for arrival in arrivals(octets) {
        assert_eq!(requests(octets, &arrival), (messages.clone(), ended), "split at {arrival:?}");
    }
    same_verdict(octets, &messages, ended, reference::requests);
    for step in [octets.len().max(1), 1] {
        agrees(&messages, ended, &peer::requests(octets, step));
    }
    messages.iter().for_each(rewrite::request);
}

/// The same of those a backend sends and then closes, in answer to HEAD or not.
pub fn check_responses(octets: &[u8], to_head: bool) {
    let (messages, ended) = responses(octets, &[octets.len()], to_head);
    for arrival in arrivals(octets) {
        let split = responses(octets, &arrival, to_head);
        assert_eq!(split, (messages.clone(), ended), "split at {arrival:?}");
    }
    same_verdict(octets, &messages, ended, |octets| reference::responses(octets, to_head));
    let last = messages.last().filter(|last| last.first[1][0] != b'1');
    for step in [octets.len().max(1), 1] {
        if let (Some(last), Some(theirs)) = (last, peer::response(octets, step, to_head)) {
            agrees(std::slice::from_ref(last), Ended::Partial, &[theirs]);
        }
    }
    messages.iter().for_each(|message| rewrite::response(message, to_head));
}

/// The same of the octets of a chunked body, and of what follows it.
pub fn check_chunked(octets: &[u8]) {
    let whole = chunked(octets, &[octets.len()]);
    for arrival in arrivals(octets) {
        assert_eq!(chunked(octets, &arrival), whole, "split at {arrival:?}");
    }
    match (&whole, reference::chunked(octets)) {
        (Ok(ours), theirs) => assert_eq!(Ok(ours.clone()), theirs),
        (Err(Ended::Refused(fault)), theirs) => {
            assert_ne!(theirs.as_ref().err(), Some(&End::Clean));
            let bound = is_bound(*fault, octets.len());
            let refused =
                theirs == Err(End::Refused) || is_lost(octets, |more| reference::chunked(more).err());
            assert!(bound || refused, "{fault:?}, the reference: {theirs:?}");
        }
        (Err(_), theirs) => assert!(theirs.is_err(), "the reference takes it: {theirs:?}"),
    }
}

/// Ours takes what the reference takes, refuses what it refuses, and reads the same out of it; apart from
/// bounds, which the reference has none of. It may wait longer before it refuses; of trailers it waits for no line's end.
fn same_verdict(octets: &[u8], ours: &[Message], ended: Ended, read: impl Fn(&[u8]) -> (Vec<Message>, End)) {
    let (theirs, end) = &read(octets);
    match ended {
        Ended::Refused(fault) if is_bound(fault, octets.len()) => {
            assert_eq!(ours, theirs.get(..ours.len()).unwrap_or(theirs));
            return;
        }
        Ended::Refused(Fault::BadTrailer) if *end == End::Partial => {
            assert!(is_lost(octets, |more| Some(read(more).1)), "{} may go on", octets.escape_ascii());
        }
        Ended::Refused(fault) => assert_eq!(*end, End::Refused, "ours: {fault:?}"),
        Ended::Clean => assert_eq!(*end, End::Clean),
        Ended::Partial => assert_ne!(*end, End::Clean),
    }
    assert_eq!(ours, theirs);
}

/// Whether nothing that could follow makes of a line that has begun one that the reference takes.
fn is_lost(octets: &[u8], end: impl Fn(&[u8]) -> Option<End>) -> bool {
    let follows: [&[u8]; 6] = [b"\n", b"\r\n", b"\n\r\n", b"\r\n\r\n", b": x\r\n\r\n", b"x: y\r\n\r\n"];
    follows.iter().all(|follows| end(&[octets, follows].concat()) == Some(End::Refused))
}

/// Whether a fault may be one of size alone: the shortest input for that is a line of more than 256 octets,
/// or as many trailers.
fn is_bound(fault: Fault, length: usize) -> bool {
    match fault {
        Fault::HeadTooLong | Fault::TooManyFields | Fault::TargetTooLong => true,
        Fault::BadChunk | Fault::BadTrailer => length > 256,
        _ => false,
    }
}

/// What ours and hyper both take they read alike; and where ours found nothing more, hyper finds no other
/// message.
fn agrees(ours: &[Message], ended: Ended, theirs: &[Heard]) {
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(Heard::from(ours), *theirs, "hyper reads another message");
    }
    assert!(ended != Ended::Clean || theirs.len() <= ours.len(), "hyper finds more: {theirs:?}");
}

/// Asserts that each nasty input ends as its table says, whatever the split, and is no message to the
/// reference either.
pub fn check_nasty() {
    for (octets, expected) in nasty::requests() {
        let found = requests(&octets, &[octets.len()]);
        assert_eq!(found, (Vec::new(), expected), "{}", octets.escape_ascii());
        check_requests(&octets);
    }
    for (octets, expected) in nasty::responses() {
        let (_, ended) = responses(&octets, &[octets.len()], false);
        assert_eq!(ended, expected, "{}", octets.escape_ascii());
        check_responses(&octets, false);
    }
    for (octets, expected) in nasty::chunked() {
        assert_eq!(chunked(&octets, &[octets.len()]), Err(expected), "{}", octets.escape_ascii());
        check_chunked(&octets);
    }
}
