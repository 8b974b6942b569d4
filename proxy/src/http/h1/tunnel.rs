//! A WebSocket once both sides have switched.

use tokio::io::AsyncWriteExt;

use super::Connection;
use super::line::ClientStream;
use crate::http::meter::Meter;
use crate::http::tunnel::Tunnel;
use crate::limits::Admitted;
use crate::upstream::{self, Lease};

/// Tells the client that its backend has switched, and carries the tunnel to its end.
pub(super) async fn run<S: ClientStream>(
    connection: &mut Connection<S>,
    backend: upstream::Connection,
    lease: Lease,
    head: &[u8],
    admitted: Admitted,
    meter: Meter,
) {
    let client = connection.client.clone();
    let tunnel = Tunnel::begin(&client, backend, lease, admitted, meter);
    let told = async {
        connection.line.write_all(head).await?;
        connection.line.flush().await
    };
    let stalled = client.context.config().timeouts.stalled;
    if !matches!(tokio::time::timeout(stalled, told).await, Ok(Ok(()))) {
        return tunnel.cut();
    }
    tunnel.carry(&client, &mut connection.line, std::future::pending()).await;
}
