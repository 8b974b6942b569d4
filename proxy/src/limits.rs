//! How much of each thing one client, one route or one backend may have at once, and how fast.
//!
//! A connection needs a `Place`. When there is none, idle connections go, the newest first (`idle`), and who
//! still gets none in time is refused by name. A request is admitted once its route is known.
//!
//! `Limits` is one worker's; what it asks of the others hangs on the routes and backends themselves, or
//! lies in `Common`. A request that nothing limits touches what its worker alone writes; see
//! `per_worker::is_below` for what that costs in exactness.
//!
//! Architecture invariant: nothing here grows with what clients send, only with how many may be connected.

mod connections;
mod gcra;
pub(crate) mod idle;
pub(crate) mod pace;
mod pressure;
mod rated;
mod source;

use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::config::Config;
use crate::per_worker::WorkerId;
use crate::refusal::Refusal;
use crate::routes::{RouteEntry, Upstream};
use connections::{Connections, Counted};
use gcra::Gcra;
use pressure::Pressure;
use rated::Rated;
use source::Sorter;

/// What the workers' limits share.
pub struct Common {
    /// What times are counted from.
    began: Instant,
    sorter: Sorter,
    places: Arc<Semaphore>,
    patience: Duration,
    pressure: Arc<Pressure>,
    connections: Arc<Connections>,
    per_source: Option<Rated>,
    per_route: Option<Gcra>,
    in_flight_per_route: u32,
    in_flight_per_backend: u32,
}

/// One worker's view of the limits.
pub(crate) struct Limits {
    common: Arc<Common>,
    worker: WorkerId,
    /// Connections on which nothing is asked.
    pub(crate) idle: Rc<idle::Registry>,
    last_words: Rc<Cell<usize>>,
    most_last_words: usize,
}

/// How a connection was accepted.
pub(crate) enum Ticket {
    /// With a place.
    Place(OwnedSemaphorePermit),
    /// To wait for one, which only so many may.
    Waits(OwnedSemaphorePermit),
}

/// A connection that may be served. It counts as one, and as its source's, until this is dropped.
pub(crate) struct Place {
    _place: OwnedSemaphorePermit,
    _counted: Option<Counted>,
}

/// How a connection came in.
pub(crate) enum Entered {
    /// With a place.
    In(Place),
    /// To wait for one.
    Waits(Waiting),
}

/// A connection that waits for a place.
pub(crate) struct Waiting {
    counted: Option<Counted>,
    _among_the_waiting: OwnedSemaphorePermit,
}

/// Leave to tell a client why it is not served, which takes a moment and a descriptor.
pub(crate) struct LastWords(Rc<Cell<usize>>);

/// A request or tunnel that may go to a backend of its route. It counts as under way until this is dropped.
pub(crate) struct Admitted {
    entry: Arc<RouteEntry>,
    worker: WorkerId,
}

impl Common {
    /// For a process that can have `places` connections open.
    pub fn new(config: &Config, places: usize, now: Instant) -> Arc<Self> {
        let limits = &config.limits;
        let rated = |rate| Rated::new(Gcra::new(rate), limits.rated_sources);
        Arc::new(Self {
            began: now,
            sorter: Sorter::new(config),
            places: Arc::new(Semaphore::new(
                limits.connections.get().min(places).min(Semaphore::MAX_PERMITS),
            )),
            patience: config.timeouts.place,
            pressure: Arc::default(),
            connections: Connections::new(limits.connections_per_source.get()),
            per_source: limits.rate_per_source.map(rated),
            per_route: limits.rate_per_route.map(Gcra::new),
            in_flight_per_route: limits.in_flight_per_route.get(),
            in_flight_per_backend: limits.in_flight_per_backend.get(),
        })
    }

    /// Sources that have a connection open.
    pub fn sources(&self) -> usize {
        self.connections.sources()
    }

    /// Connections on which nothing is asked.
    pub fn idle(&self) -> u64 {
        self.pressure.idle()
    }

    /// Idle connections that had to go so far.
    pub fn shed(&self) -> u64 {
        self.pressure.shed()
    }

    /// Connections that could be opened besides those that are.
    pub fn free_places(&self) -> usize {
        self.places.available_permits()
    }

    fn nanoseconds(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Limits {
    /// Those of `worker`, which may say last words to `most_last_words` clients at once.
    pub(crate) fn new(common: Arc<Common>, worker: WorkerId, most_last_words: usize) -> Self {
        let idle = idle::Registry::new(common.pressure.clone(), worker);
        Self { common, worker, idle, last_words: Rc::default(), most_last_words }
    }

    /// One for each connection that may be open.
    pub(crate) fn places(&self) -> &Arc<Semaphore> {
        &self.common.places
    }

    /// Lets a connection from `peer` in, which has to [wait](Self::wait) if it came without a place.
    ///
    /// Refuses with [`Refusal::TooManyConnections`].
    pub(crate) fn enter(&self, peer: IpAddr, ticket: Ticket) -> Result<Entered, Refusal> {
        let counted = self.count(peer)?;
        Ok(match ticket {
            Ticket::Place(place) => Entered::In(Place { _place: place, _counted: counted }),
            Ticket::Waits(waits) => Entered::Waits(Waiting { counted, _among_the_waiting: waits }),
        })
    }

    /// Waits for a place. Those who have one keep it, but for idle ones.
    ///
    /// Refuses with [`Refusal::Overloaded`] if none became free in time.
    pub(crate) async fn wait(&self, waiting: Waiting) -> Result<Place, Refusal> {
        let place = self.place().await.ok_or(Refusal::Overloaded)?;
        Ok(Place { _place: place, _counted: waiting.counted })
    }

    /// A place for one more request of a client that is connected already: HTTP/2 brings many over one connection,
    /// and each may need a connection to a backend. Nobody waits for it; an idle connection goes for the next.
    ///
    /// Refuses with [`Refusal::TooManyConnections`] or [`Refusal::Overloaded`].
    pub(crate) fn another(&self, peer: IpAddr) -> Result<Place, Refusal> {
        let counted = self.count(peer)?;
        match self.common.places.clone().try_acquire_owned() {
            Ok(place) => Ok(Place { _place: place, _counted: counted }),
            Err(_) => {
                self.idle.shed_newest();
                Err(Refusal::Overloaded)
            }
        }
    }

    fn count(&self, peer: IpAddr) -> Result<Option<Counted>, Refusal> {
        let source = self.common.sorter.source(peer);
        source
            .map(|source| self.common.connections.enter(source).ok_or(Refusal::TooManyConnections))
            .transpose()
    }

    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        let pressure = &self.common.pressure;
        let _waits = pressure.wait();
        self.idle.make_room();
        if pressure.is_room_wanted() {
            pressure.ring();
        }
        let place = timeout(self.common.patience, self.common.places.clone().acquire_owned()).await;
        place.ok()?.ok()
    }

    /// Has idle connections go when another worker needs their places; never returns.
    pub(crate) async fn heed(&self) {
        loop {
            self.common.pressure.desk(self.worker).bell.notified().await;
            self.idle.make_room();
        }
    }

    /// Has some idle connections go, for the process is out of descriptors or memory for sockets.
    pub(crate) fn relieve(&self) {
        // As many as one accept may need, and a few that come right after.
        for _ in 0..8 {
            if !self.idle.shed_newest() {
                break;
            }
        }
    }

    /// Leave to say why, unless many are being told already: whoever floods the proxy hears nothing.
    pub(crate) fn last_words(&self) -> Option<LastWords> {
        let saying = self.last_words.get();
        (saying < self.most_last_words).then(|| {
            self.last_words.set(saying + 1);
            LastWords(self.last_words.clone())
        })
    }

    /// Lets one more request or tunnel from `source` go over `entry`, at `now`.
    ///
    /// Refuses with [`Refusal::RouteBusy`], [`Refusal::BackendBusy`], [`Refusal::RatePerSource`] or
    /// [`Refusal::RatePerRoute`]. What is asked for in vain spends nothing of a rate, but a source that asks
    /// too fast of its own; and it never takes from its route's, which others need.
    pub(crate) fn admit(
        &self,
        entry: Arc<RouteEntry>,
        source: IpAddr,
        now: Instant,
    ) -> Result<Admitted, Refusal> {
        let common = &*self.common;
        if !entry.has_room(self.worker, common.in_flight_per_route) {
            return Err(Refusal::RouteBusy);
        }
        let has_room = |backend: &Arc<Upstream>| backend.has_room(self.worker, common.in_flight_per_backend);
        if !entry.backends.is_empty() && !entry.backends.iter().any(has_room) {
            return Err(Refusal::BackendBusy);
        }
        if let Some(rated) = &common.per_source
            && let Some(source) = common.sorter.source(source)
            && !rated.take(source, common.nanoseconds(now))
        {
            return Err(Refusal::RatePerSource);
        }
        if let Some(gcra) = common.per_route
            && !gcra.take_shared(entry.spent(), common.nanoseconds(now))
        {
            return Err(Refusal::RatePerRoute);
        }
        Ok(Admitted::new(entry, self.worker))
    }
}

impl Admitted {
    fn new(entry: Arc<RouteEntry>, worker: WorkerId) -> Self {
        entry.counters(worker).in_flight.up();
        Self { entry, worker }
    }

    /// The route it goes over, as it was when it came.
    pub(crate) fn entry(&self) -> &Arc<RouteEntry> {
        &self.entry
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.entry.counters(self.worker).in_flight.down();
    }
}

impl Drop for LastWords {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
