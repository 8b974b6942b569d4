//! What the control plane counts, and how it is told (Prometheus text).
//!
//! The rooms count in the fields they are handed; only this one knows of the registry.

use std::sync::Arc;

use prometheus_client::encoding::text::encode_registry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Everything that is counted. Clones of the fields count into the same.
pub struct Metrics {
    registry: Registry,
    /// The route feed.
    pub feed: FeedMetrics,
    /// Leases of runtimes.
    pub leases: LeaseMetrics,
    /// Watches of runtimes.
    pub watch: WatchMetrics,
    /// Who calls.
    pub auth: AuthMetrics,
}

/// What the route feed counts.
#[derive(Debug, Clone, Default)]
pub struct FeedMetrics {
    /// Routes in the table.
    pub routes: Gauge,
    /// Number of the last commit taken in.
    pub revision: Gauge,
    /// Streams of proxies.
    pub proxies: Gauge,
    /// Stored records that could not be read.
    pub unreadable_records: Gauge,
    /// Routes that were changed or removed.
    pub route_changes: Counter,
    /// Deltas sent, to all proxies together.
    pub deltas: Counter,
    /// Snapshots begun, for all proxies together.
    pub snapshots: Counter,
    /// Revisions refused by a proxy.
    pub nacks: Counter,
}

/// What the lease clock counts.
#[derive(Debug, Clone, Default)]
pub struct LeaseMetrics {
    /// Leases that are open, lapsed ones among them.
    pub open: Gauge,
    /// Leases that ran out.
    pub lapses: Counter,
}

/// What the watches of runtimes count.
#[derive(Debug, Clone, Default)]
pub struct WatchMetrics {
    /// Watches that are open.
    pub open: Gauge,
    /// Messages told, to all of them together, heartbeats left out.
    pub told: Counter,
    /// Watches that control has ended.
    pub cut: Counter,
}

/// What authentication counts.
#[derive(Debug, Clone, Default)]
pub struct AuthMetrics {
    /// Calls that were not admitted.
    pub refused: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        let (mut registry, feed) = (Registry::with_prefix("epr_control"), FeedMetrics::default());
        let (leases, auth) = (LeaseMetrics::default(), AuthMetrics::default());
        let watch = WatchMetrics::default();
        registry.register("routes", "Routes in the published table", feed.routes.clone());
        registry.register("revision", "Number of the last commit taken in", feed.revision.clone());
        registry.register("proxies", "Proxies that follow the route feed", feed.proxies.clone());
        registry.register(
            "unreadable_records",
            "Stored records that could not be read, whose routes stay as they were",
            feed.unreadable_records.clone(),
        );
        registry.register("route_changes", "Routes changed or removed", feed.route_changes.clone());
        registry.register("feed_deltas", "Deltas sent to proxies", feed.deltas.clone());
        registry.register("feed_snapshots", "Snapshots begun for proxies", feed.snapshots.clone());
        registry.register("feed_nacks", "Revisions refused by a proxy", feed.nacks.clone());
        registry.register("leases", "Open leases of runtimes", leases.open.clone());
        registry.register("lease_lapses", "Leases that ran out", leases.lapses.clone());
        registry.register("watches", "Open watches of runtimes", watch.open.clone());
        registry.register("watch_messages", "Messages told on watches of runtimes", watch.told.clone());
        registry.register("watches_cut", "Watches of runtimes that control has ended", watch.cut.clone());
        registry.register("auth_refused", "Calls that were not admitted", auth.refused.clone());
        Self { registry, feed, leases, watch, auth }
    }

    /// All of it as text, without the line that ends a whole answer: it may be appended to another's.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode_registry(&mut text, &self.registry);
        text
    }

    /// A function that tells all of it, for whoever serves metrics.
    pub fn teller(self: &Arc<Self>) -> Arc<dyn Fn() -> String + Send + Sync> {
        let metrics = self.clone();
        Arc::new(move || metrics.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_and_can_be_appended() {
        let metrics = Arc::new(Metrics::new());
        metrics.feed.routes.set(3);
        metrics.feed.clone().nacks.inc();
        let text = metrics.teller()();
        assert!(text.contains("epr_control_routes 3\n"), "{text}");
        assert!(text.contains("epr_control_feed_nacks_total 1\n"), "{text}");
        assert!(!text.contains("# EOF"));
    }
}
