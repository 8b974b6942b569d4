use super::fault::Fault;
use super::field::{Field, Known, Parts, parts, tokens};
use super::framing::Said;

/// How large a head may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most bytes, from the first of the first line to the last of the blank line; what precedes the first
    /// line counts too, where a buffer has to hold it.
    pub bytes: usize,
    /// Most fields.
    pub fields: usize,
}

/// The version of a message (RFC 9112 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

impl Version {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        match bytes {
            b"HTTP/1.1" => Ok(Self::Http11),
            b"HTTP/1.0" => Ok(Self::Http10),
            _ => Err(Fault::BadVersion),
        }
    }
}

impl From<Version> for http::Version {
    fn from(version: Version) -> Self {
        match version {
            Version::Http10 => Self::HTTP_10,
            Version::Http11 => Self::HTTP_11,
        }
    }
}

/// Where the fields of a head lie. One serves many heads, one after the other, without asking for memory.
#[derive(Debug, Default)]
pub struct Room {
    spans: Vec<Span>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    known: Known,
    name: Offset,
    name_end: Offset,
    value: Offset,
    value_end: Offset,
}

/// Half of what a `usize` is: rooms are kept per connection.
type Offset = u32;

/// The fields of a head, with what those say that frame its message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section<'b> {
    /// The whole head.
    head: &'b [u8],
    spans: &'b [Span],
    pub(super) said: Said<'b>,
    close: bool,
    keep_alive: bool,
}

impl<'b> Section<'b> {
    /// Reads the field lines of `head`, the first of which begins at `from`; a blank line must end it, and
    /// nothing may follow.
    pub(super) fn parse(
        head: &'b [u8],
        from: usize,
        room: &'b mut Room,
        bounds: &Bounds,
    ) -> Result<Self, Fault> {
        if head.len() > bounds.bytes || Offset::try_from(head.len()).is_err() {
            return Err(Fault::HeadTooLong);
        }
        room.spans.clear();
        let (mut said, mut close, mut keep_alive) = (Said::default(), false, false);
        let mut at = from;
        loop {
            let rest = head.get(at..).unwrap_or_default();
            if rest.starts_with(b"\r\n") {
                break;
            }
            if room.spans.len() == bounds.fields {
                return Err(Fault::TooManyFields);
            }
            let parts = line(rest)?;
            let (name, value) = (rest.get(..parts.name), rest.get(parts.value.clone()).unwrap_or_default());
            let known = Known::of_bytes(name.unwrap_or_default());
            match known {
                Known::ContentLength => said.note_length(value),
                Known::TransferEncoding => said.note_coding(value),
                Known::Connection => {
                    let has = |name| tokens(value).any(|option| option.eq_ignore_ascii_case(name));
                    close |= has(b"close");
                    keep_alive |= has(b"keep-alive");
                }
                _ => {}
            }
            room.spans.push(Span::new(known, at, &parts)?);
            at += parts.end + 2;
        }
        if at + 2 != head.len() {
            return Err(Fault::BadField);
        }
        Ok(Self { head, spans: &room.spans, said, close, keep_alive })
    }

    /// Whether the connection may be used again after this message, as far as its head says (RFC 9112 9.3).
    pub(super) fn persists(&self, version: Version) -> bool {
        !self.close && (version == Version::Http11 || self.keep_alive)
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = Field<'b>> + Clone + use<'b> {
        let head = self.head;
        self.spans.iter().map(move |span| {
            let name = head.get(span.name as usize..span.name_end as usize).unwrap_or_default();
            let value = head.get(span.value as usize..span.value_end as usize).unwrap_or_default();
            Field { known: span.known, name, value }
        })
    }
}

impl Span {
    /// Of the line that begins at `start`.
    fn new(known: Known, start: usize, parts: &Parts) -> Result<Self, Fault> {
        let offset = |at: usize| Offset::try_from(start + at).map_err(|_| Fault::HeadTooLong);
        let (name, name_end) = (offset(0)?, offset(parts.name)?);
        Ok(Self {
            known,
            name,
            name_end,
            value: offset(parts.value.start)?,
            value_end: offset(parts.value.end)?,
        })
    }
}

/// The field line that `bytes` begin with, its end included.
fn line(bytes: &[u8]) -> Result<Parts, Fault> {
    if bytes.is_empty() {
        return Err(Fault::Truncated);
    }
    let parts = parts(bytes)?;
    match bytes.get(parts.end..).unwrap_or_default() {
        [b'\r', b'\n', ..] => Ok(parts),
        [] | [b'\r'] => Err(Fault::Truncated),
        [b'\n', ..] => Err(Fault::BareLineFeed),
        _ => Err(Fault::BadField),
    }
}

/// The first line of `head`, without its end.
pub(super) fn first_line(head: &[u8]) -> Result<&[u8], Fault> {
    let end = memchr::memchr(b'\n', head).ok_or(Fault::Truncated)?;
    match head.get(..end) {
        Some([line @ .., b'\r']) => Ok(line),
        _ => Err(Fault::BareLineFeed),
    }
}
