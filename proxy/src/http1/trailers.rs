use http::HeaderMap;

use super::fault::Fault;
use super::field::{Field, Known, is_trimmed, parts};
use super::octets::is_token;
use crate::config::fixed::{TRAILER_BYTES, TRAILER_FIELDS};

/// The section after the last chunk (RFC 9112 7.1.2), gathered as it comes.
#[derive(Debug, Default)]
pub(super) struct Trailers {
    /// Whole lines with their ends, and the beginning of one more.
    bytes: Vec<u8>,
    /// Where that one begins.
    line: usize,
    count: usize,
    over: bool,
}

impl Trailers {
    /// Takes what belongs to the section and says how much that was. What is taken may be passed on, so a line is judged
    /// as it comes, before its end is there.
    ///
    /// # Errors
    /// [`Fault::BareLineFeed`], [`Fault::BadTrailer`].
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let end = memchr::memchr(b'\n', bytes).map(|at| at + 1);
        let taken = end.unwrap_or(bytes.len());
        if self.bytes.len() + taken > TRAILER_BYTES {
            return Err(Fault::BadTrailer);
        }
        self.bytes.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        let line = self.bytes.get(self.line..).unwrap_or_default();
        judge(line.strip_suffix(b"\n").unwrap_or(line))?;
        if end.is_some() {
            self.end_line()?;
        }
        Ok(taken)
    }

    pub(super) fn are_over(&self) -> bool {
        self.over
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = Field<'_>> + Clone {
        let lines = self.bytes.get(..self.line).unwrap_or_default();
        lines.split(|&byte| byte == b'\n').filter_map(|line| field(line.strip_suffix(b"\r")?).ok())
    }

    fn end_line(&mut self) -> Result<(), Fault> {
        let line = self.bytes.get(self.line..).and_then(|line| line.strip_suffix(b"\r\n"));
        match line.ok_or(Fault::BareLineFeed)? {
            [] => self.over = true,
            _ if self.count == TRAILER_FIELDS => return Err(Fault::BadTrailer),
            _ => {
                self.count += 1;
                self.line = self.bytes.len();
            }
        }
        Ok(())
    }
}

/// Judges a line without its line feed, or as much of one as has come: a name that may stand here, a colon, text, and
/// a carriage return only behind all of it.
fn judge(begun: &[u8]) -> Result<(), Fault> {
    let ended = begun.strip_suffix(b"\r");
    match ended.unwrap_or(begun) {
        [] => Ok(()),
        name if ended.is_none() && is_token(name) => Ok(()),
        line if may_trail(field(line)?.name) => Ok(()),
        _ => Err(Fault::BadTrailer),
    }
}

fn field(line: &[u8]) -> Result<Field<'_>, Fault> {
    let parts = parts(line).map_err(|_| Fault::BadTrailer)?;
    let name = line.get(..parts.name).unwrap_or_default();
    let value = line.get(parts.value).unwrap_or_default();
    if parts.end == line.len() {
        Ok(Field { known: Known::of_bytes(name), name, value })
    } else {
        Err(Fault::BadTrailer)
    }
}

/// What of a frame's `trailers` may stand in a section. Applications say there what is theirs alone to them, be it by a
/// name from heads (gRPC's metadata is): such fields are left out, the rest goes on.
///
/// # Errors
/// [`Fault::BadTrailer`] when there is more than a section may have.
pub(crate) fn sifted(trailers: HeaderMap) -> Result<HeaderMap, Fault> {
    let bytes: usize = trailers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes > TRAILER_BYTES || trailers.len() > TRAILER_FIELDS {
        return Err(Fault::BadTrailer);
    }
    let may_pass = |(name, value): &(&http::HeaderName, &http::HeaderValue)| {
        may_trail(name.as_str().as_bytes()) && is_trimmed(value.as_bytes())
    };
    if trailers.iter().all(|field| may_pass(&field)) {
        return Ok(trailers);
    }
    let passed = trailers.iter().filter(may_pass);
    Ok(passed.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Whether a field may stand in a trailer section: none on which framing, routing, authority or trust stand,
/// for who merges trailers into heads would then believe them (RFC 9110 6.5.1).
///
/// Names are compared as CGI and its kin see them, for whom `_` and `-` are the same.
pub(crate) fn may_trail(name: &[u8]) -> bool {
    const NEVER: [&str; 28] = [
        "authorization",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "http2-settings",
        "keep-alive",
        "location",
        "max-forwards",
        "proxy",
        "range",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "www-authenticate",
        "x-client-ip",
        "x-http-method-override",
        "x-real-ip",
        "x-request-id",
    ];
    const NEVER_BEFORE: [&str; 4] = ["epr-", "proxy-", "sec-", "x-forwarded-"];
    let folded = |&byte: &u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    let name: Vec<u8> = name.iter().map(folded).collect();
    !NEVER.iter().any(|never| never.as_bytes() == name)
        && !NEVER_BEFORE.iter().any(|kind| name.starts_with(kind.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<usize>, Fault> {
        let mut trailers = Trailers::default();
        let mut taken = 0;
        while !trailers.are_over() && taken < bytes.len() {
            taken += trailers.take(&bytes[taken..])?;
        }
        Ok(trailers.are_over().then_some(taken))
    }

    #[test]
    fn it_ends_with_an_empty_line() {
        assert_eq!(read(b"\r\nGET"), Ok(Some(2)));
        assert_eq!(read(b"a: b\r\nGrpc-Status: 0\r\n\r\nGET"), Ok(Some(24)));
        assert_eq!(read(b"a: b\r\n"), Ok(None));
    }

    #[test]
    fn its_lines_are_fields() {
        for bare in [&b"\n"[..], b"a: b\n\r\n", b"a: b\r\n\n"] {
            assert_eq!(read(bare), Err(Fault::BareLineFeed), "{}", bare.escape_ascii());
        }
        for bad in [
            &b"\r\r\n"[..],
            b"a\r\n",
            b"a : b\r\n",
            b" a: b\r\n",
            b"a: b\r\n c\r\n",
            b"a: \0\r\n",
            b"a: b\rc: d\r\n",
        ] {
            assert_eq!(read(bad), Err(Fault::BadTrailer), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn a_line_is_judged_before_it_ends() {
        for bad in [&b"\rG"[..], b"\r\r", b"a: b\rc", b"a: \0", b"host:", b" ", b"a ", b"a\r", b":"] {
            assert_eq!(read(bad), Err(Fault::BadTrailer), "{}", bad.escape_ascii());
            let mut trailers = Trailers::default();
            let refused = bad.iter().position(|byte| trailers.take(std::slice::from_ref(byte)).is_err());
            assert_eq!(refused, Some(bad.len() - 1), "{}", bad.escape_ascii());
        }
        for begun in [&b"\r"[..], b"a", b"hos", b"a:", b"a: ", b"a: b\r"] {
            assert_eq!(read(begun), Ok(None), "{}", begun.escape_ascii());
        }
    }

    #[test]
    fn what_a_head_is_judged_by_is_not_said_afterwards() {
        for name in [
            "Content-Length",
            "TRANSFER-encoding",
            "Host",
            "host",
            "te",
            "x-forwarded-for",
            "X_Forwarded_Any",
            "epr-hop",
            "Proxy-Authorization",
            "content_length",
        ] {
            assert_eq!(read(format!("{name}: 1\r\n\r\n").as_bytes()), Err(Fault::BadTrailer), "{name}");
        }
        for name in ["grpc-status", "x-sum", "etag", "digest", "server-timing", "hosts"] {
            assert!(read(format!("{name}: 1\r\n\r\n").as_bytes()).is_ok(), "{name}");
        }
    }

    #[test]
    fn of_a_frame_those_are_left_that_may_stand_there() {
        let map = |fields: &[(&'static str, &str)]| -> HeaderMap {
            let field = |&(name, value): &(&'static str, &str)| {
                (http::HeaderName::from_static(name), value.parse().unwrap())
            };
            let mut map = HeaderMap::new();
            fields.iter().map(field).for_each(|(name, value)| {
                map.append(name, value);
            });
            map
        };
        let fine = [("grpc-status", "0"), ("x-sum", "1"), ("x-sum", "2")];
        assert_eq!(sifted(map(&fine)), Ok(map(&fine)));
        let all = [&fine[..], &[("via", "a"), ("set-cookie", "a=b"), ("epr-refusal", "x"), ("blank", " a")]];
        assert_eq!(sifted(map(&all.concat())), Ok(map(&fine)));
        assert_eq!(sifted(map(&[("host", "a")])), Ok(HeaderMap::new()));
        assert!(sifted(map(&[("x", "y"); TRAILER_FIELDS])).is_ok());
        assert_eq!(sifted(map(&[("x", "y"); TRAILER_FIELDS + 1])), Err(Fault::BadTrailer));
        assert!(sifted(map(&[("x", &"y".repeat(TRAILER_BYTES - 5))])).is_ok());
        assert_eq!(sifted(map(&[("x", &"y".repeat(TRAILER_BYTES - 4))])), Err(Fault::BadTrailer));
    }

    #[test]
    fn it_is_bounded() {
        assert!(read("a: b\r\n".repeat(TRAILER_FIELDS).as_bytes()).is_ok());
        assert_eq!(read("a: b\r\n".repeat(TRAILER_FIELDS + 1).as_bytes()), Err(Fault::BadTrailer));
        assert_eq!(read(&[b'a'; TRAILER_BYTES + 1]), Err(Fault::BadTrailer));
        assert_eq!(read(&[b'a'; TRAILER_BYTES]), Ok(None));
    }
}
