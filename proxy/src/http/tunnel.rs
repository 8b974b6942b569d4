//! A WebSocket once both sides have switched: bytes both ways, whatever version of HTTP it came by.

use tokio::io::{AsyncRead, AsyncWrite};

use super::Client;
use super::meter::Meter;
use crate::limits::Admitted;
use crate::relay::{self, Cut, End, TunnelMeter, leash};
use crate::routes::RouteWatch;
use crate::splice::Bare;
use crate::upstream::{Connection, Lease};

/// The backend's side of a tunnel, and what it is watched and counted by.
pub(super) struct Tunnel {
    backend: Connection,
    lease: Lease,
    admitted: Admitted,
    watch: RouteWatch,
    account: TunnelMeter,
}

impl Tunnel {
    /// The request that `meter` counts has become a tunnel to `backend`.
    pub(super) fn begin(
        client: &Client,
        backend: Connection,
        lease: Lease,
        admitted: Admitted,
        mut meter: Meter,
    ) -> Self {
        let watch = client.context.shared.routes.watch(admitted.entry());
        let account = meter.become_tunnel(admitted.entry());
        Self { backend, lease, admitted, watch, account }
    }

    /// The client is gone before it heard of it.
    pub(super) fn cut(self) {
        self.backend.reset();
    }

    /// Carries it to its end. If that is not one both sides have said, the backend's connection is reset: it
    /// must not take what it has for all there was.
    /// `gone` tells that the client has left, where its stream alone does not.
    pub(super) async fn carry<C>(
        mut self,
        client: &Client,
        stream: &mut C,
        gone: impl Future<Output = ()>,
    ) -> End<Option<Cut>>
    where
        C: AsyncRead + AsyncWrite + Bare + Unpin,
    {
        let config = client.context.config();
        let leash = leash(self.watch, client.peer.ip(), config.timeouts.tunnel_grace);
        let stop = async {
            tokio::select! {
                cut = leash => Some(cut),
                () = gone => None,
            }
        };
        let (buffer, idle) = (config.limits.relay_buffer, config.timeouts.tunnel_idle);
        let end = relay::run(stream, &mut self.backend, buffer, idle, stop, &self.account).await;
        if end != End::Whole {
            self.backend.reset();
        }
        drop((self.lease, self.admitted));
        end
    }
}
