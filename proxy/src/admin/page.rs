use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::Admin;
use crate::feed::FeedStatus;
use crate::metrics::Exposition;

/// The page Prometheus reads.
pub(super) fn metrics(admin: &Admin) -> String {
    let mut out = Exposition::default();
    admin.metrics.expose(&mut out);
    limits(admin, &mut out);
    table(admin, &mut out);
    if let Some(feed) = &admin.feed {
        feed_status(&feed.status(Instant::now()), &mut out);
    }
    if let Some(cache) = &admin.cache {
        out.counter("epr_route_cache_writes_total", "Tables written to the route cache, by outcome.");
        out.sample("epr_route_cache_writes_total", &[("outcome", "written")], cache.written());
        out.sample("epr_route_cache_writes_total", &[("outcome", "failed")], cache.failed());
    }
    certificates(admin, SystemTime::now(), &mut out);
    out.counter("epr_access_log_lost_total", "Access log records that were not written, by cause.");
    out.sample("epr_access_log_lost_total", &[("cause", "queue_full")], admin.log.dropped());
    out.sample("epr_access_log_lost_total", &[("cause", "unwritable")], admin.log.unwritable());
    out.gauge("epr_draining", "Whether a drain has begun.");
    out.sample("epr_draining", &[], u8::from(admin.drain.is_draining()));
    if let Some(extra) = &admin.extra_metrics {
        out.append(&extra());
    }
    out.finish()
}

fn limits(admin: &Admin, out: &mut Exposition) {
    out.gauge("epr_connections_idle", "Open connections on which nothing is asked.");
    out.sample("epr_connections_idle", &[], admin.limits.idle());
    out.counter("epr_connections_shed_total", "Idle connections closed because others needed their places.");
    out.sample("epr_connections_shed_total", &[], admin.limits.shed());
    out.gauge("epr_connections_places", "Connections that could be opened besides those that are.");
    out.sample("epr_connections_places", &[], admin.limits.free_places());
    out.gauge("epr_sources_connected", "Sources that have a connection open, trusted peers left out.");
    out.sample("epr_sources_connected", &[], admin.limits.sources());
}

fn table(admin: &Admin, out: &mut Exposition) {
    let table = admin.routes.table();
    out.gauge("epr_routes", "Routes served.");
    out.sample("epr_routes", &[], table.len());
    out.gauge("epr_routes_revision", "Number of the revision served, within the epoch.");
    if let Some(revision) = table.revision() {
        let epoch = format!("{:x}", revision.epoch.0);
        out.sample("epr_routes_revision", &[("epoch", &epoch)], revision.number);
    }
}

fn certificates(admin: &Admin, now: SystemTime, out: &mut Exposition) {
    out.gauge("epr_certificate_days_left", "Until a certificate that is served expires.");
    for certificate in admin.certificates.all() {
        let file = certificate.file().to_string_lossy();
        let days = format!("{:.3}", certificate.days_left(now));
        out.sample("epr_certificate_days_left", &[("file", &file)], days);
    }
    out.gauge(
        "epr_certificate_file_wrong",
        "1 for each file that can't be used; the last good one is served on.",
    );
    let faults = admin.certificates.faults();
    // A key may be wrong for two certificates, and is one file.
    let files: BTreeSet<_> =
        faults.iter().map(|fault| (fault.file.to_string_lossy(), fault.reason.label())).collect();
    for (file, reason) in files {
        out.sample("epr_certificate_file_wrong", &[("file", &file), ("reason", reason)], 1);
    }
}

fn feed_status(status: &FeedStatus, out: &mut Exposition) {
    out.gauge("epr_feed_connected", "Whether the route feed is open.");
    out.sample("epr_feed_connected", &[], u8::from(status.connected));
    out.gauge("epr_feed_silent_seconds", "Since control said anything: how stale the routes may be.");
    // Never heard is as stale as can be.
    let silent = status.silent.map_or(f64::INFINITY, |silent: Duration| silent.as_secs_f64());
    out.sample(
        "epr_feed_silent_seconds",
        &[],
        if silent.is_finite() { silent.to_string() } else { "+Inf".into() },
    );
    out.counter("epr_feed_streams_total", "Streams opened to control.");
    out.sample("epr_feed_streams_total", &[], status.streams);
    out.counter("epr_feed_revisions_total", "Revisions received, by outcome.");
    out.sample("epr_feed_revisions_total", &[("outcome", "applied")], status.applied);
    out.sample("epr_feed_revisions_total", &[("outcome", "refused")], status.refused);
}
