use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::fault::Fault;
use super::head::Bounds;
use super::octets::is_tchar;
use super::request::RequestLine;
use super::response::StatusLine;
use crate::config::fixed;

/// What HTTP/2 without TLS begins with, as far as it could be HTTP/1 (RFC 9113 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// What every answer begins with.
const ANSWER: &[u8] = b"HTTP/";
/// What every head ends with.
static END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\r\n\r\n"));

/// Finds where a head ends, however it trickles in: hardly a byte is looked at twice.
///
/// What can never become a head is refused as soon as that is seen, and the same way however the bytes were
/// split: the fault told is the one that comes first.
#[derive(Debug)]
pub struct HeadScan {
    kind: Kind,
    /// Where the head begins, after blank lines.
    start: usize,
    /// Where the scan goes on.
    at: usize,
    /// Where the line begins that it is in.
    line: usize,
    /// How many lines are behind it.
    lines: usize,
    /// Where the first of them ended.
    first: usize,
    judged: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    Response,
}

impl HeadScan {
    /// For the head of a request.
    pub const fn request() -> Self {
        Self::new(Kind::Request)
    }

    /// For the head of an answer.
    pub const fn response() -> Self {
        Self::new(Kind::Response)
    }

    const fn new(kind: Kind) -> Self {
        Self { kind, start: 0, at: 0, line: 0, lines: 0, first: 0, judged: false }
    }

    /// Looks on. `bytes` are all that came since the last message's end, so they begin the same at every
    /// call. Returns where the head lies with its blank line, once all of it is there; what precedes the
    /// range are blank lines.
    ///
    /// # Errors
    /// [`Fault::Http2Preface`], [`Fault::NotHttp`], a head that is too long; and if the head is not whole yet
    /// bare line feeds and carriage returns, zero bytes, too many fields, and the faults of the first line.
    pub fn look(&mut self, bytes: &[u8], bounds: &Bounds) -> Result<Option<Range<usize>>, Fault> {
        self.begin(bytes)?;
        let seen = bytes.get(..bounds.bytes).unwrap_or(bytes);
        // Most heads come whole, and whoever reads one finds what else is wrong with it.
        if self.at == self.start
            && let Some(length) = END.find(seen.get(self.start..).unwrap_or_default())
        {
            return Ok(Some(self.start..self.start + length + b"\r\n\r\n".len()));
        }
        self.look_closely(bytes, seen, bounds)
    }

    /// Of the faults of a whole head, of which `fault` is one: that which would be told if it trickled in.
    pub(super) fn first_fault(mut self, head: &[u8], bounds: &Bounds, fault: Fault) -> Fault {
        self.look_closely(head, head, bounds).err().unwrap_or(fault)
    }

    /// Looks at every line.
    fn look_closely(
        &mut self,
        bytes: &[u8],
        seen: &[u8],
        bounds: &Bounds,
    ) -> Result<Option<Range<usize>>, Fault> {
        match self.walk(seen, bounds) {
            Ok(Some(end)) => return Ok(Some(self.start..end)),
            Ok(None) if seen.len() < bounds.bytes => {}
            Ok(None) if self.lines == 0 && self.kind == Kind::Request => return Err(Fault::TargetTooLong),
            Ok(None) => {
                self.judge(bytes)?;
                return Err(Fault::HeadTooLong);
            }
            Err(fault) => {
                self.judge(bytes)?;
                return Err(fault);
            }
        }
        self.judge(bytes)?;
        Ok(None)
    }

    /// Whether what came may begin a message at all.
    fn begin(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.lines > 0 {
            return Ok(());
        }
        match self.kind {
            Kind::Response => {
                let same = bytes.iter().zip(ANSWER).all(|(byte, expected)| byte == expected);
                if same { Ok(()) } else { Err(Fault::NotHttp) }
            }
            Kind::Request if bytes.starts_with(PREFACE) => Err(Fault::Http2Preface),
            Kind::Request => self.skip_blank_lines(bytes),
        }
    }

    fn skip_blank_lines(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        loop {
            match bytes.get(self.start..).unwrap_or_default() {
                [] | [b'\r'] => break,
                [b'\r', b'\n', ..] if self.start / 2 < fixed::BLANK_LINES => self.start += 2,
                [b'\r', b'\n', ..] => return Err(Fault::BadRequestLine),
                [b'\r', ..] => return Err(Fault::BareCarriageReturn),
                [b'\n', ..] => return Err(Fault::BareLineFeed),
                [first, ..] if is_tchar(*first) => break,
                [..] => return Err(Fault::NotHttp),
            }
        }
        self.at = self.at.max(self.start);
        self.line = self.start;
        Ok(())
    }

    /// Goes from line to line as far as the bytes go. Where the head ends, if that was seen.
    fn walk(&mut self, seen: &[u8], bounds: &Bounds) -> Result<Option<usize>, Fault> {
        loop {
            let rest = seen.get(self.at..).unwrap_or_default();
            let Some(offset) = memchr::memchr3(b'\r', b'\n', 0, rest) else {
                self.at = seen.len().max(self.at);
                return Ok(None);
            };
            self.at += offset;
            match rest.get(offset..).unwrap_or_default() {
                [b'\r', b'\n', ..] => {}
                // What follows decides.
                [b'\r'] => return Ok(None),
                [b'\r', ..] => return Err(Fault::BareCarriageReturn),
                [b'\n', ..] => return Err(Fault::BareLineFeed),
                _ => return Err(Fault::Nul),
            }
            if self.at == self.line {
                return Ok(Some(self.at + 2));
            }
            if self.lines == 0 {
                self.first = self.at;
            }
            self.lines += 1;
            self.at += 2;
            self.line = self.at;
            if self.lines > bounds.fields.saturating_add(1) {
                return Err(Fault::TooManyFields);
            }
        }
    }

    /// Judges the first line once, when more is to be waited for or something else is wrong: whole heads
    /// are judged when they are read.
    fn judge(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.judged || self.lines == 0 {
            return Ok(());
        }
        self.judged = true;
        let line = bytes.get(self.start..self.first).unwrap_or_default();
        match self.kind {
            Kind::Request => RequestLine::parse(line).map(|_| ()),
            Kind::Response => StatusLine::parse(line).map(|_| ()),
        }
    }
}

#[cfg(test)]
mod tests;
