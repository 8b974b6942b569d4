//! Frames of HTTP/2 written and read by hand (RFC 9113, 4 and 6), so that they can be wrong.

/// What a client begins with.
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const ACK: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// What stands in front of a frame's payload.
pub(super) struct Head {
    pub(super) size: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl Head {
    pub(super) const OCTETS: usize = 9;

    pub(super) fn parse(octets: [u8; Self::OCTETS]) -> Self {
        let [high, middle, low, kind, flags, a, b, c, d] = octets;
        let size = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        Self { size, kind, flags, stream: u32::from_be_bytes([a, b, c, d]) }
    }
}

/// A whole frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, high, middle, low] = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    [&[high, middle, low, kind, flags], stream.to_be_bytes().as_slice(), payload].concat()
}

/// A field as a literal without indexing (RFC 7541, 6.2.2), of a name and a value below 127 bytes.
pub(super) fn field(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap_or_default().min(126);
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}
