//! What a request is for, as the backend gets it.

use std::borrow::Cow;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

use crate::http1::Target;
use crate::refusal::Refusal;

/// The target of a request line, for a backend that speaks HTTP/1: origin-form, or `*` where the whole
/// server is meant (RFC 9112 3.2.1, 3.2.4).
///
/// # Errors
/// [`Refusal::ConnectNotSupported`] for authority-form, which only CONNECT has.
pub(crate) fn for_http1<'b>(method: &str, target: &Target<'b>) -> Result<Cow<'b, str>, Refusal> {
    match *target {
        Target::Origin(path) => Ok(path.into()),
        Target::Asterisk => Ok("*".into()),
        Target::Absolute { path: "", .. } if method == "OPTIONS" => Ok("*".into()),
        Target::Absolute { path, .. } if path.starts_with('/') => Ok(path.into()),
        // An empty path is the root (RFC 9110 4.2.3), also before a query.
        Target::Absolute { path, .. } => Ok(["/", path].concat().into()),
        Target::Authority(_) => Err(Refusal::ConnectNotSupported),
    }
}

/// The path and query of what came over HTTP/2.
pub(crate) fn of_uri(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", PathAndQuery::as_str)
}

/// The whole URI, for a backend that speaks HTTP/2: h2 makes its pseudo-header fields of it (RFC 9113
/// 8.3.1). `path` is what HTTP/1 would have in its request line.
///
/// # Errors
/// [`Refusal::BadAuthority`] or [`Refusal::BadRequest`] for what no URI has.
pub(crate) fn for_h2c<P>(host: &[u8], path: P) -> Result<Uri, Refusal>
where
    PathAndQuery: TryFrom<P>,
{
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(Authority::try_from(host).map_err(|_| Refusal::BadAuthority)?);
    parts.path_and_query = Some(PathAndQuery::try_from(path).map_err(|_| Refusal::BadRequest)?);
    Uri::from_parts(parts).map_err(|_| Refusal::BadRequest)
}

/// The scheme and authority of an absolute URI.
pub(crate) fn authority(uri: &Uri) -> Option<(&str, &str)> {
    // One without the other is no whole URI; its scheme is then none of ours.
    uri.authority().map(|authority| (uri.scheme_str().unwrap_or_default(), authority.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http1_gets_origin_form() {
        let absolute = |path| Target::Absolute { scheme: "http", authority: "x", path };
        for (method, target, line) in [
            ("GET", Target::Origin("/a?b"), "/a?b"),
            ("GET", absolute("/a?b"), "/a?b"),
            ("GET", absolute(""), "/"),
            ("GET", absolute("?a"), "/?a"),
            ("OPTIONS", absolute(""), "*"),
            ("OPTIONS", absolute("/"), "/"),
            ("OPTIONS", absolute("?a"), "/?a"),
            ("OPTIONS", Target::Asterisk, "*"),
        ] {
            assert_eq!(for_http1(method, &target).as_deref(), Ok(line), "{method} {line}");
        }
        let connect = for_http1("CONNECT", &Target::Authority("a.b:443"));
        assert_eq!(connect, Err(Refusal::ConnectNotSupported));
    }

    #[test]
    fn http2_gets_its_pseudo_fields() {
        let uri = for_h2c(b"a.ep-r.io:81", "/a?b").unwrap();
        assert_eq!(uri.to_string(), "http://a.ep-r.io:81/a?b");
        assert_eq!(for_h2c(b"a.ep-r.io", "*").unwrap().path(), "*");
        assert_eq!(for_h2c(b"a b", "/"), Err(Refusal::BadAuthority));
        assert_eq!(for_h2c(b"a.b", "/\u{7f}"), Err(Refusal::BadRequest));
    }

    #[test]
    fn a_uri_has_both_or_neither() {
        let uri = Uri::from_static("https://c.d:1/x?y");
        assert_eq!((authority(&uri), of_uri(&uri)), (Some(("https", "c.d:1")), "/x?y"));
        let uri = Uri::from_static("*");
        assert_eq!((authority(&uri), of_uri(&uri)), (None, "*"));
        assert_eq!(authority(&Uri::from_static("a.b:443")), Some(("", "a.b:443")));
    }
}
