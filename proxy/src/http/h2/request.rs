//! A request's head: judged, rewritten and sent to a backend; the head of the answer likewise.

use std::rc::Rc;

use h2::RecvStream;
use h2::ext::Protocol;
use http::header::{CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use proto::BackendProtocol;

use super::head::{self, Said};
use super::straight::Asking;
use crate::context::Context;
use crate::http::exchange;
use crate::http::headers::{self, Sink as _, ToBackend};
use crate::http::meter::Meter;
use crate::http::vigil::Vigil;
use crate::http::{Client, Declined, find, host, target, upgrade};
use crate::http1::{Field, fields_of};
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

/// A request that may pass, and how it goes on.
pub(super) enum Prepared {
    /// To a backend that speaks HTTP/1.1, for a client that may have asked for a tunnel of this stream.
    Straight { asking: Asking, vigil: Vigil, tunnel: Option<RecvStream> },
    /// To one that speaks HTTP/2. Most go the other way, and shall not carry the room for this one.
    Frames(Box<(Request<Upload>, Vigil)>),
}

/// Looks at a request and makes it ready to be sent. Whoever sends its body may have to be told something `early`.
pub(super) fn prepare(
    request: Request<RecvStream>,
    client: &Rc<Client>,
    meter: &mut Meter,
    early: &Early,
) -> Result<Prepared, Declined> {
    let wants_tunnel = wants_tunnel(&request)?;
    let (head, body) = request.into_parts();
    let said = head::judge(&head, wants_tunnel)?;
    let host = host::of_request(Version::HTTP_2, target::authority(&head.uri), fields_of(&head.headers))?;
    let found = find(client, host, target::of_uri(&head.uri), meter)?;
    let how = ToBackend { client: &client.fields, host, speaks: found.speaks };
    let vigil = Vigil::new(client.clone(), found.admitted);
    let context = &client.context;
    match (found.speaks, wants_tunnel) {
        (BackendProtocol::Http1, false) => {
            let asking = Asking::plain(&head, &how, upload(body, said, early), context, meter)?;
            Ok(Prepared::Straight { asking, vigil, tunnel: None })
        }
        (BackendProtocol::Http1, true) => {
            let asking = Asking::websocket(&head, &how, context, meter)?;
            Ok(Prepared::Straight { asking, vigil, tunnel: Some(body) })
        }
        (BackendProtocol::H2c, false) => {
            let request = in_frames(&head, &how, upload(body, said, early), said, context, meter)?;
            Ok(Prepared::Frames(Box::new((request, vigil))))
        }
        (BackendProtocol::H2c, true) => Err(Refusal::WebSocketNotSupported.into()),
    }
}

/// Sends a request to a backend of its route, and waits for the head of the answer. What comes before is told
/// `early`.
pub(super) async fn forward(
    prepared: Prepared,
    context: &Context,
    meter: &mut Meter,
    early: &Early,
) -> Result<Forwarded, Declined> {
    let (asking, mut vigil, tunnel) = match prepared {
        Prepared::Straight { asking, vigil, tunnel } => (asking, vigil, tunnel),
        Prepared::Frames(frames) => {
            let (request, vigil) = *frames;
            return Box::pin(forward_frames(request, context, vigil, meter, early)).await;
        }
    };
    let answered = asking.exchange(context, &mut vigil, meter, early).await?;
    let (Concluded { head, has_switched }, answer) = answered;
    match tunnel {
        Some(body) if has_switched => Ok(Forwarded::Tunnel(switch(head, answer, vigil, body)?)),
        // Over HTTP/2 a 200 would say that the backend speaks WebSocket.
        Some(_) if head.status().is_success() => Err(Refusal::UpgradeIgnored.into()),
        Some(_) | None => Ok(Forwarded::Answer(head.map(|()| answer), vigil)),
    }
}

fn upload(body: RecvStream, said: Said, early: &Early) -> Upload {
    Upload::stream(body, said.length, said.expects_continue.then(|| early.clone()))
}

/// The request as it goes in frames.
fn in_frames(
    head: &Parts,
    how: &ToBackend<'_>,
    upload: Upload,
    said: Said,
    context: &Context,
    meter: &mut Meter,
) -> Result<Request<Upload>, Refusal> {
    let mut fields = HeaderMap::with_capacity(head.headers.len() + 8);
    let passed = headers::to_backend(fields_of(&head.headers), how, || context.ids.next(), &mut fields)?;
    meter.named(&passed.id);
    if let Some(length) = said.length {
        fields.insert(CONTENT_LENGTH, length.into());
    }
    meter.uploads(upload.progress());
    let mut request = Request::new(upload);
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = target::for_h2c(how.host, target::of_uri(&head.uri))?;
    *request.version_mut() = Version::HTTP_2;
    *request.headers_mut() = fields;
    Ok(request)
}

/// The same for one that goes in frames.
async fn forward_frames(
    request: Request<Upload>,
    context: &Context,
    mut vigil: Vigil,
    meter: &mut Meter,
    early: &Early,
) -> Result<Forwarded, Declined> {
    let response = exchange::exchange(context, &mut vigil, request, meter, Some(early)).await?;
    let (head, body) = response.into_parts();
    let concluded = conclude(head.status.as_u16(), fields_of(&head.headers), None, context)?;
    Ok(Forwarded::Answer(concluded.head.map(|()| body), vigil))
}

fn switch(
    head: Response<()>,
    answer: UpstreamBody<Upload>,
    vigil: Vigil,
    body: RecvStream,
) -> Result<Switched, Refusal> {
    let mut fields = head.into_parts().0.headers;
    fields.remove(SEC_WEBSOCKET_ACCEPT);
    let (backend, lease) = answer.into_tunnel().ok_or(Refusal::BackendGarbage)?;
    Ok(Switched { backend, lease, admitted: vigil.into_admitted(), fields, body })
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

/// The head of an answer as the client gets it.
pub(super) struct Concluded {
    pub(super) head: Response<()>,
    /// Both speak WebSocket from now on.
    pub(super) has_switched: bool,
}

/// Makes the head of a backend's answer fit for the client, which `asked` for a WebSocket or not.
///
/// # Errors
/// [`Refusal::BackendGarbage`] when it is no answer to that.
pub(super) fn conclude<'b>(
    status: u16,
    fields: impl Iterator<Item = Field<'b>> + Clone,
    asked: Option<&upgrade::Asked>,
    context: &Context,
) -> Result<Concluded, Refusal> {
    let has_switched = upgrade::has_switched(status, fields.clone(), asked)?;
    let status = StatusCode::from_u16(status).map_err(|_| Refusal::BackendGarbage)?;
    if status.is_informational() && !has_switched {
        return Err(Refusal::BackendGarbage);
    }
    let mut head = Response::new(());
    // Ours, not the backend's (RFC 9110 2.5).
    (*head.status_mut(), *head.version_mut()) = (status, Version::HTTP_2);
    let to_client = head.headers_mut();
    to_client.reserve(fields.clone().count() + 1);
    let told = headers::to_client(fields.clone(), to_client)?;
    if !told.has_date {
        to_client.put("date", context.date().as_bytes());
    }
    // An answer without a body says what a body would be like (RFC 9110 8.6), but for these.
    let may_have_length = !has_switched && status != StatusCode::NO_CONTENT;
    let length = headers::length(fields).map_err(|_| Refusal::BackendGarbage)?;
    if let Some(length) = length.filter(|_| may_have_length) {
        to_client.insert(CONTENT_LENGTH, length.into());
    }
    Ok(Concluded { head, has_switched })
}
