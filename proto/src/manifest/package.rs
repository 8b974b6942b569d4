use std::collections::HashMap;

use super::fields::Fields;
use super::metadata;
use super::spelling::{
    ARCHITECTURES, BACKEND_PROTOCOLS, DEVICE_RUNTIMES, ENDPOINT_TYPES, RESTARTS, RUNTIMES, meaning,
};
use super::values::{read_exposed_name, read_secret_key};
use crate::wire::{self, BackendProtocol};

mod command;
mod executable;
mod probe;
mod ros;

/// The label that gives an endpoint's backend protocol where the manifest has no field for it.
const BACKEND_PROTOCOL_LABEL: &str = "epr.io/backend-protocol/";

/// The name of the component of a manifest that has only one and does not name it.
pub(super) const ONLY_COMPONENT: &str = "default";

pub(super) fn read(fields: &mut Fields<'_>) -> wire::Package {
    let (metadata, more) =
        metadata::read(fields, |fields| (fields.required_text("version"), fields.text("description")));
    let (version, description) = more.unwrap_or_default();
    let plans = fields.required_map(("spec", ""), read_plans);
    let mut package = wire::Package {
        metadata: Some(metadata),
        version: version.unwrap_or_default(),
        description: description.unwrap_or_default(),
        plans: plans.unwrap_or_default(),
    };
    apply_backend_protocol_labels(fields, &mut package);
    package
}

/// A manifest has plans, or the components of one plan, or the one component of one plan.
fn read_plans(spec: &mut Fields<'_>) -> Vec<wire::Plan> {
    if spec.has("plans") {
        return spec.each("plans", |plan| {
            let name = plan.text("name").unwrap_or_default();
            plan.ignore("id");
            wire::Plan { name, components: plan.each("components", read_component), ..Default::default() }
        });
    }
    let components = if spec.has("components") {
        spec.within("plans[0]");
        spec.each("components", read_component)
    } else {
        spec.within("plans[0].components[0]");
        vec![wire::Component { name: ONLY_COMPONENT.to_owned(), ..read_component_body(spec) }]
    };
    vec![wire::Plan { components, ..Default::default() }]
}

fn read_component(component: &mut Fields<'_>) -> wire::Component {
    let name = component.required_text("name").unwrap_or_default();
    wire::Component { name, ..read_component_body(component) }
}

fn read_component_body(component: &mut Fields<'_>) -> wire::Component {
    wire::Component {
        name: String::new(),
        runtime: component.choice("runtime", &RUNTIMES).unwrap_or_default().into(),
        executables: component.each("executables", executable::read),
        parameters: component.each(("environmentVars", "parameters"), read_parameter),
        endpoints: component.each("endpoints", read_endpoint),
        replicas: component
            .map(("cloud", ""), |cloud| cloud.whole("replicas", "a whole number"))
            .flatten()
            .unwrap_or_default(),
        device: component.map("device", read_device),
        ros: component.map("ros", ros::read),
        host_pid: component.flag(("hostPID", "host_pid")).unwrap_or_default(),
    }
}

fn read_device(device: &mut Fields<'_>) -> wire::DeviceSettings {
    wire::DeviceSettings {
        architecture: device.choice(("arch", "architecture"), &ARCHITECTURES).unwrap_or_default().into(),
        restart: device.choice("restart", &RESTARTS).unwrap_or_default().into(),
        runtime: device.choice("runtime", &DEVICE_RUNTIMES).unwrap_or_default().into(),
    }
}

fn read_parameter(parameter: &mut Fields<'_>) -> wire::Parameter {
    wire::Parameter {
        name: parameter.required_text("name").unwrap_or_default(),
        description: parameter.text("description").unwrap_or_default(),
        default_value: parameter.text(("default", "default_value")),
        exposed_as: read_exposed_name(parameter),
        value_from: read_secret_key(parameter),
    }
}

fn read_endpoint(endpoint: &mut Fields<'_>) -> wire::Endpoint {
    let kind = endpoint.choice("type", &ENDPOINT_TYPES);
    if !endpoint.has("type") {
        endpoint.fault("type", "missing; for example external-http, external-https or external-tls-tcp");
    }
    wire::Endpoint {
        name: endpoint.required_text("name").unwrap_or_default(),
        r#type: kind.unwrap_or_default().into(),
        port: endpoint.port("port"),
        target_port: endpoint.port("targetPort"),
        port_range: endpoint.text("portRange").unwrap_or_default(),
        backend_protocol: endpoint.choice("backendProtocol", &BACKEND_PROTOCOLS).unwrap_or_default().into(),
    }
}

fn apply_backend_protocol_labels(fields: &Fields<'_>, package: &mut wire::Package) {
    let labels = package.metadata.iter().flat_map(|metadata| metadata.labels.clone());
    let labels: Vec<_> = labels.filter(|(label, _)| label.starts_with(BACKEND_PROTOCOL_LABEL)).collect();
    let mut endpoints = HashMap::new();
    let components = package.plans.iter_mut().flat_map(|plan| &mut plan.components);
    for endpoint in components.flat_map(|component| &mut component.endpoints) {
        endpoints.entry(endpoint.name.clone()).or_insert(endpoint);
    }
    for (label, value) in labels {
        let name = label.strip_prefix(BACKEND_PROTOCOL_LABEL).unwrap_or_default();
        let fault = |message: &str| fields.fault_read(&format!("metadata.labels.{label}"), message);
        let Some(protocol) = meaning(&value, &BACKEND_PROTOCOLS) else {
            fault("must be http1 or h2c");
            continue;
        };
        match endpoints.get_mut(name) {
            None => fault("no endpoint has this name"),
            Some(endpoint)
                if ![BackendProtocol::Unspecified, protocol].contains(&endpoint.backend_protocol()) =>
            {
                fault("the endpoint's backendProtocol says otherwise; leave one of them out");
            }
            Some(endpoint) => endpoint.set_backend_protocol(protocol),
        }
    }
}
