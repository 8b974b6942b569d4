//! A refusal as an HTTP answer.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use http::{HeaderMap, Method, Response};

use super::headers::REFUSAL;
use crate::buffers::Text;
use crate::http1::{Fault, Framing, fields_of, write};
use crate::refusal::Refusal;

/// An answer to a client that speaks HTTP/2: a line for people, fields for programs.
pub(super) fn answer(refusal: Refusal, method: &Method) -> Response<Bytes> {
    let text = match *method {
        Method::HEAD => Bytes::new(),
        _ => Bytes::from(text(refusal, None)),
    };
    let mut response = Response::new(text);
    *response.status_mut() = refusal.status();
    fields(refusal, response.headers_mut());
    response
}

/// What becomes of a connection after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It ends.
    Closes,
    /// The next request may follow, as HTTP/1.1 has it.
    Persists,
    /// The same where it has to be said, to HTTP/1.0 (RFC 9112 9.3).
    PersistsAloud,
}

/// The same as a whole HTTP/1.1 message: `fault` says more of what is wrong, `location` where to go instead,
/// `then` what becomes of the connection.
pub(super) fn message(
    refusal: Refusal,
    fault: Option<Fault>,
    location: Option<&[u8]>,
    is_head: bool,
    then: Then,
    date: &str,
) -> Text {
    let mut message = Text::new();
    let status = refusal.status();
    let reason = status.canonical_reason().unwrap_or_default();
    write::status_line(&mut message, status.as_u16(), reason.as_bytes());
    let mut known = HeaderMap::new();
    fields(refusal, &mut known);
    for field in fields_of(&known) {
        write::field(&mut message, field.name, field.value);
    }
    write::field(&mut message, "date", date.as_bytes());
    if let Some(location) = location {
        write::field(&mut message, "location", location);
    }
    match then {
        Then::Closes => write::field(&mut message, "connection", b"close"),
        Then::Persists => {}
        Then::PersistsAloud => write::field(&mut message, "connection", b"keep-alive"),
    }
    let text = text(refusal, fault);
    write::framing(&mut message, Framing::Length(text.len() as u64), true);
    write::end(&mut message);
    if !is_head {
        message.extend_from_slice(text.as_bytes());
    }
    message
}

/// Where an HTTPS name that was asked for on the plain port is served.
pub(super) fn redirect(host: &str, path: &str, https_port: u16) -> Option<HeaderValue> {
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

/// The answer on a connection on which HTTP is not, or not yet, spoken.
pub(crate) fn raw(refusal: Refusal, date: &str) -> Text {
    message(refusal, None, None, false, Then::Closes, date)
}

fn text(refusal: Refusal, fault: Option<Fault>) -> String {
    match fault {
        Some(fault) => format!("{}: {} ({fault})\n", refusal.label(), refusal.advice()),
        None => [refusal.label(), ": ", refusal.advice(), "\n"].concat(),
    }
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

    fn message_of(refusal: Refusal, is_head: bool, then: Then) -> String {
        let location = Some(b"/x".as_slice());
        let message = message(refusal, Some(Fault::BadField), location, is_head, then, "today");
        String::from_utf8(message.to_vec()).unwrap()
    }

    #[test]
    fn an_answer_says_what_and_when() {
        let unbound = answer(Refusal::Unbound, &Method::GET);
        assert_eq!(
            (unbound.status().as_u16(), &unbound.headers()["retry-after"]),
            (503, &HeaderValue::from(5))
        );
        assert_eq!(unbound.headers()["epr-refusal"], "unbound");
        assert!(unbound.body().starts_with(b"unbound: ") && !unbound.headers().contains_key("connection"));
        assert!(answer(Refusal::Unbound, &Method::HEAD).body().is_empty());
    }

    #[test]
    fn a_message_is_whole_and_says_whether_the_connection_closes() {
        let whole = message_of(Refusal::BadRequest, false, Then::Closes);
        let (head, text) = whole.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
        for field in ["epr-refusal: bad_request", "date: today", "location: /x", "connection: close"] {
            assert!(head.contains(field), "{head}");
        }
        assert!(head.contains(&format!("content-length: {}", text.len())), "{head}");
        assert!(text.contains(&Fault::BadField.to_string()), "{text}");
        let head = message_of(Refusal::Unbound, true, Then::Persists);
        assert!(head.ends_with("\r\n\r\n") && !head.contains("connection"), "{head}");
        let head = message_of(Refusal::Unbound, true, Then::PersistsAloud);
        assert!(head.contains("\r\nconnection: keep-alive\r\n"), "{head}");
    }

    #[test]
    fn a_redirect_keeps_path_and_query_and_names_an_unusual_port() {
        assert_eq!(redirect("a.ep-r.io", "/a%20b?q=1&r", 443).unwrap(), "https://a.ep-r.io/a%20b?q=1&r");
        assert_eq!(redirect("a.ep-r.io", "*", 8443).unwrap(), "https://a.ep-r.io:8443/");
    }
}
