use std::net::IpAddr;
use std::time::Duration;

use crate::routes::{RouteWatch, TunnelEnd};

/// Why a tunnel was ended from our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Its route leads elsewhere, and its grace is over.
    Moved,
    /// Its client may not use the route any more.
    Forbidden,
}

/// Returns when the tunnel of a client at `source` must end: `grace` after its route moved, at once
/// when the client is not among the route's sources any more.
pub(crate) async fn leash(mut watch: RouteWatch, source: IpAddr, grace: Duration) -> Cut {
    match watch.ended(source).await {
        TunnelEnd::Forbidden => Cut::Forbidden,
        TunnelEnd::Moved => match tokio::time::timeout(grace, watch.ended(source)).await {
            Ok(TunnelEnd::Forbidden) => Cut::Forbidden,
            Ok(TunnelEnd::Moved) | Err(_) => Cut::Moved,
        },
    }
}
