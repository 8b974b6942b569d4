use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use bytes::Bytes;
use http::{Method, Request, Response, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::backends::{BY, NUMBER, pattern, target};
use super::draw::Draw;
use super::ledger::Ledger;
use super::site::{Edge, Group, Name};
use crate::manifest::Speaks;
use crate::{Fault, OrFault as _, Outcome};

/// How long an answer may take among all that goes on.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks the names of the group, one request after the other, over one connection that nobody may close.
pub(super) async fn run(edge: Edge, group: Group, ledger: Arc<Ledger>, over: CancellationToken, seed: u64) {
    let mut draw = Draw::new(seed);
    let is_h2 = group.speaks == Speaks::HttpsH2c || (group.speaks == Speaks::Https && draw.below(2) == 0);
    let who = format!("sound clients, {}", if is_h2 { "HTTP/2" } else { "HTTP/1.1" });
    while !over.is_cancelled() {
        if let Err(fault) = ask_on(&edge, &group, &ledger, &over, &mut draw, is_h2, &who).await {
            ledger.wrong(format_args!("{who}: {fault:?}"));
        }
    }
}

async fn ask_on(
    edge: &Edge,
    group: &Group,
    ledger: &Ledger,
    over: &CancellationToken,
    draw: &mut Draw,
    is_h2: bool,
    who: &str,
) -> Outcome {
    let host = &group.names.first().or_fault("a group without names")?.host;
    let mut caller = Caller::connect(edge, group.speaks, host, is_h2).await?;
    while !over.is_cancelled() {
        let name = draw.one_of(&group.names).or_fault("a group without names")?;
        let number = ledger.number();
        let scale = 1 << draw.below(18);
        let size = draw.below(scale);
        let is_post = draw.below(3) == 0;
        let sent = Instant::now();
        let asked = caller.ask(&name.host, number, size, is_post);
        let answer = timeout(PATIENCE, asked).await.or_fault(format_args!("{number} unanswered"))?;
        judge(answer?, name, number, size, sent)?;
        ledger.saw(who, if is_post { "POST answered" } else { "GET answered" });
    }
    Ok(())
}

/// Whether it is the answer to this very request, of a deployment that had the name meanwhile.
fn judge(answer: Response<Bytes>, name: &Name, number: u64, size: u64, sent: Instant) -> Outcome {
    let field =
        |field: &str| answer.headers().get(field).and_then(|value| value.to_str().ok()).unwrap_or("-");
    let host = &name.host;
    if answer.status() != 200 {
        let (status, why) = (answer.status(), field("epr-refusal"));
        return Err(Fault::new(format_args!("{host}: {status} {why} to request {number}")));
    }
    if field(NUMBER) != number.to_string() {
        return Err(Fault::new(format_args!("{host}: the answer to {} for {number}", field(NUMBER))));
    }
    if !name.history.may(field(BY), sent) {
        return Err(Fault::new(format_args!("{host}: answered by {}, which had it no more", field(BY))));
    }
    if *answer.body() != pattern(number, size) {
        return Err(Fault::new(format_args!("{host}: another body than that of {number}")));
    }
    Ok(())
}

enum Sender {
    H1(http1::SendRequest<Full<Bytes>>),
    H2(http2::SendRequest<Full<Bytes>>),
}

/// A connection to the edge.
pub(super) struct Caller {
    sender: Sender,
    /// Drives the connection; ends with its owner.
    _driver: JoinSet<()>,
}

impl Caller {
    pub(super) async fn connect(edge: &Edge, speaks: Speaks, host: &str, is_h2: bool) -> Outcome<Self> {
        let plain = speaks == Speaks::Http;
        let stream = TcpStream::connect(if plain { edge.http } else { edge.https }).await?;
        stream.set_nodelay(true)?;
        if plain {
            return Self::over(stream, is_h2).await;
        }
        let mut config = rustls::ClientConfig::clone(&*certs::client_config(Some(&edge.ca))?);
        config.alpn_protocols = vec![if is_h2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
        let connector = TlsConnector::from(Arc::new(config));
        Self::over(connector.connect(host.to_owned().try_into()?, stream).await?, is_h2).await
    }

    async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        is_h2: bool,
    ) -> Outcome<Self> {
        let (io, mut driver) = (TokioIo::new(stream), JoinSet::new());
        // What ends a connection is told to the request that meets it.
        let sender = if is_h2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
            driver.spawn(async move { drop(connection.await) });
            Sender::H2(sender)
        } else {
            let (sender, connection) = http1::handshake(io).await?;
            driver.spawn(async move { drop(connection.await) });
            Sender::H1(sender)
        };
        Ok(Self { sender, _driver: driver })
    }

    pub(super) async fn ask(
        &mut self,
        host: &str,
        number: u64,
        size: u64,
        is_post: bool,
    ) -> Outcome<Response<Bytes>> {
        let body = if is_post { Full::new(pattern(number, size)) } else { Full::default() };
        let path = target(number, size);
        let request = Request::builder().method(if is_post { Method::POST } else { Method::GET });
        let answer = match &mut self.sender {
            Sender::H1(sender) => {
                sender.ready().await?;
                sender.send_request(request.uri(path).header("host", host).body(body)?).await?
            }
            Sender::H2(sender) => {
                sender.ready().await?;
                let uri = format!("https://{host}{path}");
                sender.send_request(request.uri(uri).version(Version::HTTP_2).body(body)?).await?
            }
        };
        whole(answer).await
    }
}

async fn whole(answer: Response<Incoming>) -> Outcome<Response<Bytes>> {
    let (head, body) = answer.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}
