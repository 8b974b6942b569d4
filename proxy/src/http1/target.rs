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
        /// Host and perhaps port; not empty, without user information, not judged further.
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
    (known && !authority.is_empty() && !authority.contains('@')).then_some(Target::Absolute {
        scheme,
        authority,
        path,
    })
}

fn is_host_and_port(authority: &str) -> bool {
    let parts = authority.rsplit_once(':');
    parts.is_some_and(|(host, port)| {
        let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        is_port && !host.is_empty() && !host.contains(['/', '?', '@'])
    })
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
        assert_eq!(of("OPTIONS", "*"), Ok(Target::Asterisk));
        assert_eq!(of("OPTIONS", "http://a"), absolute("http", "a", ""));
        assert_eq!(of("CONNECT", "a.b:443"), Ok(Target::Authority("a.b:443")));
        assert_eq!(of("CONNECT", "[::1]:443"), Ok(Target::Authority("[::1]:443")));
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
        for target in ["*", "/", "a", "a:", ":1", "a:b", "http://a:1", "u@a:1", "a:1/", "a:+1"] {
            assert_eq!(Target::parse("CONNECT", target), Err(Fault::BadTarget), "{target:?}");
        }
        assert_eq!(Target::parse("options", "*"), Err(Fault::BadTarget), "methods know case");
        assert_eq!(Target::parse("connect", "a:1"), Err(Fault::BadTarget));
    }
}
