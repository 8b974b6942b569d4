//! What becomes of the fields of a request and of a response on their way through.

use std::net::IpAddr;

use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
};
use proto::BackendProtocol;

use crate::refusal::Refusal;

/// Counts how often a request has come through an edge.
pub(super) const HOP: HeaderName = HeaderName::from_static("epr-hop");
/// Names the refusal that an answer is.
pub(super) const REFUSAL: HeaderName = HeaderName::from_static("epr-refusal");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");
/// Read by CGI programs as the variable of an outgoing proxy ("httpoxy"); no client means it well.
const PROXY: HeaderName = HeaderName::from_static("proxy");

/// Values of the hop field, so that counting needs no memory. As many as hops are allowed.
const HOPS: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];
const LONGEST_REQUEST_ID: usize = 128;

/// What a client's connection says of every request on it, made once.
pub(crate) struct ClientFields {
    /// Whether what the peer says of the client before it is believed.
    trusted: bool,
    address: HeaderValue,
    forwarded: HeaderValue,
    scheme: HeaderValue,
}

impl ClientFields {
    /// For the connection of `peer`, which speaks `http` or `https`.
    pub(crate) fn new(peer: IpAddr, scheme: &'static str, trusted: bool) -> Self {
        let node = match peer {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("\"[{address}]\""),
        };
        let value = |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("unknown"));
        Self {
            trusted,
            address: value(peer.to_string()),
            forwarded: value(format!("for={node};proto={scheme}")),
            scheme: HeaderValue::from_static(scheme),
        }
    }
}

/// Makes the fields of a request fit to go to a backend.
///
/// Removes what was meant for this hop alone (RFC 9110 7.6.1) and what an untrusted client says of
/// itself; then says who it is. Host is left to the caller.
///
/// # Errors
/// [`Refusal::Loop`] when the request has come through too often, [`Refusal::BadRequest`] when its body
/// is coded in a way that ends on this hop.
pub(super) fn to_backend(
    headers: &mut HeaderMap,
    client: &ClientFields,
    host: &HeaderValue,
    speaks: BackendProtocol,
    new_id: impl FnOnce() -> HeaderValue,
) -> Result<(), Refusal> {
    let hop = next_hop(headers)?;
    if !is_at_most_chunked(headers) {
        return Err(Refusal::BadRequest);
    }
    let trailers = speaks == BackendProtocol::H2c && wants_trailers(headers);
    remove_hop_by_hop(headers);
    if client.trusted {
        append(headers, FORWARDED_FOR, &client.address);
        append(headers, FORWARDED, &client.forwarded);
        headers.entry(FORWARDED_PROTO).or_insert_with(|| client.scheme.clone());
        headers.entry(FORWARDED_HOST).or_insert_with(|| host.clone());
    } else {
        remove_claims(headers);
        headers.insert(FORWARDED_FOR, client.address.clone());
        headers.insert(FORWARDED, client.forwarded.clone());
        headers.insert(FORWARDED_PROTO, client.scheme.clone());
        headers.insert(FORWARDED_HOST, host.clone());
    }
    if !headers.get(REQUEST_ID).is_some_and(is_sane_id) {
        headers.insert(REQUEST_ID, new_id());
    }
    headers.insert(HOP, hop);
    match speaks {
        BackendProtocol::H2c if trailers => {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        BackendProtocol::H2c => {}
        BackendProtocol::Http1 => {
            join_cookies(headers);
            join_lengths(headers);
        }
    }
    Ok(())
}

/// Makes the fields of a response fit to go to a client.
///
/// # Errors
/// [`Refusal::BackendGarbage`] when the body is coded in a way that ends on this hop.
pub(super) fn to_client(headers: &mut HeaderMap) -> Result<(), Refusal> {
    if !is_at_most_chunked(headers) {
        return Err(Refusal::BackendGarbage);
    }
    remove_hop_by_hop(headers);
    // Ours alone: its presence tells a refusal of the edge from an answer of the application.
    headers.remove(REFUSAL);
    Ok(())
}

/// Whether a body is coded for this hop in no other way than in chunks. Another transfer coding, which
/// nobody undoes here, would be lost with the field that names it (RFC 9112 6.1).
fn is_at_most_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter().flat_map(tokens);
    codings.next().is_none_or(|coding| coding.eq_ignore_ascii_case(b"chunked")) && codings.next().is_none()
}

fn next_hop(headers: &HeaderMap) -> Result<HeaderValue, Refusal> {
    let passed = match headers.get(HOP) {
        None => 0,
        // Junk counts as the first time: whoever can write it could as well leave it out.
        Some(value) => HOPS.iter().position(|hop| *hop == value).map_or(0, |at| at + 1),
    };
    HOPS.get(passed).map(|hop| HeaderValue::from_static(hop)).ok_or(Refusal::Loop)
}

fn wants_trailers(headers: &HeaderMap) -> bool {
    headers.get_all(TE).iter().flat_map(tokens).any(|token| token.eq_ignore_ascii_case(b"trailers"))
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        for name in named_by_connection(headers) {
            headers.remove(name);
        }
        headers.remove(CONNECTION);
    }
    for name in [
        KEEP_ALIVE,
        PROXY_CONNECTION,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        UPGRADE,
        HTTP2_SETTINGS,
        // Met on this hop already: hyper says 100 as soon as the body is wanted.
        EXPECT,
        PROXY,
    ] {
        headers.remove(name);
    }
    if headers.remove(TRANSFER_ENCODING).is_some() {
        // A length beside it is not that of the body (RFC 9112 6.3).
        headers.remove(CONTENT_LENGTH);
    }
}

/// The fields a Connection field names, but for those that must not be removed by a client's word.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let kept = |token: &&[u8]| {
        !["close", "keep-alive", "upgrade", "host", "content-length", "content-type", "epr-hop"]
            .iter()
            .any(|known| token.eq_ignore_ascii_case(known.as_bytes()))
    };
    let tokens = headers.get_all(CONNECTION).iter().flat_map(tokens);
    tokens.filter(kept).filter_map(|token| HeaderName::from_bytes(token).ok()).collect()
}

/// The members of a list field (RFC 9110 5.6.1), empty ones left out.
pub(super) fn tokens(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

/// Removes every field in which a client might claim to be another, also as CGI and its heirs read
/// them: to these `X_Forwarded_For` is the same as `X-Forwarded-For`.
fn remove_claims(headers: &mut HeaderMap) {
    let claims = |name: &&HeaderName| {
        let name = name.as_str().as_bytes();
        let begins = |with: &[u8]| {
            let same = |(a, b): (&u8, &u8)| a == b || (*a == b'_' && *b == b'-');
            name.len() >= with.len() && name.iter().zip(with).all(same)
        };
        name.first() == Some(&b'x')
            && (begins(b"x-forwarded-")
                || (name.len() == 9 && begins(b"x-real-ip"))
                || (name.len() == 11 && begins(b"x-client-ip")))
    };
    let claimed: Vec<HeaderName> = headers.keys().filter(claims).cloned().collect();
    for name in claimed {
        headers.remove(name);
    }
    headers.remove(FORWARDED);
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: &HeaderValue) {
    let mut joined = Vec::new();
    for part in headers.get_all(&name).iter().chain([value]) {
        if !joined.is_empty() {
            joined.extend_from_slice(b", ");
        }
        joined.extend_from_slice(part.as_bytes());
    }
    headers.insert(name, HeaderValue::try_from(joined).unwrap_or_else(|_| value.clone()));
}

fn is_sane_id(id: &HeaderValue) -> bool {
    (1..=LONGEST_REQUEST_ID).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
}

/// HTTP/2 may split Cookie into several fields; HTTP/1 knows one (RFC 9113 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut cookies = headers.get_all(COOKIE).iter();
    let (Some(first), Some(second)) = (cookies.next(), cookies.next()) else { return };
    let mut joined = first.as_bytes().to_vec();
    for cookie in [second].into_iter().chain(cookies) {
        joined.extend_from_slice(b"; ");
        joined.extend_from_slice(cookie.as_bytes());
    }
    if let Ok(joined) = HeaderValue::try_from(joined) {
        headers.insert(COOKIE, joined);
    }
}

/// A length said twice is the same one: whoever read the head has seen to that. Not every backend takes
/// it (RFC 9110 8.6).
fn join_lengths(headers: &mut HeaderMap) {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    if let (Some(first), Some(_)) = (lengths.next(), lengths.next()) {
        let first = first.clone();
        headers.insert(CONTENT_LENGTH, first);
    }
}

/// Has a body of unknown length sent in chunks. hyper does so by itself for most methods, but takes it
/// for granted that GET and HEAD have none.
pub(super) fn send_in_chunks(headers: &mut HeaderMap) {
    if !headers.contains_key(CONTENT_LENGTH) {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

#[cfg(test)]
mod tests;
