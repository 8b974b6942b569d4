use proto::{BackendProtocol, EdgeProtocol};
use serde::{Deserialize, Serialize};

use crate::domain::{EndpointName, Port, PortRange};

/// A place where a component can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Unique in its package.
    pub name: EndpointName,
    /// By whom and how.
    pub kind: EndpointKind,
}

/// By whom an endpoint can be reached, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointKind {
    /// From the internet, through the edge, on the protocol's own port.
    External {
        /// What clients speak.
        #[serde(with = "EdgeProtocolText")]
        protocol: EdgeProtocol,
        /// What the application speaks; of no meaning for Secure TCP.
        #[serde(with = "BackendProtocolText")]
        backend_protocol: BackendProtocol,
        /// Where the application listens.
        target_port: Port,
    },
    /// From dependent deployments, on one port.
    Internal {
        /// What it speaks.
        transport: Transport,
        /// Where others see it.
        port: Port,
        /// Where the application listens.
        target_port: Port,
    },
    /// From dependent deployments, on several ports, each the same inside and outside.
    InternalRange {
        /// What it speaks.
        transport: Transport,
        /// Where.
        ports: PortRange,
    },
}

/// What an internal endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// How [`EdgeProtocol`] is stored.
#[derive(Serialize, Deserialize)]
#[serde(remote = "EdgeProtocol", rename_all = "snake_case")]
pub(in crate::domain) enum EdgeProtocolText {
    Http,
    Https,
    SecureTcp,
}

/// How [`BackendProtocol`] is stored.
#[derive(Serialize, Deserialize)]
#[serde(remote = "BackendProtocol", rename_all = "lowercase")]
enum BackendProtocolText {
    Http1,
    H2c,
}

impl EndpointKind {
    /// What clients speak at the edge; none for internal endpoints.
    pub fn external(&self) -> Option<EdgeProtocol> {
        match self {
            Self::External { protocol, .. } => Some(*protocol),
            Self::Internal { .. } | Self::InternalRange { .. } => None,
        }
    }
}
