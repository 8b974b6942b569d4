use std::rc::Rc;
use std::sync::Arc;

use tokio::time::Instant;

use super::Relayed;
use crate::access_log::Record;
use crate::context::Context;
use crate::metrics::Tunnel;
use crate::routes::RouteEntry;

/// The account of one tunnel. Whatever way it ends, dropping this counts and logs it.
pub(crate) struct TunnelMeter {
    context: Rc<Context>,
    tunnel: Tunnel,
    entry: Arc<RouteEntry>,
    started: Instant,
    bytes: (u64, u64),
    record: Option<Box<Record>>,
}

impl TunnelMeter {
    /// For a tunnel that opens now, of a request or connection that came in at `started`.
    pub(crate) fn begin(
        context: Rc<Context>,
        tunnel: Tunnel,
        entry: Arc<RouteEntry>,
        started: Instant,
        record: Option<Box<Record>>,
    ) -> Self {
        context.metrics().tunnel_begins(tunnel);
        Self { context, tunnel, entry, started, bytes: (0, 0), record }
    }

    /// What it carried.
    pub(crate) fn relayed<S>(&mut self, relayed: &Relayed<S>) {
        self.bytes = (relayed.to_backend, relayed.to_client);
    }
}

impl Drop for TunnelMeter {
    fn drop(&mut self) {
        let metrics = self.context.metrics();
        metrics.tunnel_ends(self.tunnel);
        let (bytes_in, bytes_out) = self.bytes;
        metrics.bytes_in.add(bytes_in);
        metrics.bytes_out.add(bytes_out);
        let counters = self.entry.counters(self.context.worker);
        if self.tunnel == Tunnel::SecureTcp {
            // The request that became a WebSocket was counted as a request.
            counters.requests.inc();
        }
        counters.bytes_in.add(bytes_in);
        counters.bytes_out.add(bytes_out);
        if let Some(mut record) = self.record.take() {
            record.took = self.started.elapsed();
            (record.bytes_in, record.bytes_out) = self.bytes;
            record.entry = Some(self.entry.clone());
            self.context.shared.log.record(*record);
        }
    }
}
