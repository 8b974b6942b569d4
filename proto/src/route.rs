use std::fmt;
use std::sync::Arc;

use crate::{Backend, Hostname, Revision, SourceRanges};

/// What one host name means at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The name requests carry.
    pub hostname: Hostname,
    /// Who owns the name.
    pub project: ProjectId,
    /// Where requests go, or that they go nowhere now.
    pub target: Target,
    /// Which clients are served.
    pub sources: SourceRanges,
}

/// Where a name leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A static route that serves no deployment now. What it spoke last decides how a TLS client is
    /// told; none when it was never bound.
    Unbound {
        /// The protocol of the endpoint it was bound to last.
        last: Option<EdgeProtocol>,
    },
    /// An endpoint of a deployment.
    Bound(Binding),
}

/// The endpoint a name is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The deployment it belongs to.
    pub deployment: DeploymentId,
    /// Its name in the package.
    pub endpoint: EndpointName,
    /// What the client speaks.
    pub protocol: EdgeProtocol,
    /// What the backend speaks; of no meaning for Secure TCP.
    pub backend_protocol: BackendProtocol,
    /// Its replicas, ordered by address, each address once.
    pub backends: Arc<[Backend]>,
}

/// What clients of a route speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeProtocol {
    /// HTTP/1.1 and WebSocket in the clear, chosen by Host.
    Http,
    /// HTTPS and WSS: TLS ends at the edge.
    Https,
    /// TLS chosen by SNI and passed through untouched.
    SecureTcp,
}

impl EdgeProtocol {
    /// The scheme of its URLs: `http`, `https`, `tls`.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::SecureTcp => "tls",
        }
    }
}

/// What a backend speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BackendProtocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 in the clear with prior knowledge (RFC 9113 3.3).
    H2c,
}

/// One revision for a proxy: applied whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteUpdate {
    /// The revision it leads to.
    pub revision: Revision,
    /// What must be held for it to apply; none for a whole table, which replaces whatever is held.
    pub base: Option<Revision>,
    /// Routes that are new or changed.
    pub upserts: Vec<Route>,
    /// Names that are routed no more. Empty in a whole table.
    pub removals: Vec<Hostname>,
}

macro_rules! shared_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Between 1 and 128 bytes of printable ASCII without spaces, quotes and backslashes, so that it stands for
        /// itself wherever it is written; cloning shares the text.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// None when the text is empty, too long or holds anything else.
            pub fn parse(text: &str) -> Option<Self> {
                let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
                let sound = (1..=128).contains(&text.len()) && text.bytes().all(is_plain);
                sound.then(|| Self(Arc::from(text)))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

shared_text! {
    /// The guid of a project.
    ProjectId
}
shared_text! {
    /// The guid of a deployment.
    DeploymentId
}
shared_text! {
    /// The name of an endpoint within its package.
    EndpointName
}
