use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared as SharedFuture};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::Instant;

use super::dial::DialError;
use super::{Dialler, RequestBody};
use crate::config::Limits;
use crate::routes::{Upstream, UpstreamId};
use crate::tasks::Tasks;

/// HTTP/2 connections in the clear with prior knowledge (RFC 9113 3.3): one per upstream and worker,
/// shared by all requests. A connection that is going away takes no new request, so the next request
/// opens another; what is still on the old one ends there.
pub(super) struct Shared<B> {
    connections: Rc<Connections<B>>,
    settings: Builder<Tasks>,
    idle_timeout: Duration,
    tasks: Tasks,
}

type Connections<B> = RefCell<HashMap<UpstreamId, Connection<B>>>;

enum Connection<B> {
    Open { sender: SendRequest<B>, used: Cell<Instant>, upstream: Arc<Upstream> },
    Opening(Opening<B>),
}

/// Many requests wait for one dial, and share its failure.
type Opening<B> = SharedFuture<LocalBoxFuture<'static, Result<SendRequest<B>, DialError>>>;

impl<B: RequestBody> Shared<B> {
    pub(super) fn new(idle_timeout: Duration, limits: &Limits, tasks: Tasks) -> Self {
        let mut settings = Builder::new(tasks.clone());
        settings
            .timer(TokioTimer::new())
            .initial_stream_window_size(limits.h2_stream_window)
            .initial_connection_window_size(limits.h2_connection_window)
            .max_header_list_size(limits.h2_field_bytes)
            // A backend that vanished without a word is noticed while requests wait for it.
            .keep_alive_interval(idle_timeout)
            .keep_alive_timeout(idle_timeout);
        Self { connections: Rc::default(), settings, idle_timeout, tasks }
    }

    /// A way to send requests to `upstream`, and whether the connection was opened for this one.
    pub(super) async fn sender(
        &self,
        upstream: &Arc<Upstream>,
        dialler: &Rc<Dialler>,
    ) -> Result<(SendRequest<B>, bool), DialError> {
        let opening = match self.connections.borrow().get(&upstream.id()) {
            Some(Connection::Open { sender, used, .. }) if !sender.is_closed() => {
                used.set(Instant::now());
                return Ok((sender.clone(), false));
            }
            Some(Connection::Opening(opening)) => Some(opening.clone()),
            Some(Connection::Open { .. }) | None => None,
        };
        match opening {
            Some(opening) => Ok((opening.await?, false)),
            None => Ok((self.open(upstream, dialler).await?, true)),
        }
    }

    async fn open(
        &self,
        upstream: &Arc<Upstream>,
        dialler: &Rc<Dialler>,
    ) -> Result<SendRequest<B>, DialError> {
        let open = open(self.settings.clone(), upstream.clone(), dialler.clone(), self.tasks.clone());
        let connections = Rc::downgrade(&self.connections);
        let upstream = upstream.clone();
        let id = upstream.id();
        // Whoever polls it last puts the outcome in its place: the request that began may have gone.
        let opening = async move {
            let opened = open.await;
            if let Some(connections) = connections.upgrade() {
                let mut connections = connections.borrow_mut();
                match &opened {
                    Ok(sender) => {
                        let used = Cell::new(Instant::now());
                        connections.insert(id, Connection::Open { sender: sender.clone(), used, upstream });
                    }
                    Err(_) => {
                        connections.remove(&id);
                    }
                }
            }
            opened
        };
        let opening = opening.boxed_local().shared();
        self.connections.borrow_mut().insert(id, Connection::Opening(opening.clone()));
        opening.await
    }

    pub(super) fn reap(&self, now: Instant) {
        self.connections.borrow_mut().retain(|_, connection| match connection {
            Connection::Open { sender, used, upstream } => {
                let idle = upstream.in_flight() == 0 && now.duration_since(used.get()) >= self.idle_timeout;
                !sender.is_closed() && !idle
            }
            // An opening that everyone has given up on is polled by nobody any more.
            Connection::Opening(opening) => opening.strong_count().is_some_and(|count| count > 1),
        });
    }

    /// Forgets every connection: each closes when its last request has ended.
    pub(super) fn close(&self) {
        self.connections.borrow_mut().clear();
    }
}

async fn open<B: RequestBody>(
    settings: Builder<Tasks>,
    upstream: Arc<Upstream>,
    dialler: Rc<Dialler>,
    tasks: Tasks,
) -> Result<SendRequest<B>, DialError> {
    let stream = dialler.dial(&upstream).await?;
    let failed = |_| DialError::Failed(std::io::ErrorKind::ConnectionReset);
    let (sender, connection) = settings.handshake(TokioIo::new(stream)).await.map_err(failed)?;
    tasks.spawn_local(async move {
        // Whoever waits for a response is told of the error by the response.
        let _ = connection.await;
    });
    Ok(sender)
}
