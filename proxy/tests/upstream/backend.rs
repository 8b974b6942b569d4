//! Backends that behave, and some that do not.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use h2::Reason;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// What a backend does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Answers each request with its path. `/big` has a body of 1 MiB, `/empty` none, `/upgrade` becomes an
    /// echo.
    Http1,
    /// The same, but closes after one answer without having said so.
    OneEach,
    /// Reads and closes.
    Silent,
    /// Answers with what is no HTTP.
    Garbage,
    /// Answers each request with its path. `/go-away` is the last on its connection, `/refuse` and `/reset`
    /// are reset, `/held` is answered but does not end, `/large` has a body of 256 KiB.
    H2c,
    /// The same, with no more than two streams on a connection.
    H2cNarrow,
    /// Goes away at the first request of each connection, without having looked at it.
    H2cLeaving,
}

/// A backend on a port of its own. Dropped, it listens no more.
pub(crate) struct Backend {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Backend {
    /// Starts one.
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let connections = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, behaviour, connections.clone()));
        Self { address, connections, _tasks: tasks }
    }

    /// Connections accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// An address where nobody listens, and nobody else will while the socket is held.
pub(crate) fn gone() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let address = socket.local_addr().expect("a bound socket").to_string();
    (socket, address)
}

async fn accept(listener: TcpListener, behaviour: Behaviour, count: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        count.fetch_add(1, Ordering::Relaxed);
        connections.spawn(async move {
            // Clients break connections off; that is what is tested.
            let _ = serve(stream, behaviour).await;
        });
    }
}

async fn serve(
    mut stream: TcpStream,
    behaviour: Behaviour,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    match behaviour {
        Behaviour::Http1 => {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
            connection.with_upgrades().await?;
        }
        Behaviour::OneEach => {
            let path = read_head(&mut stream).await?;
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{path}", path.len());
            stream.write_all(answer.as_bytes()).await?;
        }
        Behaviour::Silent => {
            read_head(&mut stream).await?;
        }
        Behaviour::Garbage => {
            read_head(&mut stream).await?;
            stream.write_all(b"220 mail.example.org ESMTP\r\n").await?;
        }
        Behaviour::H2c => serve_h2(stream, 100).await?,
        Behaviour::H2cNarrow => serve_h2(stream, 2).await?,
        Behaviour::H2cLeaving => leave(stream).await?,
    }
    Ok(())
}

async fn answer(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match request.uri().path() {
        "/big" => Bytes::from(vec![0; 1 << 20]),
        "/empty" => return Ok(with_status(StatusCode::NO_CONTENT)),
        "/upgrade" => {
            let upgrade = hyper::upgrade::on(&mut request);
            let mut echo = JoinSet::new();
            echo.spawn(async move {
                let stream = TokioIo::new(upgrade.await.expect("the client upgrades"));
                let (mut from, mut to) = tokio::io::split(stream);
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
            echo.detach_all();
            let mut response = with_status(StatusCode::SWITCHING_PROTOCOLS);
            response.headers_mut().insert("connection", http::HeaderValue::from_static("upgrade"));
            response.headers_mut().insert("upgrade", http::HeaderValue::from_static("echo"));
            return Ok(response);
        }
        path => Bytes::copy_from_slice(path.as_bytes()),
    };
    Ok(Response::new(Full::new(body)))
}

fn with_status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// Reads a request head and tells its path.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned())
}

async fn serve_h2(stream: TcpStream, streams: u32) -> Result<(), h2::Error> {
    let mut held = Vec::new();
    let mut builder = h2::server::Builder::new();
    let mut connection = builder.max_concurrent_streams(streams).handshake(stream).await?;
    while let Some(request) = connection.accept().await {
        let (request, mut respond) = request?;
        match request.uri().path() {
            "/refuse" => respond.send_reset(Reason::REFUSED_STREAM),
            "/reset" => respond.send_reset(Reason::INTERNAL_ERROR),
            "/large" => {
                let body = Bytes::from(vec![0; 256 * 1024]);
                respond.send_response(Response::new(()), false)?.send_data(body, true)?;
            }
            "/held" => held.push(respond.send_response(Response::new(()), false)?),
            path => {
                let body = Bytes::copy_from_slice(path.as_bytes());
                respond.send_response(Response::new(()), false)?.send_data(body, true)?;
                if path == "/go-away" {
                    connection.graceful_shutdown();
                }
            }
        }
    }
    Ok(())
}

/// Speaks as much HTTP/2 as it takes: reads to the first HEADERS frame, and says GOAWAY with no last stream.
async fn leave(mut stream: TcpStream) -> std::io::Result<()> {
    const HEADERS: u8 = 1;
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await?;
    stream.read_exact(&mut [0; 24]).await?;
    loop {
        let mut header = [0; 9];
        stream.read_exact(&mut header).await?;
        let [a, b, c, kind, ..] = header;
        let length = u32::from_be_bytes([0, a, b, c]);
        tokio::io::copy(&mut (&mut stream).take(length.into()), &mut tokio::io::sink()).await?;
        if kind == HEADERS {
            stream.write_all(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await?;
        }
    }
}
