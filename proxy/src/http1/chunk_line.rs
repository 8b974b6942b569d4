use super::fault::Fault;
use super::framing;
use super::octets::{is_blank, is_tchar, is_text};
use crate::config::fixed;

/// As many hexadecimal digits as 64 bits have.
const MOST_DIGITS: u16 = 16;

/// The line before a chunk, taken byte by byte (RFC 9112 7.1, 7.1.1):
/// `1*HEXDIG *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ) CRLF`.
#[derive(Debug)]
pub(super) struct ChunkLine {
    size: u64,
    digits: u16,
    length: u16,
    place: Place,
}

/// What the last byte was part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Size,
    /// Blanks after a size or a value: an extension must follow.
    BeforeSemicolon,
    Semicolon,
    Name,
    /// Blanks after a name: a value or another extension must follow.
    AfterName,
    Equals,
    Token,
    Quoted,
    /// The backslash of a quoted pair.
    Backslash,
    Unquoted,
    Return,
}

impl ChunkLine {
    pub(super) const fn new() -> Self {
        Self { size: 0, digits: 0, length: 0, place: Place::Size }
    }

    /// Takes the next byte; the chunk's size if it was the line's last.
    pub(super) fn take(&mut self, byte: u8) -> Result<Option<u64>, Fault> {
        self.length += 1;
        if self.length > fixed::CHUNK_LINE {
            return Err(Fault::BadChunk);
        }
        if self.place == Place::Return {
            return if byte == b'\n' { Ok(Some(self.size)) } else { Err(Fault::BadChunk) };
        }
        self.place = match self.place {
            Place::Size => self.digit_or_end(byte),
            place => after(place, byte),
        }
        .ok_or(if byte == b'\n' { Fault::BareLineFeed } else { Fault::BadChunk })?;
        Ok(None)
    }

    /// What of the line was neither size nor its end, in bytes.
    pub(super) fn extensions(&self) -> u64 {
        u64::from(self.length.saturating_sub(self.digits + 2))
    }

    fn digit_or_end(&mut self, byte: u8) -> Option<Place> {
        let Some(digit) = char::from(byte).to_digit(16) else {
            return if self.digits > 0 { after(Place::Size, byte) } else { None };
        };
        self.digits += 1;
        self.size = (self.size << 4) | u64::from(digit);
        (self.digits <= MOST_DIGITS && self.size <= framing::LONGEST).then_some(Place::Size)
    }
}

/// Where a byte leads that is not a digit of the size, if it may stand there at all.
fn after(place: Place, byte: u8) -> Option<Place> {
    match (place, byte) {
        (Place::Size | Place::Name | Place::Token | Place::Unquoted, b'\r') => Some(Place::Return),
        (
            Place::Size
            | Place::BeforeSemicolon
            | Place::Name
            | Place::AfterName
            | Place::Token
            | Place::Unquoted,
            b';',
        ) => Some(Place::Semicolon),
        (Place::Name | Place::AfterName, b'=') => Some(Place::Equals),
        (Place::Equals, b'"') => Some(Place::Quoted),
        (Place::Quoted, b'"') => Some(Place::Unquoted),
        (Place::Quoted, b'\\') => Some(Place::Backslash),
        (Place::Quoted | Place::Backslash, text) if is_text(text) => Some(Place::Quoted),
        (Place::Semicolon | Place::Name, tchar) if is_tchar(tchar) => Some(Place::Name),
        (Place::Equals | Place::Token, tchar) if is_tchar(tchar) => Some(Place::Token),
        (Place::Semicolon | Place::Equals | Place::BeforeSemicolon | Place::AfterName, blank)
            if is_blank(blank) =>
        {
            Some(place)
        }
        (Place::Size | Place::Token | Place::Unquoted, blank) if is_blank(blank) => {
            Some(Place::BeforeSemicolon)
        }
        (Place::Name, blank) if is_blank(blank) => Some(Place::AfterName),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bytes: &[u8]) -> Result<Option<u64>, Fault> {
        let mut line = ChunkLine::new();
        let mut size = None;
        for &byte in bytes {
            assert_eq!(size, None, "bytes after the end");
            size = line.take(byte)?;
        }
        Ok(size)
    }

    #[test]
    fn a_size_is_hexadecimal_digits() {
        assert_eq!(line(b"0\r\n"), Ok(Some(0)));
        assert_eq!(line(b"00aF\r\n"), Ok(Some(0xaf)));
        assert_eq!(line(b"7fffffffffffffff\r\n"), Ok(Some(framing::LONGEST)));
        assert_eq!(line(b"5\r"), Ok(None));
        for bad in [
            &b"\r\n"[..],
            b"g\r\n",
            b"0x5\r\n",
            b"-5\r\n",
            b"+5\r\n",
            b" 5\r\n",
            b"5 \r\n",
            b"5\t\r\n",
            b"5_0\r\n",
            b"5.0\r\n",
            b"5\r\r\n",
            b"5\rx",
            b"8000000000000000\r\n",
            b"ffffffffffffffff\r\n",
            b"10000000000000000\r\n",
            b"00000000000000001\r\n",
            b"5 5\r\n",
            b"5\0\r\n",
            b";a\r\n",
        ] {
            assert_eq!(line(bad), Err(Fault::BadChunk), "{}", bad.escape_ascii());
        }
        for bare in [&b"5\n"[..], b"\n", b"5;a\n", b"5;a=\"\n"] {
            assert_eq!(line(bare), Err(Fault::BareLineFeed), "{}", bare.escape_ascii());
        }
    }

    #[test]
    fn extensions_follow_the_grammar() {
        for good in [
            "5;a",
            "5;a=b",
            "5 ; a = b",
            "5\t;\ta\t=\tb",
            "5;a;b;c=d;e",
            "5;a=\"\"",
            "5;a=\"b;c=\\\"\\\\\t\u{e4}\"",
            "5;a=\"b\" ;c",
            "5;a ;b",
            "5;a=b ;c",
        ] {
            assert_eq!(line(format!("{good}\r\n").as_bytes()), Ok(Some(5)), "{good}");
        }
        for bad in [
            "5;",
            "5;;a",
            "5;a=",
            "5;a=;b",
            "5;=b",
            "5;a b",
            "5;a=b c",
            "5;a ",
            "5;a=b ",
            "5;a=\"b\" ",
            "5;a=\"b",
            "5;a=\"b\"c",
            "5;a=\"b\\",
            "5;a\"b\"",
            "5;a=\"\r\n\"",
            "5;a=\"\\\r\n\"",
            "5;a=\"\u{1}\"",
            "5;\u{e4}",
            "5;a=\"\u{7f}\"",
            "5,a",
            "5:a",
            "5 a",
        ] {
            assert_eq!(line(format!("{bad}\r\n").as_bytes()), Err(Fault::BadChunk), "{bad}");
        }
    }

    #[test]
    fn a_line_is_not_long() {
        let of = |name: usize| line(format!("5;{}\r\n", "a".repeat(name)).as_bytes());
        assert_eq!(of(252), Ok(Some(5)));
        assert_eq!(of(253), Err(Fault::BadChunk));
    }
}
