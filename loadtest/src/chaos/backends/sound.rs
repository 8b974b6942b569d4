use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{BY, NUMBER, asked};
use crate::chaos::ledger::Ledger;
use crate::manifest::Speaks;
use crate::{Outcome, Stage};

/// A backend as it should be: it gives back what is posted, and else as many bytes as it is asked for.
pub(in crate::chaos) struct Sound {
    addr: SocketAddr,
    _server: JoinSet<()>,
}

struct Shared {
    name: HeaderValue,
    ledger: Arc<Ledger>,
}

impl Sound {
    pub(in crate::chaos) async fn start(
        stage: &Stage,
        name: &str,
        speaks: Speaks,
        ledger: Arc<Ledger>,
    ) -> Outcome<Self> {
        let listener = TcpListener::bind(stage.any_port()).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared { name: name.parse()?, ledger });
        let mut server = JoinSet::new();
        server.spawn(serve(listener, speaks == Speaks::HttpsH2c, shared));
        Ok(Self { addr, _server: server })
    }

    pub(in crate::chaos) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// The body of an answer of `size` bytes to the request of this number.
pub(in crate::chaos) fn pattern(number: u64, size: u64) -> Bytes {
    (number..number + size).map(|byte| byte.to_le_bytes()[0]).collect()
}

async fn serve(listener: TcpListener, frames: bool, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(connection(stream, frames, Arc::clone(&shared)));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, frames: bool, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let (io, service) = (TokioIo::new(stream), service_fn(|request| answer(request, Arc::clone(&shared))));
    // How a connection ends is the proxy's business, seen by the proxy's clients.
    if frames {
        let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await;
    } else {
        let _ = http1::Builder::new().serve_connection(io, service).await;
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Some((number, size)) = asked(head.uri.path()) else {
        shared.ledger.wrong(format_args!("{:?} got {} {}", shared.name, head.method, head.uri));
        return Ok(refused());
    };
    let is_post = head.method == Method::POST;
    if is_post {
        shared.ledger.posted(number);
    }
    let Ok(body) = body.collect().await else {
        shared.ledger.saw("sound backends", "a body that broke off");
        return Ok(refused());
    };
    let body = if is_post { body.to_bytes() } else { pattern(number, size) };
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(BY, shared.name.clone());
    response.headers_mut().insert(NUMBER, number.into());
    Ok(response)
}

fn refused() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
