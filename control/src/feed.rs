//! From commits to what proxies serve, and from what they acknowledge to who serves it.
//!
//! ```text
//! store.watch ─► Publisher ─► Projection (World) ─► Published (table, deltas) ─► a stream per proxy
//!                                                                                   │ ack, nack
//!                    Feed::wait_applied, Feed::proxies ◄─────────────── Fleet ◄─────┘
//! ```
//!
//! - [`Feed`]: what the rest of the control plane asks: the routes, the proxies, who has a revision.
//! - [`Publisher`]: the one task that takes commits in. Equal tables are never published twice; commits
//!   that change no route are told once a heartbeat, so that every revision is reached by everyone.
//! - [`RouteFeedServer`], [`FleetServer`]: the two services, to be mounted behind authentication.
//!
//! Architecture invariant: publishing never waits for a proxy. A delta is encoded once; a stream that
//! is slow loses its place and is sent the table again.

mod fleet;
mod fleet_service;
mod follow;
mod frame;
mod projection;
mod published;
mod publisher;
mod service;
mod shape;
mod table;
#[cfg(test)]
mod tests;
mod wait;

pub use fleet::{ProxyId, ProxyState, Refused};
pub use fleet_service::{FleetServer, fleet_server};
pub use publisher::Publisher;
pub use service::RouteFeedServer;
pub use wait::{Lagging, Receipt};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use proto::{Hostname, ProjectId, Revision, Route};
use tokio::sync::watch;

use self::fleet::{Fleet, FleetLimits};
use self::frame::EncodedRoute;
use self::published::{DeltaLimits, Published};
use crate::clock::WallClock;
pub use crate::config::FeedLimits;
use crate::drain::Signal;
use crate::metrics::FeedMetrics;
use crate::store::{Store, StoreError};
use crate::tasks::Tasks;

/// The routes as proxies are to have them, and the proxies. Clones are the same feed.
#[derive(Clone)]
pub struct Feed {
    shared: Arc<Shared>,
}

struct Shared {
    published: Mutex<Published>,
    /// Moves with everything that happens to `published`.
    moved: watch::Sender<()>,
    fleet: Fleet,
    limits: FeedLimits,
    metrics: FeedMetrics,
}

impl Shared {
    fn published(&self) -> MutexGuard<'_, Published> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Some of the routes, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutesPage {
    /// Never more than were asked for.
    pub routes: Vec<Route>,
    /// Where to go on, after the last route that was looked at; none when no others follow.
    pub next: Option<Hostname>,
    /// What the table stands at.
    pub revision: Revision,
}

impl Feed {
    /// Reads everything from `store` and makes the table of it, with names under `domains`. The
    /// publisher is to be run as a task of its own.
    pub async fn open(
        store: Arc<dyn Store>,
        domains: Vec<Hostname>,
        limits: FeedLimits,
        clock: WallClock,
        metrics: FeedMetrics,
    ) -> Result<(Self, Publisher), StoreError> {
        shape::settle_shape(&*store, &domains).await?;
        let opened = publisher::Opened::load(&*store, &domains).await?;
        let deltas =
            DeltaLimits { count: limits.deltas, bytes: limits.delta_bytes, one: limits.one_delta_bytes };
        let fleet = FleetLimits { proxies: limits.proxies, remembered: limits.remembered };
        let (table, projection, watch) = (opened.table, opened.projection, opened.watch);
        metrics.routes.set(i64::try_from(table.len()).unwrap_or(i64::MAX));
        metrics.revision.set(i64::try_from(opened.revision.number).unwrap_or(i64::MAX));
        let shared = Arc::new(Shared {
            published: Mutex::new(Published::new(table, opened.revision, deltas)),
            moved: watch::Sender::new(()),
            fleet: Fleet::new(clock, fleet),
            limits,
            metrics,
        });
        let publisher = Publisher::new(shared.clone(), store, domains, projection, watch);
        Ok((Self { shared }, publisher))
    }

    /// The last commit that has been taken in: what the routes stand at.
    pub fn revision(&self) -> Revision {
        self.shared.published().reached()
    }

    /// Up to `limit` routes after `after`, of `project` or of all; fewer when they are large, for a page
    /// has no more bytes than a chunk of a snapshot, and fewer or none when many others stand between them,
    /// for a page looks at a bounded number.
    pub fn routes(&self, project: Option<&ProjectId>, after: Option<&Hostname>, limit: usize) -> RoutesPage {
        let (table, revision) = {
            let published = self.shared.published();
            (published.table().clone(), published.reached())
        };
        let limits = &self.shared.limits;
        let (mut page, mut bytes) = (RoutesPage { routes: Vec::new(), next: None, revision }, 0);
        let mut last = None;
        for (looked_at, encoded) in table.after(after.map(Hostname::as_str)).enumerate() {
            let full = page.routes.len() == limit
                || (looked_at >= limits.page_looks_at && last.is_some())
                || (bytes + encoded.len() > limits.chunk_bytes && !page.routes.is_empty());
            if full {
                page.next = last;
                break;
            }
            let Ok(route) = encoded.decode() else { continue };
            last = Some(route.hostname.clone());
            if project.is_none_or(|project| route.project == *project) {
                bytes += encoded.len();
                page.routes.push(route);
            }
        }
        page
    }

    /// What `name` means at the edge; none when it has no route.
    pub fn route(&self, name: &Hostname) -> Option<Route> {
        let encoded: EncodedRoute = self.shared.published().table().get(name.as_str())?.clone();
        encoded.decode().ok()
    }

    /// Every proxy that follows or followed not long ago, by name.
    pub fn proxies(&self) -> Vec<ProxyState> {
        self.shared.fleet.all()
    }

    /// The service proxies follow, whose streams are tasks of `tasks` and end when `signal` is given.
    pub fn route_feed_server(&self, tasks: Tasks, signal: Signal) -> RouteFeedServer {
        RouteFeedServer::new(self.shared.clone(), tasks, signal)
    }
}
