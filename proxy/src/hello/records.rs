use std::borrow::Cow;

use super::extensions::{self, Alpn, Facts, ServerName};

/// What the bytes at the start of a connection are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// The beginning of a hello, as far as it goes.
    NeedMore,
    /// A whole hello.
    Hello {
        /// The name the client wants.
        server_name: ServerName,
        /// Which protocols it speaks inside TLS.
        alpn: Alpn,
        /// Whether it would rather have ChaCha20-Poly1305 than AES.
        favours_chacha20: bool,
    },
    /// Not a TLS handshake: another protocol, or SSL 2.
    NotTls,
    /// A TLS handshake that does not parse.
    Malformed,
    /// A hello that says of itself that it is longer than the limit.
    TooLong,
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;
/// Longest plaintext of a record (RFC 8446 5.1).
const MAX_FRAGMENT: usize = 1 << 14;

/// Looks for a `ClientHello` at the start of `bytes`, of at most `limit` bytes.
///
/// The message may be split over records anywhere, its own header included (RFC 8446 5.1). Only
/// lengths are walked until it is whole, so scanning anew after each read stays cheap.
pub fn scan(bytes: &[u8], limit: usize) -> Scan {
    let mut walk = Walk { rest: bytes, open: None };
    let Some(header) = walk.message_header() else {
        return walk.open.unwrap_or(Scan::NeedMore);
    };
    let [kind, a, b, c] = header;
    if kind != CLIENT_HELLO {
        return Scan::Malformed;
    }
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    if length + MESSAGE_HEADER + RECORD_HEADER > limit {
        return Scan::TooLong;
    }
    match message(bytes, MESSAGE_HEADER + length) {
        Ok(message) => match extensions::facts(message.get(MESSAGE_HEADER..).unwrap_or_default()) {
            Some(Facts { server_name, alpn, favours_chacha20 }) => {
                Scan::Hello { server_name, alpn, favours_chacha20 }
            }
            None => Scan::Malformed,
        },
        Err(scan) => scan,
    }
}

/// Steps from record to record.
struct Walk<'a> {
    rest: &'a [u8],
    /// What stopped the walk.
    open: Option<Scan>,
}

impl<'a> Walk<'a> {
    /// The part of the next record's fragment that is there, and whether that is all of it.
    fn fragment(&mut self) -> Option<&'a [u8]> {
        let (header, rest) = match self.rest {
            [] => return None,
            [HANDSHAKE] | [HANDSHAKE, 3] | [HANDSHAKE, 3, _] | [HANDSHAKE, 3, _, _] => return None,
            [HANDSHAKE, 3, _, high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), rest),
            _ => {
                self.open = Some(Scan::NotTls);
                return None;
            }
        };
        let length = usize::from(header);
        if length == 0 || length > MAX_FRAGMENT {
            self.open = Some(Scan::Malformed);
            return None;
        }
        let (fragment, rest) = rest.split_at(length.min(rest.len()));
        self.rest = rest;
        Some(fragment)
    }

    fn message_header(&mut self) -> Option<[u8; MESSAGE_HEADER]> {
        let mut header = [0_u8; MESSAGE_HEADER];
        let mut have = 0;
        while have < MESSAGE_HEADER {
            for (to, from) in header.iter_mut().skip(have).zip(self.fragment()?) {
                *to = *from;
                have += 1;
            }
        }
        Some(header)
    }
}

/// The first `length` bytes of handshake, borrowed where one record holds them.
fn message(bytes: &[u8], length: usize) -> Result<Cow<'_, [u8]>, Scan> {
    let mut walk = Walk { rest: bytes, open: None };
    let mut have = 0;
    let mut first = None;
    while have < length {
        let Some(fragment) = walk.fragment() else {
            return Err(match walk.open {
                // Later records of another type cut the message short (RFC 8446 5.1).
                Some(_) => Scan::Malformed,
                None => Scan::NeedMore,
            });
        };
        first.get_or_insert(fragment);
        have += fragment.len();
    }
    match first.and_then(|fragment| fragment.get(..length)) {
        Some(whole) => Ok(Cow::Borrowed(whole)),
        None => Ok(Cow::Owned(gather(bytes, length))),
    }
}

fn gather(bytes: &[u8], length: usize) -> Vec<u8> {
    let mut walk = Walk { rest: bytes, open: None };
    let mut message = Vec::with_capacity(length);
    while let Some(fragment) = walk.fragment() {
        let room = length - message.len();
        message.extend_from_slice(fragment.get(..room).unwrap_or(fragment));
        if message.len() == length {
            break;
        }
    }
    message
}
