use std::ops::Range;

use http::HeaderMap;

use super::fault::Fault;
use super::octets::{is_blank, is_tchar, text_length, trimmed};

/// A field of a head or trailer section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'b> {
    /// Which of the fields that mean something to a proxy it is.
    pub known: Known,
    /// The name as it was written.
    pub name: &'b [u8],
    /// The value without the blanks around it.
    pub value: &'b [u8],
}

macro_rules! known {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The fields that mean something to a proxy.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Known {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
            /// Any other.
            Other,
        }

        #[cfg(test)]
        const NAMES: &[(Known, &str)] = &[$((Known::$variant, $name),)*];
    };
}

known! {
    Te = "te",
    Host = "host",
    Date = "date",
    Proxy = "proxy",
    Cookie = "cookie",
    Expect = "expect",
    Trailer = "trailer",
    Upgrade = "upgrade",
    EprHop = "epr-hop",
    Forwarded = "forwarded",
    Connection = "connection",
    KeepAlive = "keep-alive",
    UserAgent = "user-agent",
    SetCookie = "set-cookie",
    EprRefusal = "epr-refusal",
    XRequestId = "x-request-id",
    ContentType = "content-type",
    Traceparent = "traceparent",
    Authorization = "authorization",
    ContentLength = "content-length",
    Http2Settings = "http2-settings",
    XForwardedFor = "x-forwarded-for",
    XForwardedHost = "x-forwarded-host",
    ProxyConnection = "proxy-connection",
    XForwardedProto = "x-forwarded-proto",
    TransferEncoding = "transfer-encoding",
    SecWebsocketKey = "sec-websocket-key",
    ProxyAuthenticate = "proxy-authenticate",
    ProxyAuthorization = "proxy-authorization",
    SecWebsocketAccept = "sec-websocket-accept",
    SecWebsocketVersion = "sec-websocket-version",
}

impl Known {
    /// Which one `name` is, in whatever case it is written.
    pub fn of(name: &str) -> Self {
        Self::of_bytes(name.as_bytes())
    }

    /// The same of a name that need not be text. Length and first letter leave one at most.
    pub fn of_bytes(name: &[u8]) -> Self {
        let first = name.first().map_or(0, u8::to_ascii_lowercase);
        let if_is = |known: Self, text: &str| {
            if name.eq_ignore_ascii_case(text.as_bytes()) { known } else { Self::Other }
        };
        match (name.len(), first) {
            (2, b't') => if_is(Self::Te, "te"),
            (4, b'h') => if_is(Self::Host, "host"),
            (4, b'd') => if_is(Self::Date, "date"),
            (5, b'p') => if_is(Self::Proxy, "proxy"),
            (6, b'c') => if_is(Self::Cookie, "cookie"),
            (6, b'e') => if_is(Self::Expect, "expect"),
            (7, b't') => if_is(Self::Trailer, "trailer"),
            (7, b'u') => if_is(Self::Upgrade, "upgrade"),
            (7, b'e') => if_is(Self::EprHop, "epr-hop"),
            (9, b'f') => if_is(Self::Forwarded, "forwarded"),
            (10, b'c') => if_is(Self::Connection, "connection"),
            (10, b'k') => if_is(Self::KeepAlive, "keep-alive"),
            (10, b'u') => if_is(Self::UserAgent, "user-agent"),
            (10, b's') => if_is(Self::SetCookie, "set-cookie"),
            (11, b'e') => if_is(Self::EprRefusal, "epr-refusal"),
            (11, b't') => if_is(Self::Traceparent, "traceparent"),
            (12, b'x') => if_is(Self::XRequestId, "x-request-id"),
            (12, b'c') => if_is(Self::ContentType, "content-type"),
            (13, b'a') => if_is(Self::Authorization, "authorization"),
            (14, b'c') => if_is(Self::ContentLength, "content-length"),
            (14, b'h') => if_is(Self::Http2Settings, "http2-settings"),
            (15, b'x') => if_is(Self::XForwardedFor, "x-forwarded-for"),
            (16, b'x') => if_is(Self::XForwardedHost, "x-forwarded-host"),
            (16, b'p') => if_is(Self::ProxyConnection, "proxy-connection"),
            (17, b'x') => if_is(Self::XForwardedProto, "x-forwarded-proto"),
            (17, b't') => if_is(Self::TransferEncoding, "transfer-encoding"),
            (17, b's') => if_is(Self::SecWebsocketKey, "sec-websocket-key"),
            (18, b'p') => if_is(Self::ProxyAuthenticate, "proxy-authenticate"),
            (19, b'p') => if_is(Self::ProxyAuthorization, "proxy-authorization"),
            (20, b's') => if_is(Self::SecWebsocketAccept, "sec-websocket-accept"),
            (21, b's') => if_is(Self::SecWebsocketVersion, "sec-websocket-version"),
            _ => Self::Other,
        }
    }
}

/// HTTP/2's fields as the same thing.
pub fn fields_of(map: &HeaderMap) -> impl Iterator<Item = Field<'_>> + Clone {
    MapFields { map, rest: map.iter(), passed: 0 }
}

/// A map's own iterator cannot be cloned.
struct MapFields<'m> {
    map: &'m HeaderMap,
    rest: http::header::Iter<'m, http::HeaderValue>,
    passed: usize,
}

impl Clone for MapFields<'_> {
    fn clone(&self) -> Self {
        let mut rest = self.map.iter();
        if let Some(last) = self.passed.checked_sub(1) {
            rest.nth(last);
        }
        Self { map: self.map, rest, passed: self.passed }
    }
}

impl<'m> Iterator for MapFields<'m> {
    type Item = Field<'m>;

    fn next(&mut self) -> Option<Field<'m>> {
        let (name, value) = self.rest.next()?;
        self.passed += 1;
        let name = name.as_str().as_bytes();
        Some(Field { known: Known::of_bytes(name), name, value: trimmed(value.as_bytes()) })
    }
}

/// Whether a value has no blanks around it. HTTP/1 has them taken off (RFC 9112 5.1); over HTTP/2 it must come
/// without (RFC 9113 8.2.1).
pub(crate) fn is_trimmed(value: &[u8]) -> bool {
    let is_bare = |end: Option<&u8>| end.is_none_or(|&byte| !is_blank(byte));
    is_bare(value.first()) && is_bare(value.last())
}

/// The members of a field that is a list (RFC 9110 5.6.1), without the blanks around them; empty ones are
/// left out.
pub fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    value.split(|&byte| byte == b',').map(trimmed).filter(|member| !member.is_empty())
}

/// A field line, as offsets into it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts {
    /// Where the name ends.
    pub(super) name: usize,
    /// Where the value lies.
    pub(super) value: Range<usize>,
    /// Where the line ends, by the first byte that may not stand in a value.
    pub(super) end: usize,
}

/// Reads the field line that `bytes` begin with.
///
/// # Errors
/// [`Fault::ObsoleteFolding`] for a line that begins with a blank, [`Fault::BadField`] for every other that
/// is not a token, a colon and a value of visible characters and blanks (RFC 9112 5).
pub(super) fn parts(bytes: &[u8]) -> Result<Parts, Fault> {
    let name = bytes.iter().position(|&byte| !is_tchar(byte)).unwrap_or(bytes.len());
    let rest = match (bytes.first(), bytes.get(name..)) {
        (Some(&first), _) if is_blank(first) => return Err(Fault::ObsoleteFolding),
        (_, Some([b':', rest @ ..])) if name > 0 => rest,
        _ => return Err(Fault::BadField),
    };
    let value = rest.get(..text_length(rest)).unwrap_or_default();
    let end = name + 1 + value.len();
    let leading = value.iter().take_while(|&&byte| is_blank(byte)).count();
    let from = name + 1 + leading;
    Ok(Parts { name, value: from..from + trimmed(value).len(), end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_is_found_in_any_case() {
        for (known, name) in NAMES {
            assert_eq!(Known::of(name), *known, "{name}");
            assert_eq!(Known::of(&name.to_ascii_uppercase()), *known, "{name}");
            assert_eq!(Known::of(&format!("{name}x")), Known::Other, "{name}");
            assert_eq!(Known::of(&name.replace('-', "_")) == *known, !name.contains('-'), "{name}");
        }
        assert_eq!(Known::of(""), Known::Other);
    }

    #[test]
    fn a_line_is_a_token_a_colon_and_text() {
        let read = |line: &[u8]| parts(line).map(|parts| (parts.name, parts.value, parts.end));
        assert_eq!(read(b"a:b"), Ok((1, 2..3, 3)));
        assert_eq!(read(b"a: \tb c\t "), Ok((1, 4..7, 9)));
        assert_eq!(read(b"a:"), Ok((1, 2..2, 2)));
        assert_eq!(read(b"a:  "), Ok((1, 4..4, 4)));
        assert_eq!(read(b"a:\xff:b\r\nc:d"), Ok((1, 2..5, 5)));
        for (stopped, end) in
            [(&b"a:\x7f"[..], 2), (b"a:\x0b", 2), (b"a:b\rc", 3), (b"a:\0", 2), (b"a:b \nc", 4)]
        {
            assert_eq!(read(stopped).map(|(.., end)| end), Ok(end), "{}", stopped.escape_ascii());
        }
        for folded in [&b" a:b"[..], b"\ta:b", b" ", b" : "] {
            assert_eq!(read(folded), Err(Fault::ObsoleteFolding));
        }
        for bad in [
            &b""[..],
            b"a",
            b":b",
            b"a :b",
            b"a\t:b",
            b"a\x0b:b",
            b"a b:c",
            b"\xe4:b",
            b"(a):b",
            b"a\0:b",
            b"a\r\n:b",
        ] {
            assert_eq!(read(bad), Err(Fault::BadField), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn a_list_leaves_empty_members_out() {
        let members: Vec<_> = tokens(b", close,,\tkeep-alive , ").collect();
        assert_eq!(members, [&b"close"[..], b"keep-alive"]);
        assert_eq!(tokens(b" ").count(), 0);
    }

    #[test]
    fn fields_of_http2_are_fields_too() {
        let mut map = HeaderMap::new();
        map.insert("host", " a.b ".parse().unwrap());
        map.append("x", "1".parse().unwrap());
        map.append("x", "2".parse().unwrap());
        let mut fields = fields_of(&map);
        let field = |known, name, value| Some(Field { known, name, value });
        let all = [
            field(Known::Host, &b"host"[..], &b"a.b"[..]),
            field(Known::Other, b"x", b"1"),
            field(Known::Other, b"x", b"2"),
        ];
        for passed in 0..=all.len() {
            assert!(
                fields.clone().map(Some).eq(all[passed..].iter().copied()),
                "a copy goes on from {passed}"
            );
            assert_eq!(fields.next(), all.get(passed).copied().flatten());
        }
    }
}
