use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use tokio::time::Instant;

use super::Account;
use crate::access_log::{End, Note};
use crate::context::Context;
use crate::metrics::Tunnel;
use crate::routes::RouteEntry;

/// The account of one tunnel. Whatever way it ends, dropping this counts and logs it.
pub(crate) struct TunnelMeter {
    context: Rc<Context>,
    tunnel: Tunnel,
    entry: Arc<RouteEntry>,
    started: Instant,
    bytes_in: Cell<u64>,
    bytes_out: Cell<u64>,
    note: Option<Box<Note>>,
}

impl TunnelMeter {
    /// For a tunnel that opens now, of a request or connection that came in at `started`.
    pub(crate) fn begin(
        context: Rc<Context>,
        tunnel: Tunnel,
        entry: Arc<RouteEntry>,
        started: Instant,
        note: Option<Box<Note>>,
    ) -> Self {
        context.metrics().tunnel_begins(tunnel);
        Self { context, tunnel, entry, started, bytes_in: Cell::new(0), bytes_out: Cell::new(0), note }
    }
}

impl Account for TunnelMeter {
    fn to_backend(&self, bytes: u64) {
        self.bytes_in.set(self.bytes_in.get() + bytes);
        self.context.metrics().bytes_in.add(bytes);
        self.entry.counters(self.context.worker).bytes_in.add(bytes);
    }

    fn to_client(&self, bytes: u64) {
        self.bytes_out.set(self.bytes_out.get() + bytes);
        self.context.metrics().bytes_out.add(bytes);
        self.entry.counters(self.context.worker).bytes_out.add(bytes);
    }
}

impl Drop for TunnelMeter {
    fn drop(&mut self) {
        self.context.metrics().tunnel_ends(self.tunnel);
        if self.tunnel == Tunnel::SecureTcp {
            // The request that became a WebSocket was counted as a request.
            self.entry.counters(self.context.worker).requests.inc();
        }
        if let Some(note) = &self.note {
            let end = End {
                took: self.started.elapsed(),
                entry: Some(&self.entry),
                refusal: None,
                bytes_in: self.bytes_in.get(),
                bytes_out: self.bytes_out.get(),
            };
            self.context.log.write(note, &end);
        }
    }
}
