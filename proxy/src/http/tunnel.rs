//! A WebSocket once both sides have switched: bytes both ways.

use std::rc::Rc;
use std::sync::Arc;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Client;
use crate::relay::{self, End, TunnelMeter, leash};
use crate::routes::RouteEntry;
use crate::upstream::Lease;

/// Both ends of a tunnel that is about to open.
pub(super) struct Ends {
    client: OnUpgrade,
    backend: OnUpgrade,
    entry: Arc<RouteEntry>,
    lease: Option<Lease>,
}

impl Ends {
    pub(super) fn new(
        client: OnUpgrade,
        backend: OnUpgrade,
        entry: Arc<RouteEntry>,
        lease: Option<Lease>,
    ) -> Self {
        Self { client, backend, entry, lease }
    }

    /// The route it goes over.
    pub(super) fn entry(&self) -> &Arc<RouteEntry> {
        &self.entry
    }
}

/// Carries the tunnel to its end. The backend has answered 101; the client hears of it as this starts.
pub(super) async fn run(ends: Ends, client: Rc<Client>, meter: TunnelMeter) {
    let Ends { client: client_end, backend, entry, lease } = ends;
    let watch = client.context.shared.routes.watch(&entry);
    drop(entry);
    let (Ok(near), Ok(far)) = tokio::join!(client_end, backend) else { return };
    let (mut near, mut far) = (TokioIo::new(near), TokioIo::new(far));
    let config = client.context.config();
    let stop = leash(watch, client.peer.ip(), config.timeouts.tunnel_grace);
    let (buffer, idle) = (config.limits.relay_buffer, config.timeouts.tunnel_idle);
    let end = relay::run(&mut near, &mut far, buffer, idle, stop, &meter).await;
    if end != End::Whole {
        // What the backend has is not all there was: it must not take it for an orderly end.
        reset(far.into_inner());
    }
    drop(lease);
}

fn reset(backend: Upgraded) {
    if let Ok(parts) = backend.downcast::<TokioIo<TcpStream>>() {
        // Without it the end looks orderly, which is all that is lost.
        let _ = parts.io.inner().set_zero_linger();
    }
}
