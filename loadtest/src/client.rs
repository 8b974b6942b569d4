use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Outcome;

/// One HTTP/1.1 connection to the edge that is kept, and never opened again: whoever closes it is seen.
pub struct KeepAlive {
    host: String,
    sender: SendRequest<Empty<Bytes>>,
    /// Drives the connection; ends with its owner.
    _driver: JoinSet<()>,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Which backend gave it, or why none did.
    pub by: String,
    /// Bytes of its body.
    pub bytes: usize,
}

impl KeepAlive {
    /// Connects, to ask for `host`.
    pub async fn connect(edge: SocketAddr, host: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(edge).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // What ends it is told to the request that meets it.
            let _ = connection.await;
        });
        Ok(Self { host: host.to_owned(), sender, _driver: driver })
    }

    /// Asks, and reads the whole answer.
    pub async fn get(&mut self, path: &str) -> Outcome<Answer> {
        let response = self.open(path).await?;
        let status = response.status().as_u16();
        let field = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let by = field("x-backend").or_else(|| field("epr-refusal")).unwrap_or_default();
        let bytes = response.into_body().collect().await?.to_bytes().len();
        Ok(Answer { status, by, bytes })
    }

    /// Asks, and leaves the body to be read.
    pub async fn open(&mut self, path: &str) -> Outcome<Response<Incoming>> {
        let request = Request::get(path).header("host", &self.host).body(Empty::new())?;
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }
}
