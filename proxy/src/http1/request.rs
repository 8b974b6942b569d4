use super::fault::Fault;
use super::field::{Field, Known};
use super::framing::Framing;
use super::head::{Bounds, Room, Section, Version, first_line};
use super::octets::is_token;
use super::scan::HeadScan;
use super::target::Target;
use crate::config::fixed;

/// The head of a request, read where it lies.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'b> {
    /// The method, which knows upper from lower case.
    pub method: &'b str,
    /// What it asks for.
    pub target: Target<'b>,
    /// The client's version.
    pub version: Version,
    /// How the end of the body is found: never [`Framing::UntilClose`].
    pub framing: Framing,
    /// Whether the client may send another request over the connection (RFC 9112 9.3).
    pub persists: bool,
    /// Whether the client waits for a word before it sends the body (RFC 9110 10.1.1).
    pub expects_continue: bool,
    section: Section<'b>,
}

impl<'b> RequestHead<'b> {
    /// Reads `head`, which ends with its blank line.
    ///
    /// # Errors
    /// Every [`Fault`] a head can have: what could be read in two ways is refused.
    pub fn parse(head: &'b [u8], room: &'b mut Room, bounds: &Bounds) -> Result<Self, Fault> {
        Self::read(head, room, bounds).map_err(|fault| HeadScan::request().first_fault(head, bounds, fault))
    }

    fn read(head: &'b [u8], room: &'b mut Room, bounds: &Bounds) -> Result<Self, Fault> {
        let first = first_line(head)?;
        let RequestLine { method, target, version } = RequestLine::parse(first)?;
        let section = Section::parse(head, first.len() + 2, room, bounds)?;
        let framing = section.said.framing(version)?.unwrap_or(Framing::Empty);
        Ok(Self {
            method,
            target,
            version,
            framing,
            persists: section.persists(version),
            // Without a body there is nothing to wait for; to HTTP/1.0 the expectation is unknown.
            expects_continue: expects_continue(section.fields())?
                && version == Version::Http11
                && framing != Framing::Empty,
            section,
        })
    }

    /// The fields, in the order they came.
    pub fn fields(&self) -> impl Iterator<Item = Field<'b>> + Clone + use<'b> {
        self.section.fields()
    }
}

/// Whether a client waits for a word before it sends the body (RFC 9110 10.1.1).
///
/// # Errors
/// [`Fault::UnknownExpectation`].
pub(crate) fn expects_continue<'b>(fields: impl Iterator<Item = Field<'b>>) -> Result<bool, Fault> {
    let mut expectations = fields.filter(|field| field.known == Known::Expect);
    match (expectations.next(), expectations.next()) {
        (None, _) => Ok(false),
        (Some(only), None) if only.value.eq_ignore_ascii_case(b"100-continue") => Ok(true),
        _ => Err(Fault::UnknownExpectation),
    }
}

/// The first line of a request (RFC 9112 3).
pub(super) struct RequestLine<'b> {
    method: &'b str,
    target: Target<'b>,
    version: Version,
}

impl<'b> RequestLine<'b> {
    /// Reads the line, without its end.
    ///
    /// # Errors
    /// [`Fault::BadRequestLine`], [`Fault::BadVersion`], [`Fault::BadTarget`].
    pub(super) fn parse(line: &'b [u8]) -> Result<Self, Fault> {
        let mut parts = line.split(|&byte| byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Fault::BadRequestLine);
        };
        if !is_token(method) || method.len() > fixed::METHOD || target.is_empty() {
            return Err(Fault::BadRequestLine);
        }
        let version = Version::parse(version)?;
        let method = std::str::from_utf8(method).map_err(|_| Fault::BadRequestLine)?;
        let target = std::str::from_utf8(target).map_err(|_| Fault::BadTarget)?;
        Ok(Self { method, target: Target::parse(method, target)?, version })
    }
}

#[cfg(test)]
mod tests;
