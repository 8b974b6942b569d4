//! Inputs a fuzzer found, as text: one a line, sorted, what is not printable escaped as `escape_ascii` does.

use std::collections::BTreeSet;

/// The inputs of a text that [`write`] made. An escape that is none ends its input.
pub fn read(text: &str) -> Vec<Vec<u8>> {
    text.lines().map(unescaped).collect()
}

/// The smallest of `inputs`, as many as make no more than `limit` characters.
pub fn write(mut inputs: Vec<Vec<u8>>, limit: usize) -> String {
    inputs.sort_by_key(Vec::len);
    let mut left = limit;
    let lines: BTreeSet<String> = inputs
        .iter()
        .map(|input| format!("{}\n", input.escape_ascii()))
        .take_while(|line| {
            let fits = line.len() <= left;
            left = left.saturating_sub(line.len());
            fits
        })
        .collect();
    lines.into_iter().collect()
}

fn unescaped(line: &str) -> Vec<u8> {
    let mut left = line.bytes();
    std::iter::from_fn(|| one(&mut left)).collect()
}

fn one(left: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let byte = left.next()?;
    if byte != b'\\' {
        return Some(byte);
    }
    Some(match left.next()? {
        b't' => b'\t',
        b'r' => b'\r',
        b'n' => b'\n',
        b'x' => 16 * digit(left)? + digit(left)?,
        itself => itself,
    })
}

fn digit(left: &mut impl Iterator<Item = u8>) -> Option<u8> {
    left.next().and_then(|byte| char::from(byte).to_digit(16)).and_then(|digit| digit.try_into().ok())
}
