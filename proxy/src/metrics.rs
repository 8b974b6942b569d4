//! What is counted, and how Prometheus reads it.
//!
//! Each worker raises numbers of its own ([`WorkerMetrics`]); a scrape sums them. Nothing here names a
//! route: with a million of them a scrape would be a flood. `/routes` tells what one route has seen.
#![allow(clippy::indexing_slicing, reason = "by the kinds an array has a place for each of")]

mod duration;
mod exposition;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::per_worker::{Count, PerWorker, WorkerId};
use crate::refusal::Refusal;

pub use duration::Durations;
pub use exposition::Exposition;

/// All workers' numbers.
#[derive(Debug, Default)]
pub struct Metrics {
    workers: PerWorker<WorkerMetrics>,
}

/// The two ports, where connections are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// In the clear.
    Http,
    /// TLS.
    Https,
}

/// What a request came over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// HTTP/1.1 in the clear.
    Http,
    /// HTTP/1.1 over TLS.
    HttpsH1,
    /// HTTP/2 over TLS.
    HttpsH2,
}

/// What lasts as long as both ends like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tunnel {
    /// An upgraded HTTP connection.
    WebSocket,
    /// A TLS connection that was not opened.
    SecureTcp,
}

/// One worker's numbers. Only that worker raises them.
#[derive(Debug, Default)]
pub struct WorkerMetrics {
    connections: [Spans; 2],
    tunnels: [Spans; 2],
    requests: [Requests; 3],
    refusals: Refusals,
    /// TLS handshakes that were finished.
    pub handshakes: Count,
    /// Of these, the ones that resumed an earlier session.
    pub handshakes_resumed: Count,
    /// Accepts that failed for want of descriptors or memory.
    pub accept_failures: Count,
    /// Connections and streams that ended by a panic, which is a defect.
    pub panics: Count,
    /// Bytes from clients, of bodies and tunnels.
    pub bytes_in: Count,
    /// Bytes to clients, of bodies and tunnels.
    pub bytes_out: Count,
    /// Connections to backends that opened.
    pub dials: Count,
    /// Connections to backends that were not tried: forbidden addresses.
    pub dials_forbidden: Count,
    /// Connections to backends that did not open in time.
    pub dials_timeout: Count,
    /// Connections that backends refused.
    pub dials_refused: Count,
    /// Connections to backends that failed otherwise.
    pub dials_failed: Count,
    /// Requests sent over a connection that was open already.
    pub reused: Count,
    /// Requests sent again, to the same or another backend.
    pub retries: Count,
}

/// Things that begin and end.
#[derive(Debug, Default)]
struct Spans {
    begun: Count,
    ended: Count,
}

#[derive(Debug, Default)]
struct Requests {
    /// By the first digit of the status, 1 to 5.
    by_class: [Count; 5],
    durations: Durations,
}

#[derive(Debug)]
struct Refusals([Count; Refusal::ALL.len()]);

impl Default for Refusals {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Count::default()))
    }
}

impl WorkerMetrics {
    /// A connection was accepted.
    pub fn connection_begins(&self, port: Port) {
        self.connections[port as usize].begun.inc();
    }

    /// A connection has closed.
    pub fn connection_ends(&self, port: Port) {
        self.connections[port as usize].ended.inc();
    }

    /// A tunnel was opened.
    pub fn tunnel_begins(&self, tunnel: Tunnel) {
        self.tunnels[tunnel as usize].begun.inc();
    }

    /// A tunnel has ended.
    pub fn tunnel_ends(&self, tunnel: Tunnel) {
        self.tunnels[tunnel as usize].ended.inc();
    }

    /// A request was answered with `status`, `took` after its head was read.
    pub fn request(&self, via: Via, status: StatusCode, took: Duration) {
        let requests = &self.requests[via as usize];
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        requests.by_class[class].inc();
        requests.durations.observe(took);
    }

    /// Traffic was refused.
    pub fn refusal(&self, refusal: Refusal) {
        self.refusals.0[refusal as usize].inc();
    }
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The numbers of one worker.
    pub fn worker(&self, worker: WorkerId) -> &WorkerMetrics {
        self.workers.get(worker)
    }

    /// Connections open now, over both ports.
    pub fn open_connections(&self) -> u64 {
        [Port::Http, Port::Https]
            .into_iter()
            .map(|port| self.open(|worker| &worker.connections[port as usize]))
            .sum()
    }

    /// Writes all of it.
    pub fn expose(&self, out: &mut Exposition) {
        self.expose_connections(out);
        self.expose_requests(out);
        self.expose_backends(out);
    }

    fn expose_connections(&self, out: &mut Exposition) {
        out.counter("epr_connections_total", "Connections accepted.");
        for (port, label) in PORTS {
            let sum = self.sum(|worker| &worker.connections[port as usize].begun);
            out.sample("epr_connections_total", &[("port", label)], sum);
        }
        out.gauge("epr_connections_open", "Connections open now.");
        for (port, label) in PORTS {
            let open = self.open(|worker| &worker.connections[port as usize]);
            out.sample("epr_connections_open", &[("port", label)], open);
        }
        out.counter("epr_tunnels_total", "Tunnels opened.");
        for (tunnel, label) in TUNNELS {
            let sum = self.sum(|worker| &worker.tunnels[tunnel as usize].begun);
            out.sample("epr_tunnels_total", &[("kind", label)], sum);
        }
        out.gauge("epr_tunnels_open", "Tunnels open now.");
        for (tunnel, label) in TUNNELS {
            let open = self.open(|worker| &worker.tunnels[tunnel as usize]);
            out.sample("epr_tunnels_open", &[("kind", label)], open);
        }
        let one = |out: &mut Exposition, name, help, pick: Pick| {
            out.counter(name, help);
            out.sample(name, &[], self.sum(pick));
        };
        one(out, "epr_tls_handshakes_total", "TLS handshakes finished.", |worker| &worker.handshakes);
        one(out, "epr_tls_resumptions_total", "TLS handshakes that resumed a session.", |worker| {
            &worker.handshakes_resumed
        });
        one(out, "epr_accept_failures_total", "Accepts that failed for want of resources.", |worker| {
            &worker.accept_failures
        });
        one(out, "epr_panics_total", "Connections that a defect of the proxy ended.", |worker| {
            &worker.panics
        });
        one(out, "epr_bytes_in_total", "Bytes from clients, of bodies and tunnels.", |worker| {
            &worker.bytes_in
        });
        one(out, "epr_bytes_out_total", "Bytes to clients, of bodies and tunnels.", |worker| {
            &worker.bytes_out
        });
    }

    fn expose_requests(&self, out: &mut Exposition) {
        out.counter("epr_requests_total", "Requests answered, by what they came over and status class.");
        for (via, port, protocol) in VIAS {
            for (class, label) in ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().enumerate() {
                let labels = [("port", port), ("protocol", protocol), ("status", label)];
                let sum = self.sum(|worker| &worker.requests[via as usize].by_class[class]);
                out.sample("epr_requests_total", &labels, sum);
            }
        }
        out.histogram("epr_request_duration_seconds", "From a request's head to the end of its answer.");
        for (via, port, protocol) in VIAS {
            let all = self.workers.iter().map(|worker| &worker.requests[via as usize].durations);
            let labels = [("port", port), ("protocol", protocol)];
            duration::expose(out, "epr_request_duration_seconds", &labels, &all.collect::<Vec<_>>());
        }
        out.counter("epr_refusals_total", "Traffic not served, by reason.");
        for refusal in Refusal::ALL {
            let sum = self.sum(|worker| &worker.refusals.0[refusal as usize]);
            out.sample("epr_refusals_total", &[("reason", refusal.label())], sum);
        }
    }

    fn expose_backends(&self, out: &mut Exposition) {
        out.counter("epr_backend_dials_total", "Connections to backends, by how opening them went.");
        let outcomes: [(&str, Pick); 5] = [
            ("opened", |worker| &worker.dials),
            ("forbidden", |worker| &worker.dials_forbidden),
            ("timeout", |worker| &worker.dials_timeout),
            ("refused", |worker| &worker.dials_refused),
            ("failed", |worker| &worker.dials_failed),
        ];
        for (label, pick) in outcomes {
            out.sample("epr_backend_dials_total", &[("outcome", label)], self.sum(pick));
        }
        out.counter("epr_backend_reuses_total", "Requests sent over a connection that was open already.");
        out.sample("epr_backend_reuses_total", &[], self.sum(|worker| &worker.reused));
        out.counter("epr_backend_retries_total", "Requests sent again.");
        out.sample("epr_backend_retries_total", &[], self.sum(|worker| &worker.retries));
    }

    fn sum(&self, pick: impl Fn(&WorkerMetrics) -> &Count) -> u64 {
        self.workers.iter().map(|worker| pick(worker).get()).sum()
    }

    fn open(&self, pick: impl Fn(&WorkerMetrics) -> &Spans) -> u64 {
        // Read the ends first: what ends between the two readings then counts as open, never as -1.
        let ended = self.sum(|worker| &pick(worker).ended);
        self.sum(|worker| &pick(worker).begun).saturating_sub(ended)
    }
}

/// One of a worker's numbers.
type Pick = fn(&WorkerMetrics) -> &Count;

const PORTS: [(Port, &str); 2] = [(Port::Http, "http"), (Port::Https, "https")];
const TUNNELS: [(Tunnel, &str); 2] = [(Tunnel::WebSocket, "websocket"), (Tunnel::SecureTcp, "secure_tcp")];
const VIAS: [(Via, &str, &str); 3] =
    [(Via::Http, "http", "http/1.1"), (Via::HttpsH1, "https", "http/1.1"), (Via::HttpsH2, "https", "h2")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_sums_the_workers() {
        let metrics = Metrics::new();
        for worker in WorkerId::all(2) {
            let worker = metrics.worker(worker);
            worker.connection_begins(Port::Https);
            worker.connection_begins(Port::Https);
            worker.connection_ends(Port::Https);
            worker.request(Via::HttpsH2, StatusCode::OK, Duration::from_millis(3));
            worker.request(Via::HttpsH2, StatusCode::from_u16(999).unwrap(), Duration::from_secs(99));
            worker.refusal(Refusal::NoRoute);
            worker.retries.inc();
        }
        let mut out = Exposition::default();
        metrics.expose(&mut out);
        let page = out.finish();
        for line in [
            "# TYPE epr_connections_total counter",
            "epr_connections_total{port=\"https\"} 4",
            "epr_connections_open{port=\"https\"} 2",
            "epr_requests_total{port=\"https\",protocol=\"h2\",status=\"2xx\"} 2",
            "epr_requests_total{port=\"https\",protocol=\"h2\",status=\"5xx\"} 2",
            "epr_request_duration_seconds_bucket{port=\"https\",protocol=\"h2\",le=\"0.0025\"} 0",
            "epr_request_duration_seconds_bucket{port=\"https\",protocol=\"h2\",le=\"0.005\"} 2",
            "epr_request_duration_seconds_bucket{port=\"https\",protocol=\"h2\",le=\"+Inf\"} 4",
            "epr_request_duration_seconds_count{port=\"https\",protocol=\"h2\"} 4",
            "epr_request_duration_seconds_sum{port=\"https\",protocol=\"h2\"} 198.006",
            "epr_refusals_total{reason=\"no_route\"} 2",
            "epr_backend_retries_total 2",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
        assert_eq!(metrics.open_connections(), 2);
    }
}
