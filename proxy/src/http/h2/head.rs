//! What a request's head may not have, of what h2 lets by. HTTP/1 heads with the like are refused by their reader.

use http::request::Parts;

use crate::http::target;
use crate::http1::{self, Fault, Target, fields_of, is_trimmed};
use crate::refusal::Refusal;

/// What a head says of the body behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    /// Its length in bytes, if that is known.
    pub(super) length: Option<u64>,
    /// The client waits for a word before it sends the body (RFC 9110 10.1.1).
    pub(super) expects_continue: bool,
}

/// Reads what h2 left to be read. A request that is to become a WebSocket counts as the GET it stands for.
///
/// # Errors
/// [`Refusal::BadRequest`] for a target without a form (RFC 9113 8.3.1), a value with blanks around it (8.2.1), a
/// length that is no number (8.1.1); [`Refusal::ExpectationFailed`].
pub(super) fn judge(head: &Parts, wants_tunnel: bool) -> Result<Said, Refusal> {
    if !head.headers.values().all(|value| is_trimmed(value.as_bytes())) {
        return Err(Refusal::BadRequest);
    }
    let method = if wants_tunnel { "GET" } else { head.method.as_str() };
    Target::in_path(method, target::of_uri(&head.uri)).map_err(refusal)?;
    Ok(Said {
        length: http1::length(fields_of(&head.headers)).map_err(refusal)?,
        expects_continue: http1::expects_continue(fields_of(&head.headers)).map_err(refusal)?,
    })
}

fn refusal(fault: Fault) -> Refusal {
    if fault == Fault::UnknownExpectation { Refusal::ExpectationFailed } else { Refusal::BadRequest }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn judged(method: &str, uri: &str, fields: &[(&str, &str)]) -> Result<Said, Refusal> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        judge(&request.body(()).unwrap().into_parts().0, false)
    }

    #[test]
    fn targets_are_those_of_http1() {
        for (method, uri) in [("GET", "https://a.b/c?d"), ("OPTIONS", "*"), ("POST", "/")] {
            assert_eq!(judged(method, uri, &[]), Ok(Said { length: None, expects_continue: false }), "{uri}");
        }
        for (method, uri) in [("GET", "*"), ("PRI", "*"), ("GET", "https://a.b/\u{e4}")] {
            assert_eq!(judged(method, uri, &[]), Err(Refusal::BadRequest), "{method} {uri}");
        }
    }

    #[test]
    fn values_come_bare_and_lengths_as_numbers() {
        let of = |name, value| judged("POST", "/", &[(name, value)]);
        assert_eq!(of("x", "a b"), Ok(Said { length: None, expects_continue: false }));
        assert_eq!(of("x", ""), Ok(Said { length: None, expects_continue: false }));
        assert_eq!(of("content-length", "07"), Ok(Said { length: Some(7), expects_continue: false }));
        assert_eq!(of("expect", "100-Continue"), Ok(Said { length: None, expects_continue: true }));
        for value in [" a", "a ", "\ta", "a\t", " "] {
            assert_eq!(of("x", value), Err(Refusal::BadRequest), "{value:?}");
        }
        for length in ["", "9223372036854775808", "5 5"] {
            assert_eq!(of("content-length", length), Err(Refusal::BadRequest), "{length}");
        }
        assert_eq!(of("expect", "200-ok"), Err(Refusal::ExpectationFailed));
    }
}
