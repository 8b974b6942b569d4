//! HTTP: a request comes in, is judged, goes to a backend, and its answer goes back.
//!
//! `h1` serves clients that speak HTTP/1.1, by our own reader of heads; `h2` those that speak HTTP/2, whose frames
//! the h2 crate reads. What both do with a request once its head is read stands here and in the rooms beside:
//! `find` says whose it is, `judge` whether it may pass, `headers` what its fields become.

mod answer;
mod clock;
mod exchange;
mod h1;
pub mod h2;
mod headers;
pub mod host;
pub(crate) mod judge;
mod meter;
mod onward;
mod patience;
mod refuse;
mod target;
mod tunnel;
mod upgrade;
mod vigil;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use http::HeaderValue;
use proto::BackendProtocol;

pub(crate) use h1::{ClientStream, serve as serve_h1};
pub(crate) use h2::serve as serve_h2;
pub use headers::{ClientFields, Passed, RequestId};
pub(crate) use judge::Door;
pub use onward::Onward;
pub(crate) use refuse::raw as raw_answer;

use crate::context::{Context, Open};
use crate::limits::{Admitted, Place};
use crate::refusal::Refusal;
use crate::routes::{Recent, RouteEntry};
use host::{Host, NameBuffer};
use meter::Meter;

/// A client's connection on which HTTP is spoken.
pub(crate) struct Client {
    pub(crate) context: Rc<Context>,
    pub(crate) peer: SocketAddr,
    pub(crate) door: Door,
    fields: ClientFields,
    recent: RefCell<Recent>,
    /// Held by the connection, and by the tunnel it may become.
    _held: (Place, Open),
}

impl Client {
    /// The client at `peer`, who came in by `door`.
    pub(crate) fn new(
        context: Rc<Context>,
        peer: SocketAddr,
        door: Door,
        place: Place,
        open: Open,
    ) -> Rc<Self> {
        let ip = peer.ip().to_canonical();
        let trusted = context.config().trusted_peers.iter().any(|network| network.contains(&ip));
        let fields = ClientFields::new(ip, door.scheme(), trusted);
        Rc::new(Self { context, peer, door, fields, recent: RefCell::default(), _held: (place, open) })
    }

    /// Counts and logs a refusal that is the answer to no request.
    fn note(&self, refusal: Refusal) {
        self.context.metrics().refusal(refusal);
        let tls = matches!(self.door, Door::Tls { .. });
        self.context.log_refusal(refusal, self.peer, "http/1.1", tls, None);
    }

    fn route(&self, name: &str) -> Option<Arc<RouteEntry>> {
        let mut recent = self.recent.borrow_mut();
        self.context.reader.borrow_mut().get_recent(&mut recent, name).cloned()
    }
}

/// A refusal, and where to go instead.
struct Declined {
    refusal: Refusal,
    location: Option<HeaderValue>,
}

impl From<Refusal> for Declined {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, location: None }
    }
}

/// Whose a request is. It counts as under way from here on.
struct Found {
    admitted: Admitted,
    speaks: BackendProtocol,
}

/// Finds the route of the request for `path` at `host`, and judges whether it may take it, and now.
fn find(client: &Client, host: &[u8], path: &str, meter: &mut Meter) -> Result<Found, Declined> {
    let config = client.context.config();
    let mut buffer: NameBuffer = [0; 253];
    let Host::Name(name) = host::parse(host, &mut buffer)? else {
        return Err(Refusal::NoRoute.into());
    };
    let entry = client.route(name);
    meter.found(name, entry.as_ref());
    let source = client.peer.ip();
    let judged = judge::judge(&client.door, name, entry.as_deref(), source, config.redirect_to_https);
    let binding = judged.map_err(|refusal| {
        let to_https = refusal == Refusal::RedirectToHttps;
        let location = to_https.then(|| refuse::redirect(name, path, config.public_ports.https));
        Declined { refusal, location: location.flatten() }
    })?;
    let speaks = binding.backend_protocol;
    let entry = entry.ok_or(Refusal::NoRoute)?;
    let admitted = client.context.limits.admit(entry, source, meter.started())?;
    Ok(Found { admitted, speaks })
}
