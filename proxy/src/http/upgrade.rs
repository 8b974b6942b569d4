//! WebSocket: the one upgrade that is forwarded, and the tunnel it becomes.

use http::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, UPGRADE};
use http::{Method, Request, Response, StatusCode, Version};

use super::headers::tokens;
use crate::refusal::Refusal;

/// Whether a request asks to become a WebSocket (RFC 6455 4.1). What else it offers to become is
/// dropped with the other fields of this hop.
pub(super) fn wants_websocket<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    request.version() == Version::HTTP_11
        && *request.method() == Method::GET
        && headers.contains_key(UPGRADE)
        && names(headers, &CONNECTION, b"upgrade")
        && names(headers, &UPGRADE, b"websocket")
}

/// Asks the backend to switch, or tells the client that it has.
pub(super) fn ask(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// Whether the backend has switched. Its fields must be those it sent.
///
/// # Errors
/// [`Refusal::BackendGarbage`] when it switched without being asked, or to something else.
pub(super) fn has_switched<B>(response: &Response<B>, asked: bool) -> Result<bool, Refusal> {
    match response.status() {
        StatusCode::SWITCHING_PROTOCOLS if asked && names(response.headers(), &UPGRADE, b"websocket") => {
            Ok(true)
        }
        StatusCode::SWITCHING_PROTOCOLS => Err(Refusal::BackendGarbage),
        _ => Ok(false),
    }
}

fn names(headers: &HeaderMap, field: &HeaderName, wanted: &[u8]) -> bool {
    headers.get_all(field).iter().flat_map(tokens).any(|token| token.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(connection: &str, upgrade: &str, method: Method, version: Version) -> bool {
        let request = Request::builder().method(method).version(version);
        let request = request.header(CONNECTION, connection).header(UPGRADE, upgrade);
        wants_websocket(&request.body(()).unwrap())
    }

    #[test]
    fn only_a_websocket_over_http1_is_an_upgrade() {
        let h1 = Version::HTTP_11;
        assert!(asked("keep-alive, Upgrade", "WebSocket", Method::GET, h1));
        assert!(asked("upgrade", "h2c, websocket", Method::GET, h1));
        for upgrade in ["h2c", "TLS/1.0", "websocket/13", ""] {
            assert!(!asked("upgrade", upgrade, Method::GET, h1), "{upgrade}");
        }
        assert!(!asked("keep-alive", "websocket", Method::GET, h1));
        assert!(!asked("upgrade", "websocket", Method::POST, h1));
        assert!(!asked("upgrade", "websocket", Method::GET, Version::HTTP_10));
    }

    #[test]
    fn a_backend_may_switch_only_when_asked_and_to_what_was_asked() {
        let response = |status: u16, upgrade: &str| {
            Response::builder().status(status).header(UPGRADE, upgrade).body(()).unwrap()
        };
        assert_eq!(has_switched(&response(101, "websocket"), true), Ok(true));
        assert_eq!(has_switched(&response(426, "websocket"), true), Ok(false));
        assert_eq!(has_switched(&response(101, "websocket"), false), Err(Refusal::BackendGarbage));
        assert_eq!(has_switched(&response(101, "h2c"), true), Err(Refusal::BackendGarbage));
    }
}
