//! Health and numbers over plain HTTP, for whoever supervises a control plane that runs by itself.
//!
//! | path | answer |
//! | --- | --- |
//! | `/live` | 200 while the process can answer at all |
//! | `/ready` | 200 until a drain begins, then 503 |
//! | `/metrics` | the Prometheus text format |
//!
//! Nobody is asked who they are, so it is meant for a loopback address; it answers only GET and HEAD and
//! changes nothing.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use crate::config::AdminLimits;
use crate::drain::Signal;
use crate::tasks::Tasks;

/// Tells the numbers, as text.
pub type Teller = Arc<dyn Fn() -> String + Send + Sync>;

/// The text format that `prometheus-client` writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A bound admin listener.
pub struct Admin {
    socket: TcpListener,
    addr: SocketAddr,
    limits: AdminLimits,
}

impl Admin {
    /// Binds at `addr`.
    pub async fn bind(addr: SocketAddr, limits: AdminLimits) -> io::Result<Self> {
        let socket = TcpListener::bind(addr).await?;
        Ok(Self { addr: socket.local_addr()?, socket, limits })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers on tasks of `tasks`, telling the numbers of `teller`. It goes on answering through a
    /// drain, so that the drain can be watched, until `end` is given.
    pub async fn run(self, teller: Teller, tasks: Tasks, drain: Signal, end: Signal) {
        let permits = Arc::new(Semaphore::new(self.limits.connections.max(1)));
        let answers = Answers { teller, drain };
        loop {
            let accepted = tokio::select! {
                () = end.given() => return,
                accepted = accept(&self.socket, &permits) => accepted,
            };
            match accepted {
                Ok((stream, permit)) => {
                    let serving = serve(stream, permit, answers.clone(), self.limits.head, end.clone());
                    tasks.spawn("admin connection", serving);
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept an admin connection");
                    sleep(self.limits.accept_backoff).await;
                }
            }
        }
    }
}

async fn accept(
    socket: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = permits.clone().acquire_owned().await.map_err(io::Error::other)?;
    Ok((socket.accept().await?.0, permit))
}

async fn serve(
    stream: TcpStream,
    permit: OwnedSemaphorePermit,
    answers: Answers,
    head: Duration,
    end: Signal,
) {
    let _permit = permit;
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answers.answer(&request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head);
    tokio::select! {
        _ = http.serve_connection(TokioIo::new(stream), service) => {}
        () = end.given() => {}
    }
}

#[derive(Clone)]
struct Answers {
    teller: Teller,
    drain: Signal,
}

impl Answers {
    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here\n");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match request.uri().path() {
            "/live" => text(StatusCode::OK, "live\n"),
            "/ready" if self.drain.is_given() => text(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
            "/ready" => text(StatusCode::OK, "ready\n"),
            "/metrics" => {
                let mut answer = text(StatusCode::OK, (self.teller)() + "# EOF\n");
                answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS));
                answer
            }
            _ => text(StatusCode::NOT_FOUND, "there are /live, /ready and /metrics\n"),
        }
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::drain::Drain;

    async fn ask(addr: SocketAddr, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn it_answers_through_a_drain_and_ends_when_told() {
        let limits = AdminLimits::default();
        let admin = Admin::bind(SocketAddr::from(([127, 0, 0, 1], 0)), limits).await.unwrap();
        let (addr, tasks) = (admin.addr(), Tasks::new());
        let (drain, end) = (Drain::new(), Drain::new());
        let teller: Teller = Arc::new(|| "some_number 7\n".to_owned());
        tasks.spawn("admin", admin.run(teller, tasks.clone(), drain.signal(), end.signal()));
        for (method, path, status, body) in [
            ("GET", "/live", "200", "live\n"),
            ("GET", "/ready", "200", "ready\n"),
            ("GET", "/metrics", "200", "some_number 7\n# EOF\n"),
            ("HEAD", "/live", "200", ""),
            ("GET", "/", "404", "there are /live, /ready and /metrics\n"),
            ("POST", "/live", "405", "only GET and HEAD are answered here\n"),
        ] {
            let answer = ask(addr, method, path).await;
            let (head, said) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {head}");
            assert_eq!(said, body, "{method} {path}");
        }
        drain.start();
        assert!(ask(addr, "GET", "/ready").await.starts_with("HTTP/1.1 503 "));
        let idle = TcpStream::connect(addr).await.unwrap();
        end.start();
        tasks.finished().await;
        drop(idle);
        assert!(TcpStream::connect(addr).await.is_err());
    }
}
