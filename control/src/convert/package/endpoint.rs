use proto::wire;
use proto::{BackendProtocol, EdgeProtocol};

use crate::convert::known;
use crate::domain::package::{Endpoint, EndpointDraft, EndpointKind, EndpointType};
use crate::domain::{At, Faults};

pub(super) fn drafts(endpoints: Vec<wire::Endpoint>, at: &At<'_>, faults: &mut Faults) -> Vec<EndpointDraft> {
    let endpoints = endpoints.into_iter().enumerate();
    endpoints.map(|(i, endpoint)| draft(endpoint, &at.index(i), faults)).collect()
}

fn draft(endpoint: wire::Endpoint, at: &At<'_>, faults: &mut Faults) -> EndpointDraft {
    let kind = known::<wire::EndpointType>(endpoint.r#type, at.field("type"), faults);
    let backend =
        known::<wire::BackendProtocol>(endpoint.backend_protocol, at.field("backend_protocol"), faults);
    EndpointDraft {
        name: endpoint.name,
        kind: kind.and_then(endpoint_type_in),
        port: endpoint.port,
        target_port: endpoint.target_port,
        port_range: endpoint.port_range,
        backend_protocol: backend.and_then(|protocol| match protocol {
            wire::BackendProtocol::Unspecified => None,
            wire::BackendProtocol::Http1 => Some(BackendProtocol::Http1),
            wire::BackendProtocol::H2c => Some(BackendProtocol::H2c),
        }),
    }
}

fn endpoint_type_in(kind: wire::EndpointType) -> Option<EndpointType> {
    match kind {
        wire::EndpointType::Unspecified => None,
        wire::EndpointType::ExternalHttp => Some(EndpointType::ExternalHttp),
        wire::EndpointType::ExternalHttps => Some(EndpointType::ExternalHttps),
        wire::EndpointType::ExternalSecureTcp => Some(EndpointType::ExternalSecureTcp),
        wire::EndpointType::InternalTcp => Some(EndpointType::InternalTcp),
        wire::EndpointType::InternalUdp => Some(EndpointType::InternalUdp),
        wire::EndpointType::InternalTcpRange => Some(EndpointType::InternalTcpRange),
        wire::EndpointType::InternalUdpRange => Some(EndpointType::InternalUdpRange),
    }
}

pub(crate) fn endpoint_type_out(kind: EndpointType) -> wire::EndpointType {
    match kind {
        EndpointType::ExternalHttp => wire::EndpointType::ExternalHttp,
        EndpointType::ExternalHttps => wire::EndpointType::ExternalHttps,
        EndpointType::ExternalSecureTcp => wire::EndpointType::ExternalSecureTcp,
        EndpointType::InternalTcp => wire::EndpointType::InternalTcp,
        EndpointType::InternalUdp => wire::EndpointType::InternalUdp,
        EndpointType::InternalTcpRange => wire::EndpointType::InternalTcpRange,
        EndpointType::InternalUdpRange => wire::EndpointType::InternalUdpRange,
    }
}

pub(super) fn message(endpoint: Endpoint) -> wire::Endpoint {
    let kind = endpoint_type_out(EndpointType::of(&endpoint.kind));
    let mut message =
        wire::Endpoint { name: endpoint.name.to_string(), r#type: kind.into(), ..Default::default() };
    match endpoint.kind {
        EndpointKind::External { protocol, backend_protocol, target_port } => {
            message.port = match protocol {
                EdgeProtocol::Http => 80,
                EdgeProtocol::Https | EdgeProtocol::SecureTcp => 443,
            };
            message.target_port = target_port.get().into();
            if protocol != EdgeProtocol::SecureTcp {
                message.backend_protocol = wire::BackendProtocol::from(backend_protocol).into();
            }
        }
        EndpointKind::Internal { port, target_port, .. } => {
            message.port = port.get().into();
            message.target_port = target_port.get().into();
        }
        EndpointKind::InternalRange { ports, .. } => message.port_range = ports.to_string(),
    }
    message
}
