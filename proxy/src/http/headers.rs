//! What becomes of the fields of a request and of a response on their way through.
//!
//! The rules are the same whatever read the fields and whatever is sent on: heads come as [`Field`]s that
//! lie where they were read, and go into a [`Sink`]. Fields that say where a body ends (Content-Length and
//! Transfer-Encoding) never go on as they came: who sends the body says how it is framed.
//!
//! | field of a request | what a backend gets |
//! | --- | --- |
//! | Host | the authority the request was routed by, as the client wrote it; `:authority` over HTTP/2 |
//! | Connection and what it names, Keep-Alive, Upgrade, Proxy-*, Expect, Proxy | nothing |
//! | TE | `trailers` over HTTP/2 where the client said so |
//! | Cookie | one field over HTTP/1 |
//! | X-Forwarded-*, Forwarded, X-Real-IP, X-Client-IP | ours; after those of a trusted peer |
//! | X-Request-Id | the client's where it is one short word, else ours |
//! | Epr-Hop | one more than it was |
//! | all others, such as traceparent and Trailer | as they came, in their order |
//!
//! A client gets of a response all but the fields of the backend's hop and Epr-Refusal.

mod client;
mod sink;
mod survey;

use proto::BackendProtocol;

pub use client::ClientFields;
pub(crate) use sink::Sink;
use survey::Survey;

use crate::config::fixed;
use crate::http1::{self, Fault, Field, Known};
use crate::refusal::Refusal;

/// Names the refusal that an answer is.
pub(super) const REFUSAL: http::HeaderName = http::HeaderName::from_static("epr-refusal");

/// Values of the field that counts how often a request has come through an edge. As many as hops are
/// allowed.
const HOPS: [&str; fixed::HOPS] = ["1", "2", "3", "4", "5", "6", "7", "8"];

/// How the fields of a request go to a backend.
pub(crate) struct ToBackend<'h> {
    pub(crate) client: &'h ClientFields,
    /// The request's own authority, as the client wrote it.
    pub(crate) host: &'h [u8],
    pub(crate) speaks: BackendProtocol,
}

/// What must be known of a request whose fields went to a backend.
#[derive(Debug)]
pub struct Passed<'b> {
    /// What it is called from here on.
    pub id: RequestId<'b>,
}

/// What must be known of a response whose fields went to a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Whether the backend said when it answered. The edge does where it did not (RFC 9110 6.6.1).
    pub(crate) has_date: bool,
}

/// The name a request has here, at the backend and in both logs.
#[derive(Debug)]
pub enum RequestId<'b> {
    /// The client's.
    Kept(&'b [u8]),
    /// Ours.
    Made([u8; 32]),
}

impl RequestId<'_> {
    /// As it stands in the field.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Kept(id) => id,
            Self::Made(id) => id,
        }
    }
}

/// Writes the fields with which a request goes to a backend.
///
/// Leaves out what was meant for this hop alone (RFC 9110 7.6.1) and what an untrusted client says of
/// itself; then says who it is. Over HTTP/1 Host comes first; HTTP/2 has `:authority` in its place. How the
/// body is framed, and Connection and Upgrade of a WebSocket, are left to the caller.
///
/// # Errors
/// [`Refusal::Loop`] when the request has come through too often, [`Refusal::BadRequest`] when its body
/// is coded in a way that ends on this hop. Nothing is written then.
pub(crate) fn to_backend<'b>(
    fields: impl Iterator<Item = Field<'b>> + Clone,
    how: &ToBackend<'_>,
    new_id: impl FnOnce() -> [u8; 32],
    sink: &mut impl Sink,
) -> Result<Passed<'b>, Refusal> {
    let survey = Survey::of(fields.clone());
    if !survey.is_at_most_chunked() {
        return Err(Refusal::BadRequest);
    }
    let hop = next_hop(survey.hop)?;
    let kept = survey.id.filter(|id| is_sane_id(id) && !survey.named.has("x-request-id"));
    let id = kept.map_or_else(|| RequestId::Made(new_id()), RequestId::Kept);
    let over_http1 = how.speaks == BackendProtocol::Http1;
    // HTTP/2 may split Cookie into several fields; HTTP/1 knows one (RFC 9113 8.2.3).
    let joins_cookies = over_http1 && survey.cookies > 1;

    if over_http1 {
        sink.put("host", how.host);
    }
    let goes_on = |field: &Field<'b>| {
        let said_anew = is_said_anew(field.known) || (joins_cookies && field.known == Known::Cookie);
        !said_anew
            && !is_of_this_hop(field.known)
            && how.client.lets_through(field)
            && !survey.named.has(field.name)
    };
    fields.clone().filter(goes_on).for_each(|field| sink.put(field.name, field.value));
    if joins_cookies && !survey.named.has("cookie") {
        let cookies = fields.clone().filter(|field| field.known == Known::Cookie);
        sink.put_joined("cookie", cookies.map(|cookie| cookie.value), "; ");
    }
    how.client.introduce(how.host, &survey, fields, sink);
    sink.put("x-request-id", id.as_bytes());
    sink.put("epr-hop", hop.as_bytes());
    // gRPC servers demand it. Over HTTP/1 it would have to be named by a Connection field, which simple
    // servers read as one word; a trailer section is passed on whether or not it was asked for.
    if !over_http1 && survey.trailers {
        sink.put("te", b"trailers");
    }
    Ok(Passed { id })
}

/// Writes the fields with which a response goes to a client.
///
/// # Errors
/// [`Refusal::BackendGarbage`] when the body is coded in a way that ends on this hop. Nothing is written
/// then.
pub(crate) fn to_client<'b>(
    fields: impl Iterator<Item = Field<'b>> + Clone,
    sink: &mut impl Sink,
) -> Result<Told, Refusal> {
    let survey = Survey::of(fields.clone());
    if !survey.is_at_most_chunked() {
        return Err(Refusal::BackendGarbage);
    }
    let mut told = Told { has_date: false };
    // Its presence is ours alone to say: it tells a refusal of the edge from an answer of the application.
    let stays = |known| is_of_this_hop(known) || known == Known::EprRefusal;
    for field in fields.filter(|field| !stays(field.known) && !survey.named.has(field.name)) {
        told.has_date |= field.known == Known::Date;
        sink.put(field.name, field.value);
    }
    Ok(told)
}

/// The length of a body as its head tells it; none where it comes in chunks, since a length beside these
/// is not that of the body (RFC 9112 6.3).
///
/// # Errors
/// [`Fault::BadLength`], [`Fault::AmbiguousLength`].
pub(super) fn length<'b>(fields: impl Iterator<Item = Field<'b>> + Clone) -> Result<Option<u64>, Fault> {
    let mut coded = fields.clone().filter(|field| field.known == Known::TransferEncoding);
    if coded.next().is_some() { Ok(None) } else { http1::length(fields) }
}

/// Whether a field means this hop or the framing on it, and never goes on as it came.
const fn is_of_this_hop(known: Known) -> bool {
    match known {
        Known::Connection
        | Known::KeepAlive
        | Known::ProxyConnection
        | Known::ProxyAuthenticate
        | Known::ProxyAuthorization
        | Known::Te
        | Known::Upgrade
        | Known::Http2Settings
        // Passed on by whoever waits for the answer to it.
        | Known::Expect
        // Read by CGI programs as the variable of an outgoing proxy ("httpoxy"); no client means it well.
        | Known::Proxy
        | Known::TransferEncoding
        | Known::ContentLength => true,
        Known::Host
        | Known::Date
        | Known::Cookie
        | Known::Trailer
        | Known::EprHop
        | Known::Forwarded
        | Known::UserAgent
        | Known::SetCookie
        | Known::EprRefusal
        | Known::XRequestId
        | Known::ContentType
        | Known::Traceparent
        | Known::Authorization
        | Known::XForwardedFor
        | Known::XForwardedHost
        | Known::XForwardedProto
        | Known::SecWebsocketKey
        | Known::SecWebsocketAccept
        | Known::SecWebsocketVersion
        | Known::Other => false,
    }
}

/// Whether a request's field is replaced by one of ours, or by one made of all fields of its name.
const fn is_said_anew(known: Known) -> bool {
    matches!(known, Known::Host | Known::EprHop | Known::XRequestId | Known::XForwardedFor | Known::Forwarded)
}

fn next_hop(passed: Option<&[u8]>) -> Result<&'static str, Refusal> {
    let passed = match passed {
        None => 0,
        // Junk counts as the first time: whoever can write it could as well leave it out.
        Some(value) => HOPS.iter().position(|hop| hop.as_bytes() == value).map_or(0, |at| at + 1),
    };
    HOPS.get(passed).copied().ok_or(Refusal::Loop)
}

fn is_sane_id(id: &[u8]) -> bool {
    (1..=fixed::REQUEST_ID).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
