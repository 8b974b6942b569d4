use crate::manifest::fields::Fields;
use crate::manifest::spelling::{ROS_ENDPOINT_TYPES, ROS_QOS};
use crate::wire;

pub(super) fn read(ros: &mut Fields<'_>) -> wire::Ros {
    ros.leave_out("inboundScopedTargeted");
    wire::Ros {
        enabled: ros.flag("enabled").unwrap_or_default(),
        version: ros.text("version").unwrap_or_default(),
        endpoints: ros.each(("rosEndpoints", "endpoints"), read_endpoint),
    }
}

fn read_endpoint(endpoint: &mut Fields<'_>) -> wire::RosEndpoint {
    wire::RosEndpoint {
        r#type: endpoint.choice("type", &ROS_ENDPOINT_TYPES).unwrap_or_default().into(),
        name: endpoint.required_text("name").unwrap_or_default(),
        compression: endpoint.flag("compression").unwrap_or_default(),
        scoped: endpoint.flag("scoped").unwrap_or_default(),
        targeted: endpoint.flag("targeted").unwrap_or_default(),
        qos: endpoint.choice("qos", &ROS_QOS).unwrap_or_default().into(),
        timeout: endpoint.parsed("timeout", "a number of seconds"),
    }
}
