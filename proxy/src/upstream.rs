//! To the backends: which one, over which connection.
//!
//! [`Upstreams`] belongs to one worker. It chooses among the backends of a route ([`Upstreams::choose`]:
//! the less busy of two drawn at random), dials them under the rules of [`Networks`], keeps connections
//! for reuse, and sends one request at a time over each (HTTP/1.1) or many (h2c).
//!
//! Architecture invariants: connections are kept under the upstream they were opened for, whose
//! identity holds deployment and endpoint besides the address. Nothing is dialled that [`Networks`]
//! does not permit, whatever control said. Nothing here is shared between workers but counters.

mod aside;
mod body;
mod choose;
mod dial;
mod early;
mod error;
mod h1;
mod h2;
mod networks;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use proto::BackendProtocol;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::config::{BackendPolicy, Limits};
use crate::dice::Dice;
use crate::http1::ResponseHead;
use crate::metrics::{Metrics, WorkerMetrics};
use crate::per_worker::WorkerId;
use crate::routes::{RouteEntry, Upstream, UpstreamId};
use crate::tasks::Tasks;

pub use body::{BodyError, UpstreamBody};
pub use choose::Lease;
pub use dial::DialError;
pub(crate) use early::Early;
pub use error::{Fault, SendError};
pub use h1::Connection;
pub(crate) use h1::{Unanswered, Written, framing};
pub use networks::{Forbidden, Networks};

use aside::Aside;

/// A request body that can be sent to a backend.
pub trait RequestBody:
    Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin + 'static
{
}

impl<B> RequestBody for B where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin + 'static
{
}

/// One worker's connections to backends. `B` is the body of the requests it sends.
pub struct Upstreams<B> {
    worker: WorkerId,
    dice: Dice,
    /// Requests and tunnels a backend may have under way.
    in_flight: u32,
    aside: RefCell<Aside>,
    dialler: Rc<Dialler>,
    h1: Rc<h1::H1>,
    h2: h2::Shared<B>,
    /// What drives the connections.
    tasks: Tasks,
}

/// Which connection to a backend is good enough for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    /// One kept from before that is not known to be closed: the request can be sent again.
    Any,
    /// One kept from before of which the kernel says that it is open.
    Sure,
    /// A new one.
    Fresh,
}

/// What every dial needs.
pub(crate) struct Dialler {
    networks: Arc<Networks>,
    timeout: Duration,
    /// Bytes the kernel holds for a backend that are not on the wire.
    unsent: u32,
    metrics: Arc<Metrics>,
    worker: WorkerId,
}

impl<B: RequestBody> Upstreams<B> {
    /// Nothing open yet. `connect` is the time a connection may take to open; `seed` is for the draws
    /// of [`Upstreams::choose`], another one for each worker.
    pub fn new(
        worker: WorkerId,
        policy: &BackendPolicy,
        limits: &Limits,
        connect: Duration,
        networks: Arc<Networks>,
        metrics: Arc<Metrics>,
        seed: u64,
    ) -> Rc<Self> {
        let tasks = Tasks::new();
        Rc::new(Self {
            worker,
            dice: Dice::new(seed),
            in_flight: limits.in_flight_per_backend.get(),
            aside: RefCell::new(Aside::new(policy.set_aside)),
            dialler: Rc::new(Dialler { networks, timeout: connect, unsent: limits.unsent, metrics, worker }),
            h1: h1::H1::new(policy, limits),
            h2: h2::Shared::new(policy, limits, tasks.clone()),
            tasks,
        })
    }

    /// Chooses a backend of `entry`, other than `exclude`, and counts it busier until the lease is
    /// dropped. None when there is no healthy one (`Refusal::NoBackend`), or when all have as much under way
    /// as they may, which `limits` tells before.
    ///
    /// Of two drawn at random the one with less in flight from this worker; those to which a
    /// connection failed to open a moment ago only if there is no other.
    pub fn choose(&self, entry: &RouteEntry, exclude: Option<UpstreamId>) -> Option<Lease> {
        let aside = self.aside.borrow();
        let now = (!aside.is_empty()).then(Instant::now);
        let rested = |backend: &Upstream| now.is_none_or(|now| !aside.holds(backend.id(), now));
        let allowed = |backend: &Upstream| {
            Some(backend.id()) != exclude && backend.has_room(self.worker, self.in_flight)
        };
        let chosen = choose::less_busy(&entry.backends, self.worker, &self.dice, |backend| {
            allowed(backend) && rested(backend)
        })
        .or_else(|| choose::less_busy(&entry.backends, self.worker, &self.dice, allowed))?;
        Some(Lease::new(chosen.clone(), self.worker))
    }

    /// Chooses a backend; after one has `failed` another one, where that makes sense.
    pub(crate) fn choose_again(
        &self,
        entry: &RouteEntry,
        failed: Option<(UpstreamId, Fault)>,
    ) -> Option<Lease> {
        let Some((failed, fault)) = failed else { return self.choose(entry, None) };
        let other = self.choose(entry, Some(failed));
        match fault {
            // The only backend may have closed just this connection, or refused just this stream.
            Fault::Closed | Fault::RefusedStream => other.or_else(|| self.choose(entry, None)),
            Fault::Dial(_) | Fault::CutShort | Fault::Garbage | Fault::RequestBody => other,
        }
    }

    /// Opens a connection to the leased backend, for a tunnel of one's own.
    pub async fn dial(&self, lease: &Lease) -> Result<TcpStream, DialError> {
        self.judged(lease, self.dialler.dial(lease.upstream()).await)
    }

    /// Sends a request to the leased backend, over a connection kept from before if there is one, and
    /// returns once the head of the response is there. The lease stays with the response's body. The
    /// caller bounds the time; dropping the future breaks the request off.
    ///
    /// A response with status 101 becomes a tunnel by [`UpstreamBody::into_tunnel`].
    pub async fn send(
        &self,
        lease: Lease,
        request: Request<B>,
    ) -> Result<Response<UpstreamBody<B>>, SendError<B>> {
        self.send_telling(lease, request, None).await
    }

    /// The same, and interim answers are told `early` as they come. hyper keeps those of HTTP/2 backends to
    /// itself.
    pub(crate) async fn send_telling(
        &self,
        lease: Lease,
        request: Request<B>,
        early: Option<&Early>,
    ) -> Result<Response<UpstreamBody<B>>, SendError<B>> {
        let pick = if request.method().is_idempotent() { Pick::Any } else { Pick::Sure };
        self.send_by(pick, lease, request, early).await
    }

    /// Sends a request a second time: over a new connection where it would be alone on it, for others kept from
    /// before may be no better than the one that failed.
    pub(crate) async fn send_again(
        &self,
        lease: Lease,
        request: Request<B>,
        early: Option<&Early>,
    ) -> Result<Response<UpstreamBody<B>>, SendError<B>> {
        self.send_by(Pick::Fresh, lease, request, early).await
    }

    async fn send_by(
        &self,
        pick: Pick,
        lease: Lease,
        request: Request<B>,
        early: Option<&Early>,
    ) -> Result<Response<UpstreamBody<B>>, SendError<B>> {
        match lease.upstream().protocol() {
            BackendProtocol::Http1 => self.send_h1(pick, lease, request, early).await,
            BackendProtocol::H2c => self.send_h2(lease, request).await,
        }
    }

    /// Closes idle connections that were so for too long, whose backends have closed or spoken, or to which no
    /// route leads any more. To be called every second or so.
    pub fn reap(&self) {
        let now = Instant::now();
        self.h1.reap(now);
        self.h2.reap(now);
        self.aside.borrow_mut().reap(now);
    }

    /// Closes all HTTP/1.1 connections that are idle, so that others get their descriptors.
    pub fn make_room(&self) {
        self.h1.clear();
    }

    /// Closes all that is idle and keeps nothing from now on; what is in use ends in its time.
    pub fn close(&self) {
        self.h1.close();
        self.h2.close();
    }

    /// The tasks that drive connections; each ends with its connection.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Idle connections kept now.
    pub fn idle(&self) -> usize {
        self.h1.len()
    }

    async fn send_h1(
        &self,
        pick: Pick,
        lease: Lease,
        request: Request<B>,
        early: Option<&Early>,
    ) -> Result<Response<UpstreamBody<B>>, SendError<B>> {
        let upstream = lease.upstream().id();
        let (head, body) = request.into_parts();
        let written = Written::of(&head, body);
        match self.send_written(pick, lease, written, early, h1::response).await {
            Ok((response, body)) => Ok(response.map(|()| body)),
            Err(Unanswered { fault, is_touched, request }) => {
                let unsent = request.filter(|_| !is_touched);
                let unsent = unsent.map(|written| Box::new(Request::from_parts(head, written.body)));
                Err(SendError { fault, upstream, unsent })
            }
        }
    }

    /// Sends a request whose head is written to the leased backend, and returns what `read` makes of the head of its
    /// answer. The lease stays with that.
    pub(crate) async fn send_written<R>(
        &self,
        pick: Pick,
        lease: Lease,
        request: Written<B>,
        early: Option<&Early>,
        read: impl FnMut(&ResponseHead<'_>) -> Result<R, Fault>,
    ) -> Result<(R, UpstreamBody<B>), Unanswered<B>> {
        match self.connect(&lease, pick).await {
            Ok(connection) => {
                let (read, answer) = self.h1.send(connection, request, lease, early, read).await?;
                Ok((read, UpstreamBody::own(answer)))
            }
            Err(fault) => Err(Unanswered { fault, is_touched: false, request: Some(request) }),
        }
    }

    /// A connection to the leased backend for one HTTP/1.1 request.
    pub(crate) async fn connect(&self, lease: &Lease, pick: Pick) -> Result<Connection, Fault> {
        let kept = match pick {
            Pick::Any => self.h1.kept(lease.upstream().id(), false),
            Pick::Sure => self.h1.kept(lease.upstream().id(), true),
            Pick::Fresh => None,
        };
        if let Some(kept) = kept {
            self.metrics().reused.inc();
            return Ok(kept);
        }
        // Most requests find one, and shall not carry the room for a dial.
        let stream = Box::pin(self.dial(lease)).await.map_err(Fault::Dial)?;
        self.h1.fresh(stream)
    }

    /// Keeps a connection whose answer was read to its end for the next request.
    pub(crate) fn keep(&self, lease: &Lease, connection: Connection) {
        self.h1.keep(lease, connection);
    }

    async fn send_h2(
        &self,
        lease: Lease,
        mut request: Request<B>,
    ) -> Result<Response<UpstreamBody<B>>, SendError<B>> {
        let upstream = lease.upstream().clone();
        // Twice at most: a shared connection may close between being looked up and being used.
        let mut again = true;
        loop {
            let place = match self.h2.place(&upstream, &self.dialler).await {
                Ok(place) => place,
                Err(error) => {
                    let _ = self.judged(&lease, Err::<(), _>(error));
                    return Err(SendError::unsent(Fault::Dial(error), request, lease));
                }
            };
            let h2::Place { mut sender, stream, opened } = place;
            if !opened {
                self.metrics().reused.inc();
            }
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(UpstreamBody::shared(response, stream, lease)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) if again => request = unsent,
                    Some(unsent) => return Err(SendError::unsent(Fault::Closed, unsent, lease)),
                    None => return Err(SendError::failed(&error.into_error(), lease)),
                },
            }
            again = false;
        }
    }

    /// Counts a failed dial and puts the backend aside.
    fn judged<T>(&self, lease: &Lease, dialled: Result<T, DialError>) -> Result<T, DialError> {
        if dialled.is_err() {
            lease.share().failed_dials.inc();
            self.aside.borrow_mut().put(lease.upstream().id(), Instant::now());
        }
        dialled
    }

    fn metrics(&self) -> &WorkerMetrics {
        self.dialler.metrics.worker(self.worker)
    }
}
