//! HTTP: a request comes in, is judged, goes to a backend, and its answer goes back.
//!
//! The life of a request is `handle`: `forward` is the story, the wrapper around it answers refusals
//! and keeps the account. `connection` runs hyper on the client's side; everything else here knows
//! nothing of how heads are read, so that another reader can take hyper's place.

mod answer;
mod connection;
mod drive;
mod exchange;
mod headers;
pub mod host;
pub(crate) mod judge;
mod meter;
mod patience;
mod pulse;
mod refuse;
mod target;
mod tunnel;
mod upgrade;
mod vigil;
mod wire;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Response, Uri, Version};
use hyper::body::Incoming;
use proto::BackendProtocol;
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument as _;

use answer::Answer;
pub(crate) use connection::{serve_h1, serve_h2};
pub(crate) use headers::ClientFields;
pub(crate) use judge::Door;
pub(crate) use refuse::raw as raw_answer;

use crate::context::Context;
use crate::http1::fields_of;
use crate::refusal::Refusal;
use crate::routes::{Recent, RouteEntry};
use crate::upload::Upload;
use crate::upstream::UpstreamBody;
use headers::{Sink as _, ToBackend};
use host::{Host, NameBuffer};
use meter::Meter;
use upgrade::Asked;
use vigil::Vigil;

/// A client's connection on which HTTP is spoken.
pub(crate) struct Client {
    pub(crate) context: Rc<Context>,
    pub(crate) peer: SocketAddr,
    pub(crate) door: Door,
    fields: ClientFields,
    recent: RefCell<Recent>,
    /// Held by the connection, and by the tunnel it may become.
    _permit: OwnedSemaphorePermit,
}

impl Client {
    /// The client at `peer`, who came in by `door`.
    pub(crate) fn new(
        context: Rc<Context>,
        peer: SocketAddr,
        door: Door,
        permit: OwnedSemaphorePermit,
    ) -> Rc<Self> {
        let ip = peer.ip().to_canonical();
        let trusted = context.config().trusted_peers.iter().any(|network| network.contains(&ip));
        let fields = ClientFields::new(ip, door.scheme(), trusted);
        Rc::new(Self { context, peer, door, fields, recent: RefCell::default(), _permit: permit })
    }

    fn route(&self, name: &str) -> Option<Arc<RouteEntry>> {
        let mut recent = self.recent.borrow_mut();
        self.context.reader.borrow_mut().get_recent(&mut recent, name).cloned()
    }
}

/// Answers one request, whatever becomes of it.
async fn handle(request: Request<Incoming>, client: Rc<Client>, serving: pulse::Serving) -> Response<Answer> {
    let (method, version) = (request.method().clone(), request.version());
    let mut meter = Meter::new(client.clone(), &request, serving);
    let span = match client.context.is_sampled() {
        true => tracing::info_span!("request", %method, peer = %client.peer),
        false => tracing::Span::none(),
    };
    match forward(request, &client, &mut meter).instrument(span).await {
        Ok(Forwarded::Answer(response, vigil)) => {
            meter.answered(response.status());
            response.map(|body| Answer::backend(body, vigil, meter))
        }
        Ok(Forwarded::Tunnel(response, ends)) => {
            meter.answered(response.status());
            let tunnel = meter.become_tunnel(ends.entry());
            client.context.connections.spawn_local(tunnel::run(ends, client.clone(), tunnel));
            response.map(|()| Answer::text(bytes::Bytes::new(), meter))
        }
        Err(declined) => {
            meter.refused(declined.refusal);
            let response = refuse::answer(declined.refusal, &method, version);
            let response = refuse::with_location(response, declined.location);
            response.map(|text| Answer::text(text, meter))
        }
    }
}

/// What came of a request that was forwarded.
enum Forwarded {
    /// An answer, and who watches that its client may have it.
    Answer(Response<UpstreamBody<Upload>>, Vigil),
    /// The head that tells the client it has a WebSocket, and both ends of it.
    Tunnel(Response<()>, tunnel::Ends),
}

/// A refusal, and where to go instead.
struct Declined {
    refusal: Refusal,
    location: Option<HeaderValue>,
}

impl From<Refusal> for Declined {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, location: None }
    }
}

async fn forward(
    mut request: Request<Incoming>,
    client: &Rc<Client>,
    meter: &mut Meter,
) -> Result<Forwarded, Declined> {
    let (config, context) = (client.context.config(), &client.context);
    if *request.method() == http::Method::CONNECT {
        return Err(Refusal::ConnectNotSupported.into());
    }
    let (method, version) = (request.method().as_str(), request.version());
    let websocket = upgrade::wants_websocket(method, version, fields_of(request.headers()));
    let client_end = websocket.map(|asked| (asked, hyper::upgrade::on(&mut request)));
    let (mut head, body) = request.into_parts();

    let host = host::of_request(head.version, target::authority(&head.uri), fields_of(&head.headers))?;
    let mut buffer: NameBuffer = [0; 253];
    let Host::Name(name) = host::parse(host, &mut buffer)? else {
        return Err(Refusal::NoRoute.into());
    };
    let entry = client.route(name);
    meter.found(name, entry.as_ref());
    let covers = |name: &str| context.shared.certificates.covers(name);
    let source = client.peer.ip();
    let judged = judge::judge(&client.door, name, entry.as_deref(), source, covers, config.redirect_to_https);
    let binding = judged.map_err(|refusal| {
        let to_https = refusal == Refusal::RedirectToHttps;
        let location = to_https.then(|| refuse::redirect(name, &head.uri, config.public_ports.https));
        Declined { refusal, location: location.flatten() }
    })?;
    let speaks = binding.backend_protocol;
    let Some(mut vigil) = entry.map(|entry| Vigil::new(client.clone(), entry)) else {
        return Err(Refusal::NoRoute.into());
    };
    if websocket.is_some() && speaks == BackendProtocol::H2c {
        return Err(Refusal::WebSocketNotSupported.into());
    }
    let how = ToBackend { client: &client.fields, host, speaks };
    let mut fields = HeaderMap::with_capacity(head.headers.len() + 8);
    let passed = headers::to_backend(fields_of(&head.headers), &how, || context.ids.next(), &mut fields)?;
    meter.named(&passed.id);
    if websocket.is_some() {
        upgrade::ask(&mut fields);
    }
    let upload = Upload::new(body);
    match headers::length(fields_of(&head.headers)) {
        Some(length) => fields.put("content-length", length),
        // hyper takes it for granted that GET and HEAD have no body.
        None if speaks == BackendProtocol::Http1 && matches!(upload, Upload::Client { .. }) => {
            fields.put("transfer-encoding", b"chunked");
        }
        None => {}
    }
    (head.version, head.uri) = line(&head.uri, host, speaks)?;
    head.headers = fields;
    meter.uploads(upload.progress());
    let request = Request::from_parts(head, upload);
    let response = exchange::exchange(context, &mut vigil, request, meter).await?;
    Ok(conclude(response, client_end, vigil)?)
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
fn conclude(
    mut response: Response<UpstreamBody<Upload>>,
    client_end: Option<(Asked, hyper::upgrade::OnUpgrade)>,
    vigil: Vigil,
) -> Result<Forwarded, Refusal> {
    let (status, asked) = (response.status().as_u16(), client_end.as_ref().map(|(asked, _)| asked));
    let switched = upgrade::has_switched(status, fields_of(response.headers()), asked)?;
    let mut fields = HeaderMap::with_capacity(response.headers().len());
    // hyper says when it is.
    let _told = headers::to_client(fields_of(response.headers()), &mut fields)?;
    if let Some(length) = headers::length(fields_of(response.headers())) {
        fields.put("content-length", length);
    }
    *response.headers_mut() = fields;
    // Ours, not the backend's (RFC 9110 2.5): an old one would have the client close the connection.
    *response.version_mut() = Version::HTTP_11;
    match client_end {
        Some((_, client_end)) if switched => {
            upgrade::ask(response.headers_mut());
            let backend_end = hyper::upgrade::on(&mut response);
            let (head, body) = response.into_parts();
            let ends = tunnel::Ends::new(client_end, backend_end, vigil.entry().clone(), body.into_lease());
            Ok(Forwarded::Tunnel(Response::from_parts(head, ()), ends))
        }
        Some(_) | None => Ok(Forwarded::Answer(response, vigil)),
    }
}
