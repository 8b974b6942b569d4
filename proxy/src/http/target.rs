//! The request line as the backend gets it.

use http::header::HOST;
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri, Version};
use proto::BackendProtocol;

use crate::refusal::Refusal;

/// Puts target, version and authority into the form the backend speaks: origin-form and Host (RFC 9112
/// 3.2.1), or the pseudo-header fields of HTTP/2, which h2 makes of a whole URI (RFC 9113 8.3.1).
pub(super) fn rewrite(head: &mut Parts, host: HeaderValue, speaks: BackendProtocol) -> Result<(), Refusal> {
    match speaks {
        BackendProtocol::Http1 => {
            head.version = Version::HTTP_11;
            if head.uri.scheme().is_some() || head.uri.authority().is_some() {
                head.uri = Uri::from(path(&head.uri));
            }
            head.headers.insert(HOST, host);
        }
        BackendProtocol::H2c => {
            head.version = Version::HTTP_2;
            head.headers.remove(HOST);
            let mut parts = http::uri::Parts::default();
            parts.scheme = Some(Scheme::HTTP);
            parts.authority = Some(Authority::try_from(host.as_bytes()).map_err(|_| Refusal::BadAuthority)?);
            parts.path_and_query = Some(path(&head.uri));
            head.uri = Uri::from_parts(parts).map_err(|_| Refusal::BadRequest)?;
        }
    }
    Ok(())
}

fn path(uri: &Uri) -> PathAndQuery {
    uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn rewritten(uri: &str, speaks: BackendProtocol) -> Parts {
        let (mut head, ()) = Request::get(uri).header("host", "old").body(()).unwrap().into_parts();
        rewrite(&mut head, HeaderValue::from_static("a.ep-r.io:81"), speaks).unwrap();
        head
    }

    #[test]
    fn http1_gets_origin_form_and_host() {
        for (uri, line) in [("http://x/a?b", "/a?b"), ("/a", "/a"), ("https://x", "/"), ("*", "*")] {
            let head = rewritten(uri, BackendProtocol::Http1);
            assert_eq!(
                (head.uri.to_string().as_str(), &head.headers["host"]),
                (line, &"a.ep-r.io:81".parse().unwrap())
            );
            assert_eq!((head.uri.authority(), head.version), (None, Version::HTTP_11));
        }
    }

    #[test]
    fn http2_gets_its_pseudo_fields() {
        let head = rewritten("/a?b", BackendProtocol::H2c);
        assert_eq!(
            (head.uri.to_string().as_str(), head.version),
            ("http://a.ep-r.io:81/a?b", Version::HTTP_2)
        );
        assert!(!head.headers.contains_key("host"));
    }
}
