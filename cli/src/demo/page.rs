use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::backends::Replica;
use super::websocket;

/// Serves a page that says who answers and what was asked; a WebSocket handshake is accepted.
pub(super) async fn serve(stream: TcpStream, replica: Replica, at: SocketAddr) {
    let upgrade = Arc::new(Mutex::new(None));
    let service = service_fn(|request| {
        let upgrade = Arc::clone(&upgrade);
        async move { Ok::<_, Infallible>(answer(request, replica, at, &upgrade)) }
    });
    // How a client's connection ends is the client's affair.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
    let upgrade = upgrade.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(Upgrade { on, greet_only }) = upgrade
        && let Ok(upgraded) = on.await
    {
        let greeting = format!("hello from {replica}");
        // As above.
        let _ = websocket::converse(TokioIo::new(upgraded), &greeting, greet_only).await;
    }
}

/// A handshake that was accepted.
struct Upgrade {
    on: OnUpgrade,
    /// Whether to say hello and good-bye, for clients that can't say anything themselves.
    greet_only: bool,
}

fn answer(
    mut request: Request<Incoming>,
    replica: Replica,
    at: SocketAddr,
    upgrade: &Mutex<Option<Upgrade>>,
) -> Response<Full<Bytes>> {
    let key = request.headers().get(SEC_WEBSOCKET_KEY).cloned();
    if let Some(accept) = key.and_then(|key| websocket::accept(key.as_bytes())) {
        let greet_only = request.uri().path() == "/greeting";
        let on = hyper::upgrade::on(&mut request);
        *upgrade.lock().unwrap_or_else(PoisonError::into_inner) = Some(Upgrade { on, greet_only });
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert("sec-websocket-accept", accept);
        return response;
    }
    let mut response = Response::new(Full::from(page(&request, replica, at)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn page(request: &Request<Incoming>, replica: Replica, at: SocketAddr) -> String {
    let mut page = format!("hello from {replica}, at {at}\n\n{} {}\n", request.method(), request.uri());
    for (name, value) in
        request.headers().iter().filter(|(name, _)| *name == HOST || is_forwarding(name.as_str()))
    {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{name}: {}", value.to_str().unwrap_or("(not text)"));
    }
    page
}

fn is_forwarding(name: &str) -> bool {
    name.starts_with("x-forwarded-") || matches!(name, "forwarded" | "x-request-id" | "via")
}
