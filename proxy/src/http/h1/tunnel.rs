//! A WebSocket once both sides have switched.

use tokio::io::AsyncWriteExt;

use super::Connection;
use super::line::ClientStream;
use crate::http::meter::Meter;
use crate::http::tunnel::Tunnel;
use crate::limits::Admitted;
use crate::relay::{Cut, End};
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
        connection.line.reset();
        return tunnel.cut();
    }
    match tunnel.carry(&client, &mut connection.line, std::future::pending()).await {
        // What is on its way to who takes nothing, or may not have it, goes nowhere.
        End::Idle | End::Stopped(Some(Cut::Forbidden)) => connection.line.reset(),
        End::Whole | End::ClientBroke | End::BackendBroke | End::Stopped(_) => {}
    }
}
