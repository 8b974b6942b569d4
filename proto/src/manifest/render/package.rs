use serde_json::{Map, Value, json};

use super::executable::{For, executable};
use super::writer::{fields, list, metadata, put, put_flag, put_list, put_number, put_some, put_value_from};
use super::{Kind, Parts};
use crate::manifest::package::ONLY_COMPONENT;
use crate::manifest::spelling::{
    ARCHITECTURES, BACKEND_PROTOCOLS, DEVICE_RUNTIMES, ENDPOINT_TYPES, RESTARTS, ROS_ENDPOINT_TYPES, ROS_QOS,
    RUNTIMES, word,
};
use crate::wire;

/// A package as a manifest; the short form when one plan with one component says it all.
pub fn package(package: &wire::Package) -> Value {
    parts(package, For::People).into_value()
}

/// A package as a manifest, with its plans and components even where the short form would do.
pub fn package_full(package: &wire::Package) -> Value {
    let parts = parts(package, For::People);
    Parts { spec: full(package, For::People), ..parts }.into_value()
}

pub(super) fn parts(package: &wire::Package, whom: For) -> Parts {
    let mut metadata = metadata(package.metadata.as_ref());
    put(&mut metadata, "version", &package.version);
    put(&mut metadata, "description", &package.description);
    let spec = match package.plans.as_slice() {
        [plan] if is_default(&plan.name) => match plan.components.as_slice() {
            [only] if only.name == ONLY_COMPONENT => component_body(only, whom),
            components => fields([("components", list(components, |it| component(it, whom)))]),
        },
        _ => full(package, whom),
    };
    Parts { kind: Kind::Package, metadata, spec, status: Map::new() }
}

fn full(package: &wire::Package, whom: For) -> Map<String, Value> {
    fields([("plans", list(&package.plans, |it| plan(it, whom)))])
}

fn is_default(name: &str) -> bool {
    name.is_empty() || name == "default"
}

fn plan(plan: &wire::Plan, whom: For) -> Value {
    let mut out = Map::new();
    put(&mut out, "name", &plan.name);
    put(&mut out, "id", &plan.id);
    out.insert("components".to_owned(), list(&plan.components, |it| component(it, whom)));
    out.into()
}

fn component(component: &wire::Component, whom: For) -> Value {
    let mut out = component_body(component, whom);
    put(&mut out, "name", &component.name);
    out.into()
}

fn component_body(component: &wire::Component, whom: For) -> Map<String, Value> {
    let mut out = Map::new();
    put_some(&mut out, "runtime", word(component.runtime(), &RUNTIMES));
    if component.replicas != 0 {
        out.insert("cloud".to_owned(), json!({ "replicas": component.replicas }));
    }
    put_some(&mut out, "device", component.device.as_ref().map(device));
    put_flag(&mut out, "hostPID", component.host_pid);
    put_list(&mut out, "executables", component.executables.iter().map(|it| executable(it, whom)).collect());
    put_list(&mut out, "environmentVars", component.parameters.iter().map(parameter).collect());
    put_list(&mut out, "endpoints", component.endpoints.iter().map(endpoint).collect());
    put_some(&mut out, "ros", component.ros.as_ref().map(ros));
    out
}

fn device(device: &wire::DeviceSettings) -> Value {
    let mut out = Map::new();
    put_some(&mut out, "arch", word(device.architecture(), &ARCHITECTURES));
    put_some(&mut out, "restart", word(device.restart(), &RESTARTS));
    put_some(&mut out, "runtime", word(device.runtime(), &DEVICE_RUNTIMES));
    out.into()
}

fn parameter(parameter: &wire::Parameter) -> Value {
    let mut out = Map::new();
    put(&mut out, "name", &parameter.name);
    put(&mut out, "description", &parameter.description);
    put_some(&mut out, "default", parameter.default_value.as_deref());
    put_value_from(&mut out, parameter.value_from.as_ref(), &parameter.exposed_as);
    out.into()
}

fn endpoint(endpoint: &wire::Endpoint) -> Value {
    let mut out = Map::new();
    put(&mut out, "name", &endpoint.name);
    put_some(&mut out, "type", word(endpoint.r#type(), &ENDPOINT_TYPES));
    put_number(&mut out, "port", endpoint.port);
    put_number(&mut out, "targetPort", endpoint.target_port);
    put(&mut out, "portRange", &endpoint.port_range);
    put_some(&mut out, "backendProtocol", word(endpoint.backend_protocol(), &BACKEND_PROTOCOLS));
    out.into()
}

fn ros(ros: &wire::Ros) -> Value {
    let mut out = fields([("enabled", json!(ros.enabled))]);
    put(&mut out, "version", &ros.version);
    put_list(&mut out, "rosEndpoints", ros.endpoints.iter().map(ros_endpoint).collect());
    out.into()
}

fn ros_endpoint(endpoint: &wire::RosEndpoint) -> Value {
    let mut out = Map::new();
    put_some(&mut out, "type", word(endpoint.r#type(), &ROS_ENDPOINT_TYPES));
    put(&mut out, "name", &endpoint.name);
    put_flag(&mut out, "compression", endpoint.compression);
    put_flag(&mut out, "scoped", endpoint.scoped);
    put_flag(&mut out, "targeted", endpoint.targeted);
    put_some(&mut out, "qos", word(endpoint.qos(), &ROS_QOS));
    put_some(&mut out, "timeout", endpoint.timeout);
    out.into()
}
