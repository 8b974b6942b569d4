//! A WebSocket once both sides have switched: bytes both ways.

use tokio::io::AsyncWriteExt;

use super::Connection;
use super::line::ClientStream;
use crate::http::meter::Meter;
use crate::limits::Admitted;
use crate::relay::{self, End, leash};
use crate::upstream::{self, Lease};

/// Tells the client that its backend has switched, and carries the tunnel to its end.
pub(super) async fn run<S: ClientStream>(
    connection: &mut Connection<S>,
    mut backend: upstream::Connection,
    lease: Lease,
    head: &[u8],
    admitted: Admitted,
    mut meter: Meter,
) {
    let client = connection.client.clone();
    let watch = client.context.shared.routes.watch(admitted.entry());
    let tunnel = meter.become_tunnel(admitted.entry());
    drop(meter);
    let config = client.context.config();
    let told = async {
        connection.line.write_all(head).await?;
        connection.line.flush().await
    };
    if !matches!(tokio::time::timeout(config.timeouts.stalled, told).await, Ok(Ok(()))) {
        return;
    }
    let stop = leash(watch, client.peer.ip(), config.timeouts.tunnel_grace);
    let (buffer, idle) = (config.limits.relay_buffer, config.timeouts.tunnel_idle);
    let end = relay::run(&mut connection.line, &mut backend, buffer, idle, stop, &tunnel).await;
    if end != End::Whole {
        // What the backend has is not all there was: it must not take it for an orderly end.
        backend.reset();
    }
    drop((lease, admitted));
}
