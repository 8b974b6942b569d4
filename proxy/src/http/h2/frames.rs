//! Follows a client's frames as they come by, without keeping them.

/// What a frame is, as far as its cost is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request, or bytes of one.
    Work,
    /// It takes a request back.
    Reset,
    /// What a client says of what it was sent: PING, `WINDOW_UPDATE`.
    Response,
    /// It asks for nothing and brings nothing: SETTINGS, PRIORITY, CONTINUATION, empty DATA, what nobody knows.
    Idle,
}

/// Where in a connection's bytes the next one stands (RFC 9113 3.4, 4.1).
#[derive(Debug)]
pub struct Frames {
    at: At,
    /// A header block was begun whose end did not come yet (RFC 9113 4.3).
    in_block: bool,
    /// It ends with the payload of this frame.
    ends_block: bool,
}

#[derive(Debug)]
enum At {
    /// Bytes left of the connection's preface.
    Preface(usize),
    /// Within a frame's head, of which so many bytes are there.
    Head([u8; HEAD], usize),
    /// Within a frame's payload, of which so many bytes are missing.
    Payload(usize),
}

const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
const HEAD: usize = 9;

mod types {
    pub(super) const DATA: u8 = 0;
    pub(super) const HEADERS: u8 = 1;
    pub(super) const RST_STREAM: u8 = 3;
    pub(super) const PING: u8 = 6;
    pub(super) const WINDOW_UPDATE: u8 = 8;
    pub(super) const CONTINUATION: u8 = 9;
}

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

impl Default for Frames {
    fn default() -> Self {
        Self::new()
    }
}

impl Frames {
    /// Before a connection's first byte.
    pub fn new() -> Self {
        Self { at: At::Preface(PREFACE), in_block: false, ends_block: false }
    }

    /// Whether something is begun that the client has to end before anything else can come: the preface, or
    /// the head of a request.
    pub fn is_in_head(&self) -> bool {
        self.in_block || matches!(self.at, At::Preface(_))
    }

    /// Goes over the next bytes, and tells of each frame whose head is whole by now.
    pub fn follow(&mut self, mut bytes: &[u8], mut tell: impl FnMut(Kind)) {
        while !bytes.is_empty() {
            match &mut self.at {
                At::Preface(left) | At::Payload(left) => {
                    let skipped = bytes.len().min(*left);
                    *left -= skipped;
                    bytes = bytes.get(skipped..).unwrap_or_default();
                    if *left == 0 {
                        self.leave();
                    }
                }
                At::Head(head, have) => {
                    let (byte, rest) = bytes.split_first().unwrap_or((&0, &[]));
                    if let Some(place) = head.get_mut(*have) {
                        *place = *byte;
                    }
                    (bytes, *have) = (rest, *have + 1);
                    if *have == HEAD {
                        let head = *head;
                        tell(self.enter(head));
                    }
                }
            }
        }
    }

    /// Enters the payload of the frame that has this head.
    fn enter(&mut self, [high, middle, low, kind, flags, ..]: [u8; HEAD]) -> Kind {
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        if matches!(kind, types::HEADERS | types::CONTINUATION) {
            (self.in_block, self.ends_block) = (true, flags & END_HEADERS != 0);
        }
        self.at = At::Payload(length);
        if length == 0 {
            self.leave();
        }
        match kind {
            types::HEADERS => Kind::Work,
            types::DATA if length > 0 || flags & END_STREAM != 0 => Kind::Work,
            types::RST_STREAM => Kind::Reset,
            types::PING | types::WINDOW_UPDATE => Kind::Response,
            _ => Kind::Idle,
        }
    }

    /// The payload is over.
    fn leave(&mut self) {
        self.at = At::Head([0; HEAD], 0);
        if std::mem::take(&mut self.ends_block) {
            self.in_block = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
        \0\0\0\x04\0\0\0\0\0\
        \0\0\x02\x01\0\0\0\0\x01hh\
        \0\0\x01\x09\x04\0\0\0\x01h\
        \0\0\0\0\0\0\0\0\x01\
        \0\0\x01\0\0\0\0\0\x01d\
        \0\0\0\0\x01\0\0\0\x01\
        \0\0\x04\x03\0\0\0\0\x01rrrr\
        \0\0\x08\x06\0\0\0\0\0pppppppp\
        \0\0\0\x77\0\0\0\0\0";

    #[test]
    fn frames_are_told_apart_however_their_bytes_come() {
        use Kind::{Idle, Reset, Response, Work};
        let expected = [Idle, Work, Idle, Idle, Work, Work, Reset, Response, Idle];
        for size in 1..BYTES.len() {
            let (mut frames, mut told) = (Frames::new(), Vec::new());
            BYTES.chunks(size).for_each(|chunk| frames.follow(chunk, |kind| told.push(kind)));
            assert_eq!(told, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_head_is_begun_until_its_block_ends() {
        let mut frames = Frames::new();
        assert!(frames.is_in_head(), "the preface is awaited");
        frames.follow(&BYTES[..PREFACE + 9], drop);
        assert!(!frames.is_in_head(), "SETTINGS are no head");
        frames.follow(&BYTES[PREFACE + 9..PREFACE + 20], drop);
        assert!(frames.is_in_head(), "HEADERS without an end");
        frames.follow(&BYTES[PREFACE + 20..PREFACE + 29], drop);
        assert!(frames.is_in_head(), "the end is said, and did not come yet");
        frames.follow(&BYTES[PREFACE + 29..], drop);
        assert!(!frames.is_in_head());
    }
}
