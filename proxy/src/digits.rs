//! Numbers and addresses as text, several a request: without the machinery of formatting.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

/// In decimal digits.
pub(crate) fn decimal(out: &mut Vec<u8>, number: u64) {
    padded(out, number, 1);
}

/// In decimal digits, `width` of them at least.
pub(crate) fn padded(out: &mut Vec<u8>, number: u64, width: usize) {
    digits::<10>(out, number, width);
}

/// In hexadecimal digits, small letters.
pub(crate) fn hexadecimal(out: &mut Vec<u8>, number: u64) {
    digits::<16>(out, number, 1);
}

/// As `Display` has it.
pub(crate) fn address(out: &mut Vec<u8>, address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) => {
            let mut text = Backwards::<{ "255.255.255.255:65535".len() }>::new();
            text.number::<10>(address.port().into());
            let [first, rest @ ..] = ip.octets();
            for (octet, before) in rest.into_iter().rev().zip([b':', b'.', b'.']) {
                text.push(before);
                text.number::<10>(octet.into());
            }
            text.push(b'.');
            text.number::<10>(first.into());
            out.extend_from_slice(text.written());
        }
        // A vector takes all that is written.
        IpAddr::V6(_) => drop(write!(out, "{address}")),
    }
}

fn digits<const BASE: u64>(out: &mut Vec<u8>, number: u64, width: usize) {
    let mut text = Backwards::<20>::new();
    text.number::<BASE>(number);
    while text.written().len() < width.min(20) {
        text.push(b'0');
    }
    out.extend_from_slice(text.written());
}

/// A short text that is written from its end. What does not fit is lost.
struct Backwards<const SIZE: usize> {
    bytes: [u8; SIZE],
    from: usize,
}

impl<const SIZE: usize> Backwards<SIZE> {
    fn new() -> Self {
        Self { bytes: [0; SIZE], from: SIZE }
    }

    fn push(&mut self, byte: u8) {
        if let Some(from) = self.from.checked_sub(1)
            && let Some(to) = self.bytes.get_mut(from)
        {
            (*to, self.from) = (byte, from);
        }
    }

    fn number<const BASE: u64>(&mut self, mut number: u64) {
        loop {
            let digit = (number % BASE).to_le_bytes()[0];
            self.push(if digit < 10 { b'0' + digit } else { b'a' + (digit - 10) });
            number /= BASE;
            if number == 0 {
                break;
            }
        }
    }

    fn written(&self) -> &[u8] {
        self.bytes.get(self.from..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_as_format_has_them() {
        for value in [0, 1, 9, 10, 15, 16, 255, 256, 1_000_000_007, u64::MAX - 1, u64::MAX] {
            assert_eq!(written(|out| decimal(out, value)), value.to_string());
            assert_eq!(written(|out| padded(out, value, 6)), format!("{value:06}"));
            assert_eq!(written(|out| hexadecimal(out, value)), format!("{value:x}"));
        }
    }

    #[test]
    fn addresses_are_as_they_are_shown() {
        for text in ["127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[fe80::1%3]:443"] {
            let parsed: SocketAddr = text.parse().unwrap();
            assert_eq!(written(|out| address(out, parsed)), parsed.to_string());
        }
    }
}
