//! HTTP/2 with clients, by hyper: frames come in and go out.

mod drive;
mod pulse;
mod wire;

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::rc::Rc;

use http::header::USER_AGENT;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use proto::BackendProtocol;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tracing::Instrument as _;

use self::wire::Wire;
use super::answer::Answer;
use super::headers::{self, Sink as _, ToBackend};
use super::meter::{Meter, Seen};
use super::vigil::Vigil;
use super::{Client, Declined, exchange, find, host, refuse, target};
use crate::http1::fields_of;
use crate::refusal::Refusal;
use crate::upload::Upload;
use crate::upstream::UpstreamBody;
use drive::drive;
use pulse::Pulse;
pub(super) use pulse::Serving;

/// Serves HTTP/2 to the connection's end.
pub(crate) async fn serve<S>(stream: S, client: Rc<Client>)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let context = client.context.clone();
    let pulse = Pulse::new(Instant::now(), true);
    let beat = pulse.clone();
    let service = service_fn(move |request| {
        let (client, serving) = (client.clone(), beat.begin());
        async move { Ok::<_, Infallible>(handle(request, client, serving).await) }
    });
    let wire = Wire::new(stream, pulse.clone());
    let mut connection = pin!(context.h2.serve_connection(wire, service));
    let finish =
        |connection: Pin<&mut _>| hyper::server::conn::http2::Connection::graceful_shutdown(connection);
    let timeouts = &context.config().timeouts;
    // Protocol errors are told by GOAWAY or RST_STREAM frames, and leave nobody to tell anything else.
    let _ended =
        drive(connection.as_mut(), finish, &pulse, timeouts, context.drain.clone(), &context.limits.idle)
            .await;
}

/// Answers one request, whatever becomes of it.
async fn handle(request: Request<Incoming>, client: Rc<Client>, serving: Serving) -> Response<Answer> {
    let method = request.method().clone();
    let mut meter = Meter::new(client.clone(), &seen(&request), Instant::now(), Some(serving));
    let span = match client.context.is_sampled() {
        true => tracing::info_span!("request", %method, peer = %client.peer),
        false => tracing::Span::none(),
    };
    match forward(request, &client, &mut meter).instrument(span).await {
        Ok((response, vigil)) => {
            meter.answered(response.status());
            response.map(|body| Answer::backend(body, vigil, meter))
        }
        Err(declined) => {
            meter.refused(declined.refusal);
            let response = refuse::answer(declined.refusal, &method);
            let response = refuse::with_location(response, declined.location);
            response.map(|text| Answer::text(text, meter))
        }
    }
}

fn seen(request: &Request<Incoming>) -> Seen<'_> {
    Seen {
        is_h2: true,
        method: request.method().as_str(),
        path: target::of_uri(request.uri()),
        user_agent: request.headers().get(USER_AGENT).map(http::HeaderValue::as_bytes),
    }
}

async fn forward(
    request: Request<Incoming>,
    client: &Rc<Client>,
    meter: &mut Meter,
) -> Result<(Response<UpstreamBody<Upload>>, Vigil), Declined> {
    let context = &client.context;
    if *request.method() == Method::CONNECT {
        return Err(Refusal::ConnectNotSupported.into());
    }
    let (mut head, body) = request.into_parts();
    let host = host::of_request(Version::HTTP_2, target::authority(&head.uri), fields_of(&head.headers))?;
    let found = find(client, host, target::of_uri(&head.uri), meter)?;
    let mut vigil = Vigil::new(client.clone(), found.admitted);
    let how = ToBackend { client: &client.fields, host, speaks: found.speaks };
    let mut fields = HeaderMap::with_capacity(head.headers.len() + 8);
    let passed = headers::to_backend(fields_of(&head.headers), &how, || context.ids.next(), &mut fields)?;
    meter.named(&passed.id);
    if let Some(length) = headers::length(fields_of(&head.headers)) {
        fields.put("content-length", length);
    }
    (head.version, head.uri) = line(&head.uri, host, found.speaks)?;
    let is_head = head.method == Method::HEAD;
    head.headers = fields;
    let upload = Upload::new(body);
    meter.uploads(upload.progress());
    let request = Request::from_parts(head, upload);
    let response = exchange::exchange(context, &mut vigil, request, meter).await?;
    Ok((conclude(response, is_head, context.date())?, vigil))
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
fn conclude<B>(response: Response<B>, is_head: bool, date: impl AsRef<str>) -> Result<Response<B>, Refusal> {
    let (mut head, body) = response.into_parts();
    if head.status.is_informational() {
        return Err(Refusal::BackendGarbage);
    }
    let mut fields = HeaderMap::with_capacity(head.headers.len());
    let told = headers::to_client(fields_of(&head.headers), &mut fields)?;
    if !told.has_date {
        fields.put("date", date.as_ref().as_bytes());
    }
    let has_body = !is_head && head.status != StatusCode::NOT_MODIFIED;
    // hyper says the length of a body; what a body would be long is known to the backend alone.
    if !has_body && let Some(length) = headers::length(fields_of(&head.headers)) {
        fields.put("content-length", length);
    }
    head.headers = fields;
    // Ours, not the backend's (RFC 9110 2.5).
    head.version = Version::HTTP_2;
    Ok(Response::from_parts(head, body))
}
