use std::ops::Range;

use super::fault::Fault;
use super::field::{Field, Known, parts, tokens};
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
    /// The same, if all of it is text, as it nearly always is: then names need not be judged one by one.
    text: Option<&'b str>,
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
        let mut start = from;
        loop {
            let line = line(head, start)?;
            if line.is_empty() {
                break;
            }
            if room.spans.len() == bounds.fields {
                return Err(Fault::TooManyFields);
            }
            start = line.end + 2;
            let (span, value) = span(head, line)?;
            room.spans.push(span);
            match span.known {
                Known::ContentLength => said.note_length(value),
                Known::TransferEncoding => said.note_coding(value),
                Known::Connection => {
                    let has = |name| tokens(value).any(|option| option.eq_ignore_ascii_case(name));
                    close |= has(b"close");
                    keep_alive |= has(b"keep-alive");
                }
                _ => {}
            }
        }
        if start + 2 != head.len() {
            return Err(Fault::BadField);
        }
        let text = std::str::from_utf8(head).ok();
        Ok(Self { head, text, spans: &room.spans, said, close, keep_alive })
    }

    /// Whether the connection may be used again after this message, as far as its head says (RFC 9112 9.3).
    pub(super) fn persists(&self, version: Version) -> bool {
        !self.close && (version == Version::Http11 || self.keep_alive)
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = Field<'b>> + Clone + use<'b> {
        let (head, text) = (self.head, self.text);
        self.spans.iter().map(move |span| {
            let name = span.name as usize..span.name_end as usize;
            let name = match text {
                Some(text) => text.get(name),
                None => head.get(name).and_then(|name| std::str::from_utf8(name).ok()),
            };
            let value = head.get(span.value as usize..span.value_end as usize);
            Field { known: span.known, name: name.unwrap_or_default(), value: value.unwrap_or_default() }
        })
    }
}

/// The line of `head` that begins at `start`, without its end.
pub(super) fn line(head: &[u8], start: usize) -> Result<Range<usize>, Fault> {
    let rest = head.get(start..).unwrap_or_default();
    let length = memchr::memchr(b'\n', rest).ok_or(Fault::Truncated)?;
    match rest.get(..length) {
        Some([.., b'\r']) => Ok(start..start + length - 1),
        _ => Err(Fault::BareLineFeed),
    }
}

fn span(head: &[u8], line: Range<usize>) -> Result<(Span, &[u8]), Fault> {
    let start = line.start;
    let line = head.get(line).unwrap_or_default();
    let (name, value) = parts(line)?;
    let offset = |at: usize| Offset::try_from(start + at).map_err(|_| Fault::HeadTooLong);
    let span = Span {
        known: Known::of_bytes(line.get(..name).unwrap_or_default()),
        name: offset(0)?,
        name_end: offset(name)?,
        value: offset(value.start)?,
        value_end: offset(value.end)?,
    };
    Ok((span, line.get(value).unwrap_or_default()))
}
