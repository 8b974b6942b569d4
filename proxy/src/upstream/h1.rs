//! HTTP/1.1 with backends: connections kept for reuse, and requests whose bodies come in frames.
//!
//! Clients that speak HTTP/1.1 themselves are served by `http::h1`, which takes a [`Connection`] from here
//! and passes bodies on as they come. Everything else sends by [`H1::send`].

mod answer;
mod connection;
mod idle;
mod send;
mod upload;

use std::rc::Rc;

use tokio::net::TcpStream;

pub(super) use answer::Answer;
pub(super) use answer::BrokenOff;
pub use connection::Connection;
pub(crate) use send::Unanswered;
pub(super) use send::response;
pub(crate) use upload::Written;
pub(crate) use upload::framing;

use super::choose::Lease;
use super::error::Fault;
use crate::config::{BackendPolicy, Limits};
use crate::http1::Bounds;
use crate::routes::UpstreamId;
use idle::{Idle, is_quiet};
use tokio::time::Instant;

/// A worker's HTTP/1.1 connections.
pub(super) struct H1 {
    idle: Idle,
    bounds: Bounds,
    most: usize,
}

impl H1 {
    pub(super) fn new(policy: &BackendPolicy, limits: &Limits) -> Rc<Self> {
        // Backends' response heads are bounded like clients' request heads.
        let bounds = Bounds { bytes: limits.head_bytes, fields: limits.head_fields };
        Rc::new(Self { idle: Idle::new(policy), bounds, most: limits.http1_buffer() })
    }

    /// A connection kept from an earlier request, see [`Idle::take`].
    pub(super) fn kept(&self, id: UpstreamId, surely: bool) -> Option<Connection> {
        self.idle.take(id, surely).map(|stream| Connection::new(stream, self.most))
    }

    /// A connection that was just opened.
    ///
    /// # Errors
    /// When something has come over it already. Nothing was asked, so it is no answer; the one that is would
    /// be taken for that to the next request.
    pub(super) fn fresh(&self, stream: TcpStream) -> Result<Connection, Fault> {
        if is_quiet(&stream, false) {
            return Ok(Connection::new(stream, self.most));
        }
        let has_closed = matches!(stream.try_read(&mut [0]), Ok(0) | Err(_));
        Err(if has_closed { Fault::Closed } else { Fault::Garbage })
    }

    /// Keeps a connection whose answer was read to its end, unless more has come than was asked for.
    pub(super) fn keep(&self, lease: &Lease, connection: Connection) {
        if let Some(stream) = connection.into_idle() {
            self.idle.keep(lease.upstream(), stream);
        }
    }

    pub(super) fn reap(&self, now: Instant) {
        self.idle.reap(now);
    }

    pub(super) fn clear(&self) {
        self.idle.clear();
    }

    pub(super) fn close(&self) {
        self.idle.close();
    }

    pub(super) fn len(&self) -> usize {
        self.idle.len()
    }
}
