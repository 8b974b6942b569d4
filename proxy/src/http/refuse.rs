//! A refusal as an HTTP answer.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use http::{HeaderMap, Method, Response, Uri, Version};

use super::headers::REFUSAL;
use crate::refusal::Refusal;

/// The head and text of the answer: a line for people, fields for programs.
pub(super) fn answer(refusal: Refusal, method: &Method, version: Version) -> Response<Bytes> {
    let text = match *method {
        Method::HEAD => Bytes::new(),
        _ => Bytes::from(text(refusal)),
    };
    let mut response = Response::new(text);
    *response.status_mut() = refusal.status();
    let headers = response.headers_mut();
    fields(refusal, headers);
    if refusal.closes() && version < Version::HTTP_2 {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Where an HTTPS name that was asked for on the plain port is served.
pub(super) fn redirect(host: &str, uri: &Uri, https_port: u16) -> Option<HeaderValue> {
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    // `OPTIONS *` asks about the server as a whole; its root is the nearest page.
    let path = if path.starts_with('/') { path } else { "/" };
    let location = match https_port {
        443 => format!("https://{host}{path}"),
        port => format!("https://{host}:{port}{path}"),
    };
    HeaderValue::try_from(location).ok()
}

/// Adds the place to go to.
pub(super) fn with_location(mut response: Response<Bytes>, location: Option<HeaderValue>) -> Response<Bytes> {
    if let Some(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// The whole answer as bytes, for connections on which HTTP is not, or not yet, spoken.
pub(crate) fn raw(refusal: Refusal) -> Vec<u8> {
    let text = text(refusal);
    format!(
        "HTTP/1.1 {}\r\ncontent-type: text/plain; charset=utf-8\r\nepr-refusal: {}\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{text}",
        refusal.status(),
        refusal.label(),
        text.len(),
    )
    .into_bytes()
}

fn text(refusal: Refusal) -> String {
    [refusal.label(), ": ", refusal.advice(), "\n"].concat()
}

fn fields(refusal: Refusal, headers: &mut HeaderMap) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(REFUSAL, HeaderValue::from_static(refusal.label()));
    // A 404 or 308 may be kept by caches otherwise (RFC 9110 15.1), and a route may be bound any time.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = refusal.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_and_when() {
        let unbound = answer(Refusal::Unbound, &Method::GET, Version::HTTP_11);
        assert_eq!(
            (unbound.status().as_u16(), &unbound.headers()["retry-after"]),
            (503, &HeaderValue::from(5))
        );
        assert_eq!(unbound.headers()["epr-refusal"], "unbound");
        assert!(unbound.body().starts_with(b"unbound: ") && !unbound.headers().contains_key("connection"));
        assert!(answer(Refusal::Unbound, &Method::HEAD, Version::HTTP_11).body().is_empty());
    }

    #[test]
    fn only_http1_is_told_that_the_connection_closes() {
        let of = |version| {
            answer(Refusal::RepeatedHost, &Method::GET, version).headers().get("connection").cloned()
        };
        assert_eq!(
            (of(Version::HTTP_11), of(Version::HTTP_2)),
            (Some(HeaderValue::from_static("close")), None)
        );
    }

    #[test]
    fn a_redirect_keeps_path_and_query_and_names_an_unusual_port() {
        let uri = Uri::from_static("http://other/a%20b?q=1&r");
        assert_eq!(redirect("a.ep-r.io", &uri, 443).unwrap(), "https://a.ep-r.io/a%20b?q=1&r");
        assert_eq!(redirect("a.ep-r.io", &Uri::from_static("*"), 8443).unwrap(), "https://a.ep-r.io:8443/");
    }

    #[test]
    fn a_raw_answer_is_one_whole_message() {
        let raw = String::from_utf8(raw(Refusal::NotTls)).unwrap();
        let (head, text) = raw.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n") && head.contains("epr-refusal: not_tls"));
        assert!(head.ends_with(&format!("content-length: {}", text.len())));
    }
}
