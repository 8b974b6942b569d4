use std::net::Ipv6Addr;

use super::fault::Fault;
use super::octets::are_target;

/// What a request asks for, in one of four forms (RFC 9112 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'b> {
    /// A path, and a query perhaps.
    Origin(&'b str),
    /// A whole URI, as it is sent to proxies and must be taken by everyone.
    Absolute {
        /// `http` or `https`, in whatever case.
        scheme: &'b str,
        /// Host and perhaps port, without user information, as the grammar has them: not judged further.
        authority: &'b str,
        /// What follows: nothing, or a path or query with its first character.
        path: &'b str,
    },
    /// Host and port, of CONNECT.
    Authority(&'b str),
    /// `*`, of OPTIONS.
    Asterisk,
}

impl<'b> Target<'b> {
    /// Path and query, for the record: a target without any has the root's.
    pub fn path(&self) -> &'b str {
        match *self {
            Self::Origin(path) | Self::Absolute { path, .. } if !path.is_empty() => path,
            Self::Authority(_) | Self::Origin(_) | Self::Absolute { .. } => "/",
            Self::Asterisk => "*",
        }
    }

    /// Reads the `:path` of a request with this method (RFC 9113 8.3.1).
    ///
    /// # Errors
    /// [`Fault::BadTarget`].
    pub(crate) fn in_path(method: &str, path: &'b str) -> Result<Self, Fault> {
        match Self::parse(method, path)? {
            target @ (Self::Origin(_) | Self::Asterisk) => Ok(target),
            Self::Absolute { .. } | Self::Authority(_) => Err(Fault::BadTarget),
        }
    }

    /// Reads the target of a request with this method.
    ///
    /// # Errors
    /// [`Fault::BadTarget`].
    pub(super) fn parse(method: &str, target: &'b str) -> Result<Self, Fault> {
        if !are_target(target.as_bytes()) {
            return Err(Fault::BadTarget);
        }
        match (method, target) {
            ("CONNECT", authority) if is_host_and_port(authority) => Ok(Self::Authority(authority)),
            ("CONNECT", _) => Err(Fault::BadTarget),
            (_, path) if path.starts_with('/') => Ok(Self::Origin(path)),
            ("OPTIONS", "*") => Ok(Self::Asterisk),
            _ => absolute(target).ok_or(Fault::BadTarget),
        }
    }
}

fn absolute(target: &str) -> Option<Target<'_>> {
    let (scheme, rest) = target.split_once("://")?;
    let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (host, port) = host_and_port(authority)?;
    (known && is_host(host) && is_digits(port.unwrap_or_default())).then_some(Target::Absolute {
        scheme,
        authority,
        path,
    })
}

fn is_host_and_port(authority: &str) -> bool {
    let Some((host, Some(port))) = host_and_port(authority) else { return false };
    is_host(host) && !port.is_empty() && is_digits(port)
}

/// What stands before the colon of the port, and what after it. User information is never taken: it is there
/// to deceive (RFC 9110 4.2.4).
fn host_and_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let port = authority.rfind(':').filter(|colon| authority.rfind(']').is_none_or(|end| end < *colon));
    match port {
        Some(colon) => Some((authority.get(..colon)?, Some(authority.get(colon + 1..)?))),
        None => Some((authority, None)),
    }
}

/// Whether it is a host that is not empty (RFC 3986 3.2.2); names are judged further by who looks them up.
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let mut rest = host.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => after,
            _ if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte) => after,
            _ => return false,
        };
    }
    !host.is_empty()
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_told_by_its_beginning() {
        let of = |method, target| Target::parse(method, target);
        for path in ["/", "//", "//a@b/", "/a?b=c|d", "/?", "/*", "/\"<>\\^`{}", "/http://a/", "/%zz"] {
            assert_eq!(of("GET", path), Ok(Target::Origin(path)));
        }
        let absolute = |scheme, authority, path| Ok(Target::Absolute { scheme, authority, path });
        assert_eq!(of("GET", "http://a.b"), absolute("http", "a.b", ""));
        assert_eq!(of("GET", "HTTPS://a.b:1/c?d"), absolute("HTTPS", "a.b:1", "/c?d"));
        assert_eq!(of("GET", "http://[::1]?@/"), absolute("http", "[::1]", "?@/"));
        assert_eq!(of("GET", "http://a%2fb:/"), absolute("http", "a%2fb:", "/"));
        assert_eq!(of("OPTIONS", "*"), Ok(Target::Asterisk));
        assert_eq!(of("OPTIONS", "http://a"), absolute("http", "a", ""));
        assert_eq!(of("CONNECT", "a.b:443"), Ok(Target::Authority("a.b:443")));
        assert_eq!(of("CONNECT", "[::1]:443"), Ok(Target::Authority("[::1]:443")));
    }

    #[test]
    fn http2_has_two_forms() {
        assert_eq!(Target::in_path("GET", "/a?b"), Ok(Target::Origin("/a?b")));
        assert_eq!(Target::in_path("OPTIONS", "*"), Ok(Target::Asterisk));
        for (method, path) in
            [("GET", "*"), ("GET", "http://a/"), ("CONNECT", "a:1"), ("GET", "?a"), ("GET", "/\u{e4}")]
        {
            assert_eq!(Target::in_path(method, path), Err(Fault::BadTarget), "{method} {path}");
        }
    }

    #[test]
    fn no_other_form_is_taken() {
        for target in [
            "",
            "*",
            "a",
            "a.b:443",
            "?a",
            "http:/a",
            "http:///",
            "http://",
            "http://?a",
            "http://u@a/",
            "http://:80/",
            "http://a:b/",
            "http://[::1/",
            "http://[]/",
            "http://[::1]a/",
            "http://[v1.a]/",
            "http://[::1%25eth0]/",
            "http://a%2/",
            "http://a\\b/",
            "http://a:1:2/",
            "http://@a",
            "http://u:p@a/",
            "ftp://a/",
            "file:///a",
            "javascript:a",
            "ws://a/",
            "://a",
            " http://a",
            "/#",
            "/a#b",
            "/a b",
            "/\t",
            "/\u{7f}",
            "/\u{e4}",
            "/\0",
            "http://a/#b",
            "*/",
            "**",
            "\\",
        ] {
            assert_eq!(Target::parse("GET", target), Err(Fault::BadTarget), "{target:?}");
        }
        for target in [
            "*",
            "/",
            "a",
            "a:",
            ":1",
            "a:b",
            "http://a:1",
            "u@a:1",
            "a:1/",
            "a:+1",
            "[::1]",
            "[::1]1:2",
            "a|b:1",
        ] {
            assert_eq!(Target::parse("CONNECT", target), Err(Fault::BadTarget), "{target:?}");
        }
        assert_eq!(Target::parse("options", "*"), Err(Fault::BadTarget), "methods know case");
        assert_eq!(Target::parse("connect", "a:1"), Err(Fault::BadTarget));
    }
}
