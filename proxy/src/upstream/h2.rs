use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared as SharedFuture};
use hyper::client::conn::http2::{self, Builder, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::dial::DialError;
use super::{Dialler, RequestBody};
use crate::config::{BackendPolicy, Limits};
use crate::routes::{Upstream, UpstreamId};
use crate::tasks::Tasks;

/// HTTP/2 connections in the clear with prior knowledge (RFC 9113 3.3), shared by all requests of the
/// worker. An upstream has one until the streams its backend allows on it are in use; then the next is
/// opened. A connection that is going away takes no new request; what is still on it ends there.
pub(super) struct Shared<B> {
    peers: Rc<Peers<B>>,
    settings: Builder<Tasks>,
    idle_timeout: Duration,
    vanished: Duration,
    most: usize,
    tasks: Tasks,
}

type Peers<B> = RefCell<HashMap<UpstreamId, Peer<B>>>;

struct Peer<B> {
    upstream: Arc<Upstream>,
    open: Vec<Connection<B>>,
    opening: Option<Opening>,
    /// Streams its newest connection allows: what the next one is assumed to allow.
    assumed: usize,
}

struct Connection<B> {
    sender: SendRequest<B>,
    streams: Rc<Streams>,
    used: Cell<Instant>,
}

/// Many requests wait for one dial, and share its failure.
type Opening = SharedFuture<LocalBoxFuture<'static, Result<(), DialError>>>;

/// The streams of a connection.
struct Streams {
    in_use: Cell<usize>,
    /// What the backend allows; until it has said so, what is assumed.
    allowed: Cell<usize>,
    /// Whether the backend has said it.
    told: Cell<bool>,
    /// Wakes whoever reads `allowed`.
    reader: Cell<Option<Waker>>,
}

/// A way to send one request, and its stream until dropped.
pub(super) struct Place<B> {
    pub(super) sender: SendRequest<B>,
    pub(super) stream: Stream,
    /// Whether the connection was opened for this request.
    pub(super) opened: bool,
}

/// A stream in use.
pub(super) struct Stream(Rc<Streams>);

impl Stream {
    fn of(streams: &Rc<Streams>) -> Self {
        streams.in_use.set(streams.in_use.get() + 1);
        Self(streams.clone())
    }

    /// The backend has answered, so its settings are there as well: they come first.
    pub(super) fn answered(&self) {
        if !self.0.told.replace(true)
            && let Some(reader) = self.0.reader.take()
        {
            reader.wake();
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.in_use.set(self.0.in_use.get() - 1);
    }
}

/// What a backend nobody has spoken with is assumed to allow (RFC 9113 6.5.2: no less is recommended).
const ASSUMED: usize = 100;
/// Connections that open and close again, or are used up by others, before a request gives up.
const ATTEMPTS: usize = 3;

impl<B: RequestBody> Shared<B> {
    pub(super) fn new(policy: &BackendPolicy, limits: &Limits, tasks: Tasks) -> Self {
        let mut settings = Builder::new(tasks.clone());
        settings
            .timer(TokioTimer::new())
            .initial_stream_window_size(limits.h2_stream_window)
            .initial_connection_window_size(limits.h2_backend_window)
            .max_header_list_size(limits.h2_field_bytes);
        let most = policy.h2_connections.max(1);
        Self {
            peers: Rc::default(),
            settings,
            idle_timeout: policy.idle_timeout,
            vanished: policy.vanished,
            most,
            tasks,
        }
    }

    /// A place on a connection to `upstream`.
    pub(super) async fn place(
        &self,
        upstream: &Arc<Upstream>,
        dialler: &Rc<Dialler>,
    ) -> Result<Place<B>, DialError> {
        let mut opened = false;
        for _ in 0..self.most + ATTEMPTS {
            let opening = match self.find(upstream) {
                Ok((sender, stream)) => return Ok(Place { sender, stream, opened }),
                Err(Some(opening)) => opening,
                Err(None) => {
                    opened = true;
                    self.open(upstream, dialler)
                }
            };
            opening.await?;
        }
        Err(DialError::Failed(std::io::ErrorKind::ConnectionReset))
    }

    /// A place on a connection there is; else the opening to wait for, if there is one.
    fn find(&self, upstream: &Arc<Upstream>) -> Result<(SendRequest<B>, Stream), Option<Opening>> {
        let mut peers = self.peers.borrow_mut();
        let Some(peer) = peers.get_mut(&upstream.id()) else { return Err(None) };
        if let Some(newest) = peer.open.last() {
            peer.assumed = newest.streams.allowed.get();
        }
        peer.open.retain(|connection| !connection.sender.is_closed());
        let free = peer.open.iter().find(|connection| connection.streams.has_room());
        let full = peer.open.len() >= self.most;
        let last =
            || peer.open.iter().filter(|_| full).min_by_key(|connection| connection.streams.in_use.get());
        match free.or_else(last) {
            Some(connection) => {
                connection.used.set(Instant::now());
                Ok((connection.sender.clone(), Stream::of(&connection.streams)))
            }
            None => Err(peer.opening.clone()),
        }
    }

    fn open(&self, upstream: &Arc<Upstream>, dialler: &Rc<Dialler>) -> Opening {
        let (peers, id) = (Rc::downgrade(&self.peers), upstream.id());
        let assumed = self.peers.borrow().get(&id).map_or(ASSUMED, |peer| peer.assumed);
        let mut settings = self.settings.clone();
        settings.initial_max_send_streams(assumed);
        let (of, dialler, vanished) = (upstream.clone(), dialler.clone(), self.vanished);
        let upstream = upstream.clone();
        let open = open(settings, assumed, upstream, dialler, vanished, self.tasks.clone());
        // Whoever polls it last puts the outcome in its place: the request that began may have gone.
        let opening = async move {
            let opened = open.await;
            let Some(peers) = peers.upgrade() else { return opened.map(drop) };
            let mut peers = peers.borrow_mut();
            if let Some(peer) = peers.get_mut(&id) {
                peer.opening = None;
                peer.open.push(opened?);
                return Ok(());
            }
            opened.map(drop)
        };
        let opening = opening.boxed_local().shared();
        let mut peers = self.peers.borrow_mut();
        let peer = peers.entry(id).or_insert_with(|| Peer {
            upstream: of,
            open: Vec::new(),
            opening: None,
            assumed,
        });
        peer.opening = Some(opening.clone());
        opening
    }

    pub(super) fn reap(&self, now: Instant) {
        self.peers.borrow_mut().retain(|_, peer| {
            peer.open.retain(|connection| {
                let idle = now.duration_since(connection.used.get()) >= self.idle_timeout
                    || !peer.upstream.is_routed();
                !connection.sender.is_closed() && (connection.streams.in_use.get() > 0 || !idle)
            });
            // An opening that everyone has given up on is polled by nobody any more.
            let awaited = |opening: &Opening| opening.strong_count().is_some_and(|count| count > 1);
            peer.opening = peer.opening.take().filter(awaited);
            !peer.open.is_empty() || peer.opening.is_some()
        });
    }

    /// Forgets every connection: each closes when its last request has ended.
    pub(super) fn close(&self) {
        self.peers.borrow_mut().clear();
    }
}

impl Streams {
    fn has_room(&self) -> bool {
        self.in_use.get() < self.allowed.get()
    }
}

async fn open<B: RequestBody>(
    settings: Builder<Tasks>,
    assumed: usize,
    upstream: Arc<Upstream>,
    dialler: Rc<Dialler>,
    vanished: Duration,
    tasks: Tasks,
) -> Result<Connection<B>, DialError> {
    let stream = dialler.dial(&upstream).await?;
    notice_vanishing(&stream, vanished);
    let failed = |_| DialError::Failed(std::io::ErrorKind::ConnectionReset);
    let (sender, driver) = settings.handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let streams = Rc::new(Streams {
        in_use: Cell::new(0),
        allowed: Cell::new(assumed),
        told: Cell::new(false),
        reader: Cell::new(None),
    });
    tasks.spawn_local(drive(driver, streams.clone()));
    Ok(Connection { sender, streams, used: Cell::new(Instant::now()) })
}

/// Has the kernel end the connection when the other machine acknowledges nothing for `after`, be it data or
/// probes. PING frames are no way to find out: gRPC servers close connections that send one more often than
/// every five minutes while calls are quiet.
fn notice_vanishing(stream: &TcpStream, after: Duration) {
    let socket = SockRef::from(stream);
    let probes = TcpKeepalive::new().with_time(after / 2).with_interval(after / 6);
    // Without them the requests' own deadlines are all there is.
    let _ = socket.set_tcp_keepalive(&probes);
    let _ = socket.set_tcp_user_timeout(Some(after));
}

type Driver<B> = http2::Connection<TokioIo<TcpStream>, B, Tasks>;

/// Runs a connection to its end, reading at each turn what the backend allows.
async fn drive<B: RequestBody>(driver: Driver<B>, streams: Rc<Streams>) {
    let mut driver = pin!(driver);
    // Whoever waits for a response is told of an error by the response.
    let _ = poll_fn(|context| {
        let turn = driver.as_mut().poll(context);
        streams.allowed.set(driver.current_max_send_streams());
        if !streams.told.get() {
            streams.reader.set(Some(context.waker().clone()));
        }
        turn
    })
    .await;
}
