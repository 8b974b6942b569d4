//! Endpoints as someone wrote them, and the rules on them.

use proto::{BackendProtocol, EdgeProtocol};

use super::{Endpoint, EndpointKind, Transport};
use crate::domain::{At, Broken, EndpointName, Faults, Port, PortRange};

/// An endpoint as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct EndpointDraft {
    /// Its name.
    pub name: String,
    /// None when nothing was said.
    pub kind: Option<EndpointType>,
    /// 0 means the protocol's own.
    pub port: u32,
    /// 0 means the same as `port`.
    pub target_port: u32,
    /// Only for ranges.
    pub port_range: String,
    /// None when nothing was said.
    pub backend_protocol: Option<BackendProtocol>,
}

/// What kinds of endpoint there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointType {
    /// HTTP and WebSocket, port 80.
    ExternalHttp,
    /// HTTPS and WSS, port 443.
    ExternalHttps,
    /// TLS with SNI passed through, port 443.
    ExternalSecureTcp,
    /// TCP among deployments.
    InternalTcp,
    /// UDP among deployments.
    InternalUdp,
    /// TCP among deployments, on several ports.
    InternalTcpRange,
    /// UDP among deployments, on several ports.
    InternalUdpRange,
}

impl EndpointType {
    /// The type of `kind`.
    pub fn of(kind: &EndpointKind) -> Self {
        match kind {
            EndpointKind::External { protocol: EdgeProtocol::Http, .. } => Self::ExternalHttp,
            EndpointKind::External { protocol: EdgeProtocol::Https, .. } => Self::ExternalHttps,
            EndpointKind::External { protocol: EdgeProtocol::SecureTcp, .. } => Self::ExternalSecureTcp,
            EndpointKind::Internal { transport: Transport::Tcp, .. } => Self::InternalTcp,
            EndpointKind::Internal { transport: Transport::Udp, .. } => Self::InternalUdp,
            EndpointKind::InternalRange { transport: Transport::Tcp, .. } => Self::InternalTcpRange,
            EndpointKind::InternalRange { transport: Transport::Udp, .. } => Self::InternalUdpRange,
        }
    }
}

impl EndpointDraft {
    /// The endpoint it describes, with every fault noted.
    pub(super) fn judge(&self, at: &At<'_>, faults: &mut Faults) -> Option<Endpoint> {
        let name = faults.take(at.field("name"), EndpointName::parse(&self.name));
        let Some(kind) = self.kind else {
            let message = "is missing; say external-http, external-https, external-tls-tcp, internal-tcp, \
                           internal-udp, internal-tcp-range or internal-udp-range";
            faults.add(at.field("type"), "endpoint_type_required", message);
            return None;
        };
        let kind = match kind {
            EndpointType::ExternalHttp => self.external(EdgeProtocol::Http, Port::HTTP, at, faults),
            EndpointType::ExternalHttps => self.external(EdgeProtocol::Https, Port::HTTPS, at, faults),
            EndpointType::ExternalSecureTcp => {
                self.external(EdgeProtocol::SecureTcp, Port::HTTPS, at, faults)
            }
            EndpointType::InternalTcp => self.internal(Transport::Tcp, at, faults),
            EndpointType::InternalUdp => self.internal(Transport::Udp, at, faults),
            EndpointType::InternalTcpRange => self.range(Transport::Tcp, at, faults),
            EndpointType::InternalUdpRange => self.range(Transport::Udp, at, faults),
        };
        Some(Endpoint { name: name?, kind: kind? })
    }

    fn external(
        &self,
        protocol: EdgeProtocol,
        fixed: Port,
        at: &At<'_>,
        faults: &mut Faults,
    ) -> Option<EndpointKind> {
        if self.port != 0 && self.port != u32::from(fixed.get()) {
            let message = format!(
                "{} endpoints are seen on port {fixed} and no other; leave it out or write {fixed}, and put \
                 {} in target_port if the application listens there",
                protocol.scheme(),
                self.port
            );
            faults.add(at.field("port"), "port_fixed_by_protocol", message);
        }
        self.no_range(at, faults);
        let backend_protocol = self.backend_protocol.unwrap_or_default();
        if protocol == EdgeProtocol::SecureTcp {
            self.no_backend_protocol("is passed through untouched", at, faults);
        }
        let target_port = self.target(fixed, at, faults)?;
        Some(EndpointKind::External { protocol, backend_protocol, target_port })
    }

    fn internal(&self, transport: Transport, at: &At<'_>, faults: &mut Faults) -> Option<EndpointKind> {
        self.no_range(at, faults);
        self.no_backend_protocol("is internal", at, faults);
        let port = match self.port {
            0 => Some(Port::HTTPS),
            number => faults.take(at.field("port"), Port::parse(number)),
        };
        let target_port = self.target(port.unwrap_or(Port::HTTPS), at, faults);
        Some(EndpointKind::Internal { transport, port: port?, target_port: target_port? })
    }

    fn range(&self, transport: Transport, at: &At<'_>, faults: &mut Faults) -> Option<EndpointKind> {
        self.no_backend_protocol("is internal", at, faults);
        for (name, number) in [("port", self.port), ("target_port", self.target_port)] {
            if number != 0 {
                let message = "a range has the same ports inside and outside; write them in port_range alone";
                faults.add(at.field(name), "range_without_port", message);
            }
        }
        let ports = faults.take(at.field("port_range"), PortRange::parse(&self.port_range))?;
        Some(EndpointKind::InternalRange { transport, ports })
    }

    fn target(&self, port: Port, at: &At<'_>, faults: &mut Faults) -> Option<Port> {
        match self.target_port {
            0 => Some(port),
            number => faults.take(at.field("target_port"), Port::parse(number)),
        }
    }

    fn no_range(&self, at: &At<'_>, faults: &mut Faults) {
        if !self.port_range.is_empty() {
            let message = "only internal-tcp-range and internal-udp-range endpoints have a range of ports";
            faults.add(at.field("port_range"), "port_range_on_single_port", message);
        }
    }

    fn no_backend_protocol(&self, why: &str, at: &At<'_>, faults: &mut Faults) {
        if self.backend_protocol == Some(BackendProtocol::H2c) {
            let message = format!("only HTTP and HTTPS endpoints have one, and this {why}; leave it out");
            faults.add(at.field("backend_protocol"), "backend_protocol_of_http_only", message);
        }
    }
}

/// The external endpoint of `endpoints` called `wanted`, or the only one when `wanted` is empty.
///
/// `endpoints` are those of one deployment or plan, each with its name and kind.
pub fn pick_external<'e, E>(
    endpoints: &'e [E],
    named: impl Fn(&'e E) -> (&'e EndpointName, &'e EndpointKind),
    wanted: &str,
) -> Result<&'e E, Broken> {
    let external: Vec<&E> = endpoints.iter().filter(|e| named(e).1.external().is_some()).collect();
    let names: Vec<_> = external.iter().map(|e| named(e).0.as_str()).collect();
    if wanted.is_empty() {
        return match external.as_slice() {
            [only] => Ok(only),
            [] => Err(Broken::new("endpoint_required", "there is no external endpoint to bind to")),
            _ => {
                let message = format!("is missing, and there are several: one of {}", names.join(", "));
                Err(Broken::new("endpoint_required", message))
            }
        };
    }
    if let Some(found) = external.iter().find(|e| named(e).0.as_str() == wanted) {
        return Ok(found);
    }
    let choice =
        if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
    if endpoints.iter().any(|e| named(e).0.as_str() == wanted) {
        let message = format!("{wanted} is internal; only an external endpoint can be reached so: {choice}");
        return Err(Broken::new("endpoint_not_external", message));
    }
    let message = format!("{wanted:?} is no endpoint of this deployment; of external ones {choice}");
    Err(Broken::new("endpoint_unknown", message))
}
