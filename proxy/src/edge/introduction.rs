use std::net::IpAddr;
use std::sync::Arc;

use certs::Certificate;
use proto::{EdgeProtocol, Target};
use tokio::net::TcpStream;

use crate::context::Context;
use crate::hello::{self, Hello, ServerName};
use crate::refusal::Refusal;
use crate::routes::RouteEntry;

/// A client on the TLS port that has said what it wants, and may have it.
pub(super) struct Introduced {
    pub(super) hello: Hello,
    /// The name it wants, folded.
    pub(super) name: Box<str>,
    pub(super) way: Way,
}

/// What is done with a TLS connection.
pub(crate) enum Way {
    /// TLS ends here, with this certificate; each request on it is judged by itself.
    Terminate(Arc<Certificate>),
    /// Its bytes go to the route's backend as they come.
    PassThrough(Arc<RouteEntry>),
}

/// A client that is not served, and the name it asked for if it got that far.
pub(super) struct Stranger {
    pub(super) refusal: Refusal,
    pub(super) name: Option<Box<str>>,
}

/// Reads the hello and decides by its name. None when the client left without a word.
pub(super) async fn hear(
    stream: &mut TcpStream,
    context: &Context,
    source: IpAddr,
) -> Result<Option<Introduced>, Stranger> {
    let anonymous = |refusal| Stranger { refusal, name: None };
    let config = context.config();
    let heard = hello::read(stream, config.limits.hello_bytes, config.timeouts.hello).await;
    let Some(mut hello) = heard.map_err(anonymous)? else { return Ok(None) };
    let name = match std::mem::replace(&mut hello.server_name, ServerName::Absent) {
        ServerName::Name(name) => name,
        ServerName::Absent => return Err(anonymous(Refusal::NoServerName)),
        ServerName::Invalid => return Err(anonymous(Refusal::BadServerName)),
    };
    let entry = context.route(&name);
    let choose = || context.shared.certificates.choose(&name);
    match judge(entry.as_ref(), source, choose) {
        Ok(way) => Ok(Some(Introduced { hello, name, way })),
        Err(refusal) => Err(Stranger { refusal, name: Some(name) }),
    }
}

/// What is done with a connection for the name of `entry`, for which `choose` finds the certificate.
///
/// What is not served on this port at all is told by an alert at once. What only requests can be told
/// (an unbound name, a source that is not allowed) is terminated so that they are told.
pub(crate) fn judge(
    entry: Option<&Arc<RouteEntry>>,
    source: IpAddr,
    choose: impl FnOnce() -> Option<Arc<Certificate>>,
) -> Result<Way, Refusal> {
    let entry = entry.ok_or(Refusal::NoRoute)?;
    let protocol = match &entry.route.target {
        Target::Bound(binding) => binding.protocol,
        // Nobody will say HTTP to a name that spoke Secure TCP, so there is nobody to tell 503.
        Target::Unbound { last: Some(EdgeProtocol::SecureTcp) } => return Err(Refusal::Unbound),
        Target::Unbound { last: Some(EdgeProtocol::Http | EdgeProtocol::Https) | None } => {
            EdgeProtocol::Https
        }
    };
    match protocol {
        EdgeProtocol::Http => Err(Refusal::HttpOnTls),
        EdgeProtocol::Https => choose().map(Way::Terminate).ok_or(Refusal::NotCovered),
        EdgeProtocol::SecureTcp if entry.route.sources.allow(source) => Ok(Way::PassThrough(entry.clone())),
        EdgeProtocol::SecureTcp => Err(Refusal::SourceNotAllowed),
    }
}
