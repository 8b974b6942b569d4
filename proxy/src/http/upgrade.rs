//! WebSocket: the one upgrade that is forwarded, and the tunnel it becomes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Version;
use sha1::{Digest as _, Sha1};

use super::headers::Sink;
use crate::http1::{Field, Known, tokens};
use crate::refusal::Refusal;

/// A Sec-WebSocket-Accept field's value: a SHA-1 hash in Base64.
pub(crate) type Accept = [u8; 28];

/// What a client that wants a WebSocket must get to have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    /// None where the client sent no key: what it thinks of the answer is between it and the backend.
    accept: Option<Accept>,
}

/// Whether a request asks to become a WebSocket (RFC 6455 4.1). What else it offers to become is
/// dropped with the other fields of this hop.
pub(crate) fn wants_websocket<'b>(
    method: &str,
    version: Version,
    fields: impl Iterator<Item = Field<'b>> + Clone,
) -> Option<Asked> {
    let wants = version == Version::HTTP_11
        && method == "GET"
        && names(fields.clone(), Known::Upgrade, b"websocket")
        && names(fields.clone(), Known::Connection, b"upgrade");
    wants.then(|| {
        let mut keys = fields.filter(|field| field.known == Known::SecWebsocketKey);
        Asked { accept: keys.next().map(|key| accept_of(key.value)) }
    })
}

/// Asks the backend to switch, or tells the client that it has.
pub(crate) fn ask(sink: &mut impl Sink) {
    sink.put("connection", b"upgrade");
    sink.put("upgrade", b"websocket");
}

/// Asks the backend to switch for a client whose HTTP/2 knows no keys (RFC 8441 5): by one of ours, which `seed`
/// makes another one each time.
pub(crate) fn ask_anew(seed: &[u8], sink: &mut impl Sink) -> Asked {
    let nonce = Sha1::digest(seed);
    let mut key = [0; 24];
    // 16 bytes are 24 digits, always.
    let _ = STANDARD.encode_slice(nonce.get(..16).unwrap_or_default(), &mut key);
    sink.put("sec-websocket-key", &key);
    ask(sink);
    Asked { accept: Some(accept_of(&key)) }
}

/// Whether the backend has switched. Its fields must be those it sent.
///
/// # Errors
/// [`Refusal::BackendGarbage`] when it switched without being asked, to something else, or without having
/// read what it was asked: then something other than a WebSocket server answers, and what the client sends
/// would be taken for something else.
pub(crate) fn has_switched<'b>(
    status: u16,
    fields: impl Iterator<Item = Field<'b>> + Clone,
    asked: Option<&Asked>,
) -> Result<bool, Refusal> {
    if status != 101 {
        return Ok(false);
    }
    let asked = asked.ok_or(Refusal::BackendGarbage)?;
    let mut accepts =
        fields.clone().filter(|field| field.known == Known::SecWebsocketAccept).map(|field| field.value);
    let accepted = asked.accept.is_none_or(|accept| {
        accepts.next().is_some_and(|said| said == accept.as_slice()) && accepts.next().is_none()
    });
    if accepted && names(fields, Known::Upgrade, b"websocket") {
        Ok(true)
    } else {
        Err(Refusal::BackendGarbage)
    }
}

/// What answers a Sec-WebSocket-Key (RFC 6455 4.2.2).
pub(crate) fn accept_of(key: &[u8]) -> Accept {
    let hash = Sha1::new().chain_update(key).chain_update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    let mut accept = [0; 28];
    // 20 bytes are 28 digits, always.
    let _ = STANDARD.encode_slice(hash, &mut accept);
    accept
}

fn names<'b>(fields: impl Iterator<Item = Field<'b>>, known: Known, wanted: &[u8]) -> bool {
    let mut values = fields.filter(|field| field.known == known).map(|field| field.value);
    values.any(|value| tokens(value).any(|token| token.eq_ignore_ascii_case(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    fn field(&(name, value): &(&'static str, &'static str)) -> Field<'static> {
        Field { known: Known::of(name), name: name.as_bytes(), value: value.as_bytes() }
    }

    fn asked(
        connection: &'static str,
        upgrade: &'static str,
        method: &str,
        version: Version,
    ) -> Option<Asked> {
        let fields = [("Connection", connection), ("Upgrade", upgrade), ("Sec-WebSocket-Key", KEY)];
        wants_websocket(method, version, fields.iter().map(field))
    }

    #[test]
    fn only_a_websocket_over_http1_is_an_upgrade() {
        let h1 = Version::HTTP_11;
        assert!(asked("keep-alive, Upgrade", "WebSocket", "GET", h1).is_some());
        assert!(asked("upgrade", "h2c, websocket", "GET", h1).is_some());
        for upgrade in ["h2c", "TLS/1.0", "websocket/13", ""] {
            assert_eq!(asked("upgrade", upgrade, "GET", h1), None, "{upgrade}");
        }
        assert_eq!(asked("keep-alive", "websocket", "GET", h1), None);
        assert_eq!(asked("upgrade", "websocket", "POST", h1), None);
        assert_eq!(asked("upgrade", "websocket", "get", h1), None);
        assert_eq!(asked("upgrade", "websocket", "GET", Version::HTTP_10), None);
    }

    #[test]
    fn a_backend_may_switch_only_when_asked_and_to_what_was_asked() {
        let asked = asked("upgrade", "websocket", "GET", Version::HTTP_11).unwrap();
        let switched = |status, upgrade, asked| {
            let fields = [("upgrade", upgrade), ("sec-websocket-accept", ACCEPT)];
            has_switched(status, fields.iter().map(field), asked)
        };
        assert_eq!(switched(101, "websocket", Some(&asked)), Ok(true));
        assert_eq!(switched(426, "websocket", Some(&asked)), Ok(false));
        assert_eq!(switched(101, "websocket", None), Err(Refusal::BackendGarbage));
        assert_eq!(switched(101, "h2c", Some(&asked)), Err(Refusal::BackendGarbage));
    }

    #[test]
    fn a_key_of_ours_is_sixteen_bytes_and_another_one_each_time() {
        let key = |seed: &[u8]| {
            let mut head = Vec::new();
            let asked = ask_anew(seed, &mut head);
            let head = String::from_utf8(head).unwrap();
            let key =
                head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap().to_owned();
            assert!(head.contains("connection: upgrade\r\nupgrade: websocket\r\n"), "{head}");
            assert_eq!(
                (STANDARD.decode(&key).unwrap().len(), asked.accept),
                (16, Some(accept_of(key.as_bytes())))
            );
            key
        };
        assert_ne!(key(b"0"), key(b"1"));
    }

    #[test]
    fn a_backend_shows_that_it_read_the_key() {
        // The example of RFC 6455 1.3.
        assert_eq!(accept_of(KEY.as_bytes()), ACCEPT.as_bytes());
        let with = |accepts: &[&'static str], asked: &Asked| {
            let mut fields = vec![field(&("upgrade", "websocket"))];
            fields.extend(accepts.iter().map(|accept| field(&("sec-websocket-accept", accept))));
            has_switched(101, fields.into_iter(), Some(asked))
        };
        let keyed = asked("upgrade", "websocket", "GET", Version::HTTP_11).unwrap();
        assert_eq!(with(&[ACCEPT], &keyed), Ok(true));
        for wrong in [&[][..], &["S3pPLMBiTxaQ9kYGzzhZRbK+xOo="], &[ACCEPT, ACCEPT], &[""]] {
            assert_eq!(with(wrong, &keyed), Err(Refusal::BackendGarbage), "{wrong:?}");
        }
        assert_eq!(with(&[], &Asked { accept: None }), Ok(true));
    }
}
