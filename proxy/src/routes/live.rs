use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

use proto::{DeploymentId, EndpointName, SourceRanges, Target};
use tokio::sync::watch;

use super::RouteEntry;
use crate::per_worker::{Count, Gauge, PerWorker, WorkerId};

/// What changes while a route is served. It outlives updates of the route: entries that follow each
/// other under one name hold the same one.
#[derive(Default)]
pub(super) struct Live {
    counters: PerWorker<RouteCounters>,
    news: OnceLock<watch::Sender<News>>,
    spent: OnceLock<Box<Spent>>,
}

/// What a rate limit has spent. On a line of its own: with a limit, every request writes to it.
#[derive(Default)]
#[repr(align(64))]
struct Spent(AtomicU64);

/// What one worker counts about a route.
#[derive(Debug, Default)]
pub struct RouteCounters {
    /// Requests and passed-through connections, refused ones too.
    pub requests: Count,
    /// Of these, the refused ones.
    pub refused: Count,
    /// Bytes of bodies and tunnels from clients.
    pub bytes_in: Count,
    /// Bytes of bodies and tunnels to clients.
    pub bytes_out: Count,
    /// Requests and tunnels that have not ended.
    pub in_flight: Gauge,
}

/// What has become of a route since a tunnel was opened over it.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// Nothing, since someone first watched.
    None,
    /// It is another one now.
    Now {
        /// Whom it leads to; none when it is unbound.
        leads_to: Option<(DeploymentId, EndpointName)>,
        /// Whom it serves.
        sources: SourceRanges,
    },
    /// No route has the name any more.
    Gone,
}

impl Live {
    pub(super) fn counters(&self, worker: WorkerId) -> &RouteCounters {
        self.counters.get(worker)
    }

    pub(super) fn all_counters(&self) -> impl Iterator<Item = &RouteCounters> {
        self.counters.iter()
    }

    /// What a rate limit has spent, for whoever keeps it.
    pub(super) fn spent(&self) -> &AtomicU64 {
        &self.spent.get_or_init(Box::default).0
    }

    /// Hears what becomes of the route from now on.
    pub(super) fn subscribe(&self) -> watch::Receiver<News> {
        self.news.get_or_init(|| watch::Sender::new(News::None)).subscribe()
    }

    /// Tells those who listen, if anyone ever did.
    pub(super) fn tell(&self, news: impl FnOnce() -> News) {
        if let Some(sender) = self.news.get() {
            sender.send_replace(news());
        }
    }

    pub(super) fn is_watched(&self) -> bool {
        self.news.get().is_some()
    }
}

impl News {
    /// What a tunnel needs to know of the entry its route has now. Parts of it and not the entry, which
    /// holds the sender that holds this.
    pub(super) fn of(entry: &RouteEntry) -> Self {
        let leads_to = match &entry.route.target {
            Target::Bound(binding) => Some((binding.deployment.clone(), binding.endpoint.clone())),
            Target::Unbound { .. } => None,
        };
        Self::Now { leads_to, sources: entry.route.sources.clone() }
    }
}
