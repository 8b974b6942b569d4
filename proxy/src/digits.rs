//! Numbers and addresses as text, several a request: without the machinery of formatting.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// In decimal digits.
pub(crate) fn decimal(out: &mut Vec<u8>, number: u64) {
    let mut text = Backwards::<20>::new();
    text.decimal(number);
    out.extend_from_slice(text.written());
}

/// In decimal digits, `width` of them at least.
pub(crate) fn padded(out: &mut Vec<u8>, number: u64, width: usize) {
    let mut text = Backwards::<20>::new();
    text.decimal(number);
    while text.written().len() < width.min(20) {
        text.push(b'0');
    }
    out.extend_from_slice(text.written());
}

/// In hexadecimal digits, small letters.
pub(crate) fn hexadecimal(out: &mut Vec<u8>, number: u64) {
    let mut text = Backwards::<16>::new();
    text.hexadecimal(number);
    out.extend_from_slice(text.written());
}

/// As `Display` has it.
pub(crate) fn address(out: &mut Vec<u8>, address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) => {
            let mut text = Backwards::<{ "255.255.255.255:65535".len() }>::new();
            text.decimal(address.port().into());
            text.push(b':');
            text.octets(ip);
            out.extend_from_slice(text.written());
        }
        // A vector takes all that is written.
        IpAddr::V6(_) => drop(write!(out, "{address}")),
    }
}

/// As `Display` has it.
pub(crate) fn ip(out: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => {
            let mut text = Backwards::<{ "255.255.255.255".len() }>::new();
            text.octets(ip);
            out.extend_from_slice(text.written());
        }
        IpAddr::V6(ip) => drop(write!(out, "{ip}")),
    }
}

/// `00` to `99`: two digits cost one division.
#[expect(clippy::indexing_slicing, reason = "within bounds, or it would not compile")]
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut at: u8 = 0;
    while at < 100 {
        pairs[at as usize] = [b'0' + at / 10, b'0' + at % 10];
        at += 1;
    }
    pairs
};

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

    fn decimal(&mut self, mut number: u64) {
        while number >= 100 {
            self.pair(number % 100);
            number /= 100;
        }
        if number >= 10 { self.pair(number) } else { self.push(b'0' + number.to_le_bytes()[0]) }
    }

    /// Two digits of a number below 100.
    fn pair(&mut self, number: u64) {
        let pair = PAIRS.get(usize::from(number.to_le_bytes()[0])).copied().unwrap_or_default();
        if let Some(from) = self.from.checked_sub(2)
            && let Some(to) = self.bytes.get_mut(from..self.from)
        {
            to.copy_from_slice(&pair);
            self.from = from;
        }
    }

    fn hexadecimal(&mut self, mut number: u64) {
        loop {
            let digit = (number % 16).to_le_bytes()[0];
            self.push(if digit < 10 { b'0' + digit } else { b'a' + (digit - 10) });
            number /= 16;
            if number == 0 {
                break;
            }
        }
    }

    fn octets(&mut self, ip: Ipv4Addr) {
        let [first, rest @ ..] = ip.octets();
        for octet in rest.into_iter().rev() {
            self.decimal(octet.into());
            self.push(b'.');
        }
        self.decimal(first.into());
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
        for value in
            [0, 1, 9, 10, 15, 16, 99, 100, 101, 255, 256, 1000, 1_000_000_007, u64::MAX - 1, u64::MAX]
        {
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
            assert_eq!(written(|out| ip(out, parsed.ip())), parsed.ip().to_string());
        }
    }
}
