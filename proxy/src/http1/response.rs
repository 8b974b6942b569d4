use super::fault::Fault;
use super::field::Field;
use super::framing::Framing;
use super::head::{Bounds, Room, Section, Version, first_line};
use super::octets::are_text;
use super::scan::HeadScan;

/// The head of an answer, read where it lies.
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead<'b> {
    /// From 100 to 999.
    pub status: u16,
    /// The reason as it was written, often empty.
    pub reason: &'b [u8],
    /// The backend's version.
    pub version: Version,
    /// Whether the backend will take another request over the connection, if the body's end can be found
    /// without closing it (RFC 9112 9.3).
    pub persists: bool,
    /// The length that was said, whether or not a body follows: answers to HEAD and 304 tell of a body they
    /// do not have. None when it is ambiguous or not a number.
    pub content_length: Option<u64>,
    said: Result<Option<Framing>, Fault>,
    section: Section<'b>,
}

impl<'b> ResponseHead<'b> {
    /// Reads `head`, which ends with its blank line.
    ///
    /// # Errors
    /// Every [`Fault`] a head can have but for those of [`Self::framing`].
    pub fn parse(head: &'b [u8], room: &'b mut Room, bounds: &Bounds) -> Result<Self, Fault> {
        Self::read(head, room, bounds).map_err(|fault| HeadScan::response().first_fault(head, bounds, fault))
    }

    fn read(head: &'b [u8], room: &'b mut Room, bounds: &Bounds) -> Result<Self, Fault> {
        let first = first_line(head)?;
        let StatusLine { status, reason, version } = StatusLine::parse(first)?;
        let section = Section::parse(head, first.len() + 2, room, bounds)?;
        let said = section.said.framing(version);
        let content_length = match said {
            Ok(Some(Framing::Length(length))) => Some(length),
            _ => None,
        };
        Ok(Self {
            status,
            reason,
            version,
            persists: section.persists(version),
            content_length,
            said,
            section,
        })
    }

    /// The fields, in the order they came.
    pub fn fields(&self) -> impl Iterator<Item = Field<'b>> + Clone + use<'b> {
        self.section.fields()
    }

    /// How the end of the body is found (RFC 9112 6.3), `to_head` being whether the request was a HEAD.
    /// Not for answers to CONNECT.
    ///
    /// # Errors
    /// [`Fault::AmbiguousLength`], [`Fault::BadLength`], [`Fault::UnknownCoding`], [`Fault::BadCoding`],
    /// [`Fault::CodingInHttp10`], if there is a body at all.
    pub fn framing(&self, to_head: bool) -> Result<Framing, Fault> {
        if to_head || matches!(self.status, 100..=199 | 204 | 304) {
            return Ok(Framing::Empty);
        }
        Ok(self.said?.unwrap_or(Framing::UntilClose))
    }

    /// Whether an answer that can have no body says that it has one (RFC 9112 6.1, RFC 9110 8.6). Who means it sends
    /// what the next answer would seem to begin with.
    pub fn is_doubtful(&self) -> bool {
        match self.said {
            Ok(None) => false,
            Ok(Some(Framing::Length(length))) => self.status == 204 && length > 0,
            Ok(Some(Framing::Empty | Framing::Chunked | Framing::UntilClose)) | Err(_) => {
                matches!(self.status, 204 | 304)
            }
        }
    }
}

/// The first line of an answer (RFC 9112 4).
pub(super) struct StatusLine<'b> {
    status: u16,
    reason: &'b [u8],
    version: Version,
}

impl<'b> StatusLine<'b> {
    /// Reads the line, without its end. The space before an absent reason may be absent too: backends forget
    /// it, and nothing else can be meant.
    ///
    /// # Errors
    /// [`Fault::BadStatusLine`], [`Fault::BadVersion`].
    pub(super) fn parse(line: &'b [u8]) -> Result<Self, Fault> {
        let (version, rest) = line.split_at_checked(8).ok_or(Fault::BadStatusLine)?;
        let version = Version::parse(version)?;
        let (digits, reason) = match rest {
            [b' ', a, b, c] => ([a, b, c], &[][..]),
            [b' ', a, b, c, b' ', reason @ ..] => ([a, b, c], reason),
            _ => return Err(Fault::BadStatusLine),
        };
        if !digits.iter().all(|digit| digit.is_ascii_digit()) || !are_text(reason) {
            return Err(Fault::BadStatusLine);
        }
        let status = digits.iter().fold(0, |status, &digit| status * 10 + u16::from(digit - b'0'));
        if status < 100 {
            return Err(Fault::BadStatusLine);
        }
        Ok(Self { status, reason, version })
    }
}

#[cfg(test)]
mod tests;
