//! A request's head: judged, rewritten and sent to a backend; the head of the answer likewise.

use std::rc::Rc;

use h2::RecvStream;
use h2::ext::Protocol;
use http::header::{CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use proto::BackendProtocol;

use super::head;
use crate::http::exchange;
use crate::http::headers::{self, Sink as _, ToBackend};
use crate::http::meter::Meter;
use crate::http::vigil::Vigil;
use crate::http::{Client, Declined, find, host, target, upgrade};
use crate::http1::fields_of;
use crate::limits::Admitted;
use crate::refusal::Refusal;
use crate::upload::Upload;
use crate::upstream::{Connection, Early, Lease, UpstreamBody};

/// What a backend made of a request.
pub(super) enum Forwarded {
    /// An answer, whose head is fit for the client.
    Answer(Response<UpstreamBody<Upload>>, Vigil),
    /// A WebSocket.
    Tunnel(Switched),
}

/// A backend that speaks WebSocket from now on.
pub(super) struct Switched {
    pub(super) backend: Connection,
    pub(super) lease: Lease,
    pub(super) admitted: Admitted,
    /// What the client gets with the news.
    pub(super) fields: HeaderMap,
    /// What the client says in the tunnel.
    pub(super) body: RecvStream,
}

/// Sends the request to a backend of its route, and waits for the head of the answer. What comes before is told
/// `early`.
pub(super) async fn forward(
    request: Request<RecvStream>,
    client: &Rc<Client>,
    meter: &mut Meter,
    early: &Early,
) -> Result<Forwarded, Declined> {
    let context = &client.context;
    let wants_tunnel = wants_tunnel(&request)?;
    let (mut head, body) = request.into_parts();
    let said = head::judge(&head, wants_tunnel)?;
    let host = host::of_request(Version::HTTP_2, target::authority(&head.uri), fields_of(&head.headers))?;
    let found = find(client, host, target::of_uri(&head.uri), meter)?;
    if wants_tunnel && found.speaks == BackendProtocol::H2c {
        return Err(Refusal::WebSocketNotSupported.into());
    }
    let mut vigil = Vigil::new(client.clone(), found.admitted);
    let how = ToBackend { client: &client.fields, host, speaks: found.speaks };
    let mut fields = HeaderMap::with_capacity(head.headers.len() + 8);
    let passed = headers::to_backend(fields_of(&head.headers), &how, || context.ids.next(), &mut fields)?;
    meter.named(&passed.id);
    let (asked, upload, tunnel) = if wants_tunnel {
        head.method = Method::GET;
        // Keys are of HTTP/1 alone (RFC 8441 5).
        fields.remove(SEC_WEBSOCKET_KEY);
        fields.remove(SEC_WEBSOCKET_ACCEPT);
        (Some(upgrade::ask_anew(&context.ids.next(), &mut fields)), Upload::Empty, Some(body))
    } else {
        if let Some(length) = said.length {
            fields.insert(CONTENT_LENGTH, length.into());
        }
        (None, Upload::stream(body, said.length, said.expects_continue.then(|| early.clone())), None)
    };
    (head.version, head.uri) = line(&head.uri, host, found.speaks)?;
    (head.headers, head.extensions) = (fields, http::Extensions::new());
    meter.uploads(upload.progress());
    let request = Request::from_parts(head, upload);
    let response = exchange::exchange(context, &mut vigil, request, meter, Some(early)).await?;
    let status = response.status();
    let switched = upgrade::has_switched(status.as_u16(), fields_of(response.headers()), asked.as_ref())?;
    let response = conclude(response, switched, context.date())?;
    match tunnel {
        Some(body) if switched => Ok(Forwarded::Tunnel(switch(response, vigil, body)?)),
        // Over HTTP/2 a 200 would say that the backend speaks WebSocket.
        Some(_) if status.is_success() => Err(Refusal::UpgradeIgnored.into()),
        Some(_) | None => Ok(Forwarded::Answer(response, vigil)),
    }
}

/// An interim answer as the client gets it; none for one that must not go on.
pub(super) fn interim(response: Response<()>) -> Option<Response<()>> {
    let (mut head, ()) = response.into_parts();
    let mut fields = HeaderMap::with_capacity(head.headers.len());
    headers::to_client(fields_of(&head.headers), &mut fields).ok()?;
    head.headers = fields;
    head.version = Version::HTTP_2;
    Some(Response::from_parts(head, ()))
}

/// Whether a request asks to become a WebSocket (RFC 8441 4).
fn wants_tunnel(request: &Request<RecvStream>) -> Result<bool, Refusal> {
    let protocol = request.extensions().get::<Protocol>().map(Protocol::as_str);
    match (request.method(), protocol) {
        (&Method::CONNECT, Some(protocol)) if protocol.eq_ignore_ascii_case("websocket") => Ok(true),
        (&Method::CONNECT, Some(_)) => Err(Refusal::ProtocolNotSupported),
        (&Method::CONNECT, None) => Err(Refusal::ConnectNotSupported),
        (_, None) => Ok(false),
        (_, Some(_)) => Err(Refusal::BadRequest),
    }
}

fn switch(
    response: Response<UpstreamBody<Upload>>,
    vigil: Vigil,
    body: RecvStream,
) -> Result<Switched, Refusal> {
    let (head, upstream) = response.into_parts();
    let mut fields = head.headers;
    fields.remove(SEC_WEBSOCKET_ACCEPT);
    let (backend, lease) = upstream.into_tunnel().ok_or(Refusal::BackendGarbage)?;
    Ok(Switched { backend, lease, admitted: vigil.into_admitted(), fields, body })
}

/// Version and target as the backend gets them.
fn line(uri: &Uri, host: &[u8], speaks: BackendProtocol) -> Result<(Version, Uri), Refusal> {
    match speaks {
        BackendProtocol::Http1 => {
            let path = PathAndQuery::try_from(target::of_uri(uri)).map_err(|_| Refusal::BadRequest)?;
            Ok((Version::HTTP_11, path.into()))
        }
        BackendProtocol::H2c => Ok((Version::HTTP_2, target::for_h2c(host, target::of_uri(uri))?)),
    }
}

/// Makes the backend's answer fit for the client.
fn conclude<B>(
    response: Response<B>,
    has_switched: bool,
    date: impl AsRef<str>,
) -> Result<Response<B>, Refusal> {
    let (mut head, body) = response.into_parts();
    if head.status.is_informational() && !has_switched {
        return Err(Refusal::BackendGarbage);
    }
    let mut fields = HeaderMap::with_capacity(head.headers.len() + 1);
    let told = headers::to_client(fields_of(&head.headers), &mut fields)?;
    if !told.has_date {
        fields.put("date", date.as_ref().as_bytes());
    }
    // An answer without a body says what a body would be like (RFC 9110 8.6), but for these.
    let may_have_length = !has_switched && head.status != StatusCode::NO_CONTENT;
    let length = headers::length(fields_of(&head.headers)).map_err(|_| Refusal::BackendGarbage)?;
    if let Some(length) = length.filter(|_| may_have_length) {
        fields.insert(CONTENT_LENGTH, length.into());
    }
    head.headers = fields;
    // Ours, not the backend's (RFC 9110 2.5).
    head.version = Version::HTTP_2;
    Ok(Response::from_parts(head, body))
}
