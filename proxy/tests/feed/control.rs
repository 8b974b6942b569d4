//! A control plane whose every word is the test's.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use proto::Revision;
use proto::wire::follow_request::Message as Request;
use proto::wire::follow_response::Message;
use proto::wire::route_feed_service_server::{RouteFeedService, RouteFeedServiceServer};
use proto::wire::{self, FollowRequest, FollowResponse};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::server::Connected;
use tonic::{Response, Status, Streaming};

/// Serves the feed and nothing else.
pub(crate) struct Control {
    address: SocketAddr,
    tls: bool,
    feed: Feed,
    streams: mpsc::Receiver<FeedStream>,
    _server: JoinSet<()>,
}

#[derive(Clone)]
struct Feed {
    opened: mpsc::Sender<FeedStream>,
    turned_away: Arc<OnceLock<&'static str>>,
}

/// One proxy's stream.
pub(crate) struct FeedStream {
    /// What it came with.
    pub(crate) token: String,
    from: Mutex<Streaming<FollowRequest>>,
    to: mpsc::Sender<Result<FollowResponse, Status>>,
}

/// What a proxy said.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    Hello(wire::Hello),
    Ack(wire::Ack),
    Nack(wire::Nack),
}

impl Said {
    pub(crate) fn ack(revision: Revision) -> Self {
        Self::Ack(wire::Ack { revision: Some(revision.into()) })
    }
}

/// A port where nobody listens yet.
pub(crate) fn nobody() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let url = format!("http://{}", socket.local_addr().expect("a bound socket"));
    (socket, url)
}

impl Control {
    pub(crate) fn start() -> Self {
        Self::start_on(nobody().0)
    }

    pub(crate) fn start_on(socket: TcpSocket) -> Self {
        let listener = socket.listen(16).expect("a listener");
        Self::serve(listener, None)
    }

    pub(crate) fn start_tls(config: Arc<rustls::ServerConfig>) -> Self {
        let listener = nobody().0.listen(16).expect("a listener");
        Self::serve(listener, Some(config))
    }

    fn serve(listener: TcpListener, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let address = listener.local_addr().expect("a bound socket");
        let (opened, streams) = mpsc::channel(16);
        let feed = Feed { opened, turned_away: Arc::default() };
        let router =
            tonic::transport::Server::builder().add_service(RouteFeedServiceServer::new(feed.clone()));
        let mut server = JoinSet::new();
        let is_tls = tls.is_some();
        let incoming = TcpListenerStream::new(listener);
        match tls {
            None => server.spawn(async { router.serve_with_incoming(incoming).await.expect("it serves") }),
            Some(config) => {
                let acceptor = TlsAcceptor::from(config);
                let incoming = incoming.then(move |stream| accept(acceptor.clone(), stream));
                server.spawn(async { router.serve_with_incoming(incoming).await.expect("it serves") })
            }
        };
        Self { address, tls: is_tls, feed, streams, _server: server }
    }

    pub(crate) fn url(&self) -> String {
        match self.tls {
            true => format!("https://localhost:{}", self.address.port()),
            false => format!("http://{}", self.address),
        }
    }

    /// Refuses every proxy from now on.
    pub(crate) fn turn_away(&self, reason: &'static str) {
        self.feed.turned_away.set(reason).expect("once");
    }

    /// The next stream a proxy opens.
    pub(crate) async fn accept(&mut self) -> FeedStream {
        tokio::time::timeout(super::PATIENCE, self.streams.recv()).await.expect("in time").expect("it serves")
    }
}

impl FeedStream {
    pub(crate) async fn said(&self) -> Said {
        let message = tokio::time::timeout(super::PATIENCE, async { self.from.lock().await.message().await });
        let request = message.await.expect("in time").expect("no error").expect("a message");
        match request.message.expect("a kind this test knows") {
            Request::Hello(hello) => Said::Hello(hello),
            Request::Ack(ack) => Said::Ack(ack),
            Request::Nack(nack) => Said::Nack(nack),
        }
    }

    pub(crate) async fn say(&self, message: Message) {
        self.to.send(Ok(FollowResponse { message: Some(message) })).await.expect("the proxy listens");
    }

    pub(crate) async fn say_all(&self, messages: Vec<Message>) {
        for message in messages {
            self.say(message).await;
        }
    }
}

#[tonic::async_trait]
impl RouteFeedService for Feed {
    type FollowStream = ReceiverStream<Result<FollowResponse, Status>>;

    async fn follow(
        &self,
        request: tonic::Request<Streaming<FollowRequest>>,
    ) -> Result<Response<Self::FollowStream>, Status> {
        if let Some(reason) = self.turned_away.get() {
            return Err(Status::permission_denied(*reason));
        }
        let token = request.metadata().get("authorization").and_then(|token| token.to_str().ok());
        let token = token.unwrap_or_default().to_owned();
        let (to, responses) = mpsc::channel(16);
        let stream = FeedStream { token, from: Mutex::new(request.into_inner()), to };
        self.opened.send(stream).await.map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(ReceiverStream::new(responses)))
    }
}

async fn accept(acceptor: TlsAcceptor, stream: std::io::Result<TcpStream>) -> std::io::Result<Tls> {
    acceptor.accept(stream?).await.map(Tls)
}

/// A TLS connection tonic takes.
struct Tls(TlsStream<TcpStream>);

impl Connected for Tls {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Tls {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Tls {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
