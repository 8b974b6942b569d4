use proto::wire;

use crate::convert::known;
use crate::domain::package::{
    Ros, RosDraft, RosEndpoint, RosEndpointDraft, RosEndpointKind, RosQos, Seconds,
};
use crate::domain::{At, Faults};

pub(super) fn draft(ros: wire::Ros, at: &At<'_>, faults: &mut Faults) -> RosDraft {
    let list = at.field("endpoints");
    let endpoints = ros.endpoints.into_iter().enumerate();
    let endpoints = endpoints.map(|(i, endpoint)| endpoint_draft(endpoint, &list.index(i), faults));
    RosDraft { enabled: ros.enabled, version: ros.version, endpoints: endpoints.collect() }
}

fn endpoint_draft(endpoint: wire::RosEndpoint, at: &At<'_>, faults: &mut Faults) -> RosEndpointDraft {
    let kind = known::<wire::RosEndpointType>(endpoint.r#type, at.field("type"), faults);
    let qos = known::<wire::RosQos>(endpoint.qos, at.field("qos"), faults);
    RosEndpointDraft {
        kind: kind.and_then(|kind| match kind {
            wire::RosEndpointType::Unspecified => None,
            wire::RosEndpointType::Topic => Some(RosEndpointKind::Topic),
            wire::RosEndpointType::Service => Some(RosEndpointKind::Service),
            wire::RosEndpointType::Action => Some(RosEndpointKind::Action),
        }),
        name: endpoint.name,
        compression: endpoint.compression,
        scoped: endpoint.scoped,
        targeted: endpoint.targeted,
        qos: qos.and_then(|qos| match qos {
            wire::RosQos::Unspecified => None,
            wire::RosQos::Low => Some(RosQos::Low),
            wire::RosQos::Medium => Some(RosQos::Medium),
            wire::RosQos::High => Some(RosQos::High),
            wire::RosQos::Max => Some(RosQos::Max),
        }),
        timeout: endpoint.timeout,
    }
}

pub(super) fn message(ros: Ros) -> wire::Ros {
    wire::Ros {
        enabled: ros.enabled,
        version: ros.version.map(|version| version.as_str().to_owned()).unwrap_or_default(),
        endpoints: ros.endpoints.into_iter().map(endpoint_message).collect(),
    }
}

fn endpoint_message(endpoint: RosEndpoint) -> wire::RosEndpoint {
    let kind = match endpoint.kind {
        RosEndpointKind::Topic => wire::RosEndpointType::Topic,
        RosEndpointKind::Service => wire::RosEndpointType::Service,
        RosEndpointKind::Action => wire::RosEndpointType::Action,
    };
    let qos = endpoint.qos.map(|qos| match qos {
        RosQos::Low => wire::RosQos::Low,
        RosQos::Medium => wire::RosQos::Medium,
        RosQos::High => wire::RosQos::High,
        RosQos::Max => wire::RosQos::Max,
    });
    wire::RosEndpoint {
        r#type: kind.into(),
        name: endpoint.name.to_string(),
        compression: endpoint.compression,
        scoped: endpoint.scoped,
        targeted: endpoint.targeted,
        qos: qos.unwrap_or_default().into(),
        timeout: endpoint.timeout.map(Seconds::get),
    }
}
