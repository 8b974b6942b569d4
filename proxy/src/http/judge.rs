//! Whether a request may pass: the matrix of names and doors.

use std::net::IpAddr;
use std::sync::Arc;

use certs::Certificate;
use proto::{Binding, EdgeProtocol, Target};

use crate::refusal::Refusal;
use crate::routes::RouteEntry;

/// Where a request came in.
#[derive(Debug, Clone)]
pub(crate) enum Door {
    /// The port for HTTP in the clear.
    Plain,
    /// A TLS connection that ends here.
    Tls {
        /// The name its handshake was for, which its certificate covers.
        server_name: Box<str>,
        /// The one it was served with, which need not be served to others any more.
        certificate: Arc<Certificate>,
    },
}

impl Door {
    /// The scheme of URLs that lead to it.
    pub(crate) fn scheme(&self) -> &'static str {
        match self {
            Self::Plain => "http",
            Self::Tls { .. } => "https",
        }
    }
}

/// The binding a request for `name` goes to, where `route` is what the table says of that name.
///
/// `redirect` says whether HTTPS names asked for in the clear are sent on. Whoever asks at the wrong door
/// learns so before it is looked at who asks.
pub(crate) fn judge<'r>(
    door: &Door,
    name: &str,
    route: Option<&'r RouteEntry>,
    source: IpAddr,
    redirect: bool,
) -> Result<&'r Binding, Refusal> {
    if let Door::Tls { server_name, certificate } = door
        && **server_name != *name
        && !certificate.covers(name)
    {
        return Err(Refusal::NotCovered);
    }
    let route = &route.ok_or(Refusal::NoRoute)?.route;
    if let Target::Bound(binding) = &route.target {
        at_door(door, binding.protocol, redirect)?;
    }
    if !route.sources.allow(source) {
        return Err(Refusal::SourceNotAllowed);
    }
    match &route.target {
        Target::Bound(binding) => Ok(binding),
        Target::Unbound { .. } => Err(Refusal::Unbound),
    }
}

fn at_door(door: &Door, protocol: EdgeProtocol, redirect: bool) -> Result<(), Refusal> {
    match (door, protocol) {
        (Door::Plain, EdgeProtocol::Http) | (Door::Tls { .. }, EdgeProtocol::Https) => Ok(()),
        (Door::Plain, EdgeProtocol::Https) if redirect => Err(Refusal::RedirectToHttps),
        (Door::Plain, EdgeProtocol::Https) => Err(Refusal::HttpsOnly),
        (Door::Plain, EdgeProtocol::SecureTcp) => Err(Refusal::SecureTcpOnPlain),
        (Door::Tls { .. }, EdgeProtocol::SecureTcp) => Err(Refusal::SecureTcpOnTls),
        (Door::Tls { .. }, EdgeProtocol::Http) => Err(Refusal::HttpOnTls),
    }
}
