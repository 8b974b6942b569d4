use std::io;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Dialler;
use super::networks::Forbidden;
use crate::routes::Upstream;

/// Why no connection to a backend opened. Nothing was sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// No backend may be there.
    #[error("the backend's address is forbidden: {0}")]
    Forbidden(#[from] Forbidden),
    /// It did not open in time.
    #[error("the backend did not take the connection in time")]
    Timeout,
    /// The backend's machine refused it: nothing listens there.
    #[error("the backend refused the connection")]
    Refused,
    /// Something else went wrong on the way.
    #[error("the connection to the backend failed: {0}")]
    Failed(io::ErrorKind),
}

impl DialError {
    /// The stable name, in metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Failed(_) => "failed",
        }
    }
}

impl Dialler {
    /// Opens a connection, under the rules and the time for it, without delay for small writes.
    pub(super) async fn dial(&self, upstream: &Upstream) -> Result<TcpStream, DialError> {
        let dialled = self.open(upstream).await;
        let metrics = self.metrics.worker(self.worker);
        match &dialled {
            Ok(_) => metrics.dials.inc(),
            Err(DialError::Forbidden(_)) => metrics.dials_forbidden.inc(),
            Err(DialError::Timeout) => metrics.dials_timeout.inc(),
            Err(DialError::Refused) => metrics.dials_refused.inc(),
            Err(DialError::Failed(_)) => metrics.dials_failed.inc(),
        }
        dialled
    }

    async fn open(&self, upstream: &Upstream) -> Result<TcpStream, DialError> {
        self.networks.permit(upstream.address())?;
        let connected = timeout(self.timeout, TcpStream::connect(upstream.address().get())).await;
        let stream = connected.map_err(|_| DialError::Timeout)?.map_err(|error| failed(&error))?;
        if self.networks.is_loop(upstream.address().get(), || stream.local_addr().ok()) {
            return Err(Forbidden::Own.into());
        }
        // Without these all still works, with delays, and memory spent on a backend that is slow to read.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(self.unsent);
        Ok(stream)
    }
}

fn failed(error: &io::Error) -> DialError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => DialError::Refused,
        io::ErrorKind::TimedOut => DialError::Timeout,
        other => DialError::Failed(other),
    }
}
