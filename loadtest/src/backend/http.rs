use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Request, Response};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use crate::{Outcome, Stage, eventually};

type Body = UnsyncBoxBody<Bytes, Infallible>;

const CHUNK: usize = 16 * 1024;

/// An HTTP/1.1 server that says its name in `x-backend` and tells what it was asked, as JSON.
///
/// `/bytes/N` answers N bytes; `/slow` answers when the story says [`release`](Self::release); `/drip`
/// answers a body whose chunks the story gives by [`drip`](Self::drip), until [`end`](Self::end).
pub struct HttpBackend {
    addr: SocketAddr,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

struct Shared {
    name: HeaderValue,
    requests: AtomicU64,
    slow: AtomicU64,
    released: watch::Sender<bool>,
    drips: broadcast::Sender<Option<Bytes>>,
}

impl HttpBackend {
    /// Listens on a port of the stage.
    pub async fn start(stage: &Stage, name: &str) -> Outcome<Self> {
        let listener = TcpListener::bind(stage.any_port()).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            name: name.parse()?,
            requests: AtomicU64::new(0),
            slow: AtomicU64::new(0),
            released: watch::Sender::new(false),
            drips: broadcast::Sender::new(64),
        });
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { addr, shared, _server: server })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Requests whose head it has seen.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Waits until so many requests for `/slow` wait here.
    pub async fn until_slow(&self, count: u64) -> Outcome {
        eventually("requests for /slow", Duration::from_secs(20), async || {
            Ok((self.shared.slow.load(Ordering::Relaxed) >= count).then_some(()))
        })
        .await
    }

    /// Lets every request for `/slow` be answered, those waiting and those to come.
    pub fn release(&self) {
        self.shared.released.send_replace(true);
    }

    /// Waits until so many bodies of `/drip` are open.
    pub async fn until_dripping(&self, count: usize) -> Outcome {
        eventually("open bodies of /drip", Duration::from_secs(20), async || {
            Ok((self.shared.drips.receiver_count() >= count).then_some(()))
        })
        .await
    }

    /// Gives every open body of `/drip` one more chunk.
    pub fn drip(&self, chunk: &'static str) {
        // Nobody listening is no fault: the story counts what its clients got.
        let _ = self.shared.drips.send(Some(Bytes::from_static(chunk.as_bytes())));
    }

    /// Ends every open body of `/drip`.
    pub fn end(&self) {
        let _ = self.shared.drips.send(None);
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(connection(stream, Arc::clone(&shared)));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(request, Arc::clone(&shared)));
    let mut http = http1::Builder::new();
    // How a connection ends is the proxy's business, seen by the proxy's clients.
    let _ = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Body>, Infallible> {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    let path = request.uri().path();
    let body = if let Some(count) = path.strip_prefix("/bytes/").and_then(|count| count.parse().ok()) {
        bytes(count)
    } else if path == "/drip" {
        dripping(shared.drips.subscribe())
    } else {
        if path == "/slow" {
            shared.slow.fetch_add(1, Ordering::Relaxed);
            // Fails only when the sender is gone, and we hold it.
            let _ = shared.released.subscribe().wait_for(|released| *released).await;
        }
        told(request, &shared).await
    };
    let mut response = Response::new(body);
    response.headers_mut().insert("x-backend", shared.name.clone());
    Ok(response)
}

async fn told(request: Request<Incoming>, shared: &Shared) -> Body {
    let (head, mut body) = request.into_parts();
    let (mut count, mut sum) = (0_u64, 0_u64);
    while let Some(Ok(frame)) = body.frame().await {
        for byte in frame.data_ref().into_iter().flatten() {
            count += 1;
            sum = sum.wrapping_mul(31).wrapping_add(u64::from(*byte));
        }
    }
    let text = json!({
        "backend": shared.name.to_str().unwrap_or_default(),
        "method": head.method.as_str(),
        "target": head.uri.to_string(),
        "fields": fields(&head.headers),
        "body_bytes": count,
        "body_sum": sum.to_string(),
    });
    Full::new(Bytes::from(text.to_string())).boxed_unsync()
}

fn fields(headers: &HeaderMap) -> Value {
    let mut all = Map::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        match all.get_mut(name.as_str()).and_then(Value::as_array_mut) {
            Some(values) => values.push(value.into()),
            None => {
                all.insert(name.to_string(), vec![value].into());
            }
        }
    }
    all.into()
}

fn bytes(count: usize) -> Body {
    let chunks = stream::unfold(count, |left| async move {
        let size = left.min(CHUNK);
        let chunk = Bytes::from_static(&[b'x'; CHUNK]).slice(..size);
        (size > 0).then(|| (Ok(Frame::data(chunk)), left - size))
    });
    StreamBody::new(chunks).boxed_unsync()
}

fn dripping(drips: broadcast::Receiver<Option<Bytes>>) -> Body {
    let chunks = stream::unfold(drips, |mut drips| async move {
        let chunk = drips.recv().await.ok().flatten()?;
        Some((Ok(Frame::data(chunk)), drips))
    });
    StreamBody::new(chunks).boxed_unsync()
}
