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
use crate::metrics::{Metrics, WorkerMetrics};
use crate::per_worker::WorkerId;
use crate::routes::{RouteEntry, UpstreamId};
use crate::tasks::Tasks;

pub use body::UpstreamBody;
pub use choose::Lease;
pub use dial::DialError;
pub use error::{Fault, SendError};
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
    aside: RefCell<Aside>,
    dialler: Rc<Dialler>,
    h1: Rc<h1::Idle<B>>,
    h1_settings: hyper::client::conn::http1::Builder,
    h2: h2::Shared<B>,
    /// What drives the connections.
    tasks: Tasks,
}

/// What every dial needs.
pub(crate) struct Dialler {
    networks: Arc<Networks>,
    timeout: Duration,
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
            aside: RefCell::new(Aside::new(policy.set_aside)),
            dialler: Rc::new(Dialler { networks, timeout: connect, metrics, worker }),
            h1: Rc::new(h1::Idle::new(policy)),
            h1_settings: h1::settings(limits),
            h2: h2::Shared::new(policy, limits, tasks.clone()),
            tasks,
        })
    }

    /// Chooses a backend of `entry`, other than `exclude`, and counts it busier until the lease is
    /// dropped. None when there is no healthy one (`Refusal::NoBackend`).
    ///
    /// Of two drawn at random the one with less in flight from this worker; those to which a
    /// connection failed to open a moment ago only if there is no other.
    pub fn choose(&self, entry: &RouteEntry, exclude: Option<UpstreamId>) -> Option<Lease> {
        let aside = self.aside.borrow();
        let now = (!aside.is_empty()).then(Instant::now);
        let rested = |id| now.is_none_or(|now| !aside.holds(id, now));
        let allowed = |id| Some(id) != exclude;
        let chosen =
            choose::less_busy(&entry.backends, self.worker, &self.dice, |id| allowed(id) && rested(id))
                .or_else(|| choose::less_busy(&entry.backends, self.worker, &self.dice, allowed))?;
        Some(Lease::new(chosen.clone(), self.worker))
    }

    /// Opens a connection to the leased backend, for a tunnel of one's own.
    pub async fn dial(&self, lease: &Lease) -> Result<TcpStream, DialError> {
        self.judged(lease, self.dialler.dial(lease.upstream()).await)
    }

    /// Sends a request to the leased backend, over a connection kept from before if there is one, and
    /// returns once the head of the response is there. The lease stays with the response's body. The
    /// caller bounds the time; dropping the future breaks the request off.
    ///
    /// A response with status 101 can be upgraded with [`hyper::upgrade::on`]; take the lease from its
    /// body with [`UpstreamBody::into_lease`] first, and keep it as long as the tunnel.
    pub async fn send(
        &self,
        lease: Lease,
        request: Request<B>,
    ) -> Result<Response<UpstreamBody<B>>, SendError<B>> {
        match lease.upstream().protocol() {
            BackendProtocol::Http1 => self.send_h1(lease, request).await,
            BackendProtocol::H2c => self.send_h2(lease, request).await,
        }
    }

    /// Closes connections that were idle too long. To be called every second or so.
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
        lease: Lease,
        mut request: Request<B>,
    ) -> Result<Response<UpstreamBody<B>>, SendError<B>> {
        // A kept connection that its backend has closed meanwhile hands the request back unsent. There
        // are finitely many kept ones, then a fresh one.
        while let Some(mut kept) = self.h1.take(lease.upstream().id()) {
            match kept.try_send_request(request).await {
                Ok(response) => {
                    self.metrics().reused.inc();
                    return Ok(self.h1.responding(response, kept, lease));
                }
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(SendError::failed(&error.into_error(), lease)),
                },
            }
        }
        let mut fresh = match self.open_h1(&lease).await {
            Ok(sender) => sender,
            Err(error) => return Err(SendError::unsent(error, request, lease)),
        };
        match fresh.try_send_request(request).await {
            Ok(response) => Ok(self.h1.responding(response, fresh, lease)),
            Err(mut error) => Err(match error.take_message() {
                Some(unsent) => SendError::unsent(Fault::Closed, unsent, lease),
                None => SendError::failed(&error.into_error(), lease),
            }),
        }
    }

    async fn open_h1(&self, lease: &Lease) -> Result<hyper::client::conn::http1::SendRequest<B>, Fault> {
        let stream = self.dial(lease).await.map_err(Fault::Dial)?;
        h1::open(&self.h1_settings, stream, &self.tasks).await
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
