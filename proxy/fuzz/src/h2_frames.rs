//! The follower of an HTTP/2 client's frames: `proxy::http::h2::frames`.
//!
//! An input is a number that says how its bytes are split, and the bytes a client sends.

use proxy::http::h2::frames::{Frames, Kind};

const PREFACE: usize = 24;
const HEAD: usize = 9;

/// Asserts that the frames told are those that a plain reader finds, however the bytes come.
pub fn check(data: &[u8]) {
    let Some((&seed, bytes)) = data.split_first() else { return };
    let whole = followed(&[bytes]);
    assert_eq!(whole, plain(bytes), "in one piece");
    assert_eq!(followed(&split(bytes, seed)), whole, "split by {seed}");
    let octets: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(followed(&octets), whole, "octet by octet");
}

/// What is told of pieces, and whether a head is open at the end.
fn followed(pieces: &[&[u8]]) -> (Vec<Kind>, bool) {
    let (mut frames, mut told) = (Frames::new(), Vec::new());
    for piece in pieces {
        frames.follow(piece, |kind| told.push(kind));
    }
    (told, frames.is_in_head())
}

/// The same, read with all bytes at hand (RFC 9113 4.1).
fn plain(bytes: &[u8]) -> (Vec<Kind>, bool) {
    let Some(mut rest) = bytes.get(PREFACE..) else { return (Vec::new(), true) };
    let (mut told, mut in_block) = (Vec::new(), false);
    while let Some(&[high, middle, low, kind, flags, ..]) = rest.first_chunk::<HEAD>() {
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        let (is_end, ends_block) = (flags & 1 != 0, flags & 4 != 0);
        if kind == 1 || kind == 9 {
            in_block = !ends_block || rest.len() < HEAD + length;
        }
        told.push(match kind {
            1 => Kind::Work,
            0 if length > 0 || is_end => Kind::Work,
            3 => Kind::Reset,
            6 | 8 => Kind::Response,
            _ => Kind::Idle,
        });
        rest = rest.get(HEAD + length..).unwrap_or_default();
    }
    (told, in_block)
}

/// In pieces whose sizes follow from `seed`, some of them empty.
fn split(mut bytes: &[u8], seed: u8) -> Vec<&[u8]> {
    let (mut pieces, mut state) = (Vec::new(), u32::from(seed));
    while !bytes.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (piece, rest) = bytes.split_at(bytes.len().min((state >> 16) as usize % 21));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// Inputs to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let frame = |kind: u8, flags: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
    };
    let begun = [preface, &frame(4, 0, b"")[..]].concat();
    let cases = [
        vec![],
        frame(1, 5, b"head"),
        [frame(1, 0, b"he"), frame(9, 0, b"a"), frame(9, 4, b"d")].concat(),
        [frame(1, 4, b"head"), frame(0, 0, b"data"), frame(0, 0, b""), frame(0, 1, b"")].concat(),
        [frame(6, 0, b"12345678"), frame(8, 0, b"\0\0\0\x01"), frame(3, 0, b"\0\0\0\x08")].concat(),
        [frame(2, 0, b"\0\0\0\0\x10"), frame(7, 0, &[0; 8]), frame(0xee, 0xff, &[7; 300])].concat(),
        b"\xff\xff\xff\x01\x04\0\0\0\x01all that follows is one payload".to_vec(),
    ];
    let seeds = cases.iter().enumerate();
    seeds.map(|(at, case)| [&[at.to_le_bytes()[0]][..], &begun, case].concat()).collect()
}
