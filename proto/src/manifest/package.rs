use std::num::NonZeroU16;

use super::fields::Fields;
use super::read_metadata;
use crate::wire::{self, BackendProtocol, EndpointType, RuntimeKind};

/// The label that gives an endpoint's backend protocol where the manifest has no field for it.
pub(super) const BACKEND_PROTOCOL_LABEL: &str = "epr.io/backend-protocol/";

/// The name of the component of a manifest that has only one and does not name it.
pub(super) const ONLY_COMPONENT: &str = "default";

pub(super) const RUNTIMES: [(&str, RuntimeKind); 2] =
    [("cloud", RuntimeKind::Cloud), ("device", RuntimeKind::Device)];

pub(super) const ENDPOINT_TYPES: [(&str, EndpointType); 7] = [
    ("external-http", EndpointType::ExternalHttp),
    ("external-https", EndpointType::ExternalHttps),
    ("external-tls-tcp", EndpointType::ExternalSecureTcp),
    ("internal-tcp", EndpointType::InternalTcp),
    ("internal-udp", EndpointType::InternalUdp),
    ("internal-tcp-range", EndpointType::InternalTcpRange),
    ("internal-udp-range", EndpointType::InternalUdpRange),
];

pub(super) const BACKEND_PROTOCOLS: [(&str, BackendProtocol); 2] =
    [("http1", BackendProtocol::Http1), ("h2c", BackendProtocol::H2c)];

#[derive(Clone, Copy)]
enum ExecutableType {
    Docker,
    Build,
    PreInstalled,
}

const EXECUTABLE_TYPES: [(&str, ExecutableType); 3] = [
    ("docker", ExecutableType::Docker),
    ("build", ExecutableType::Build),
    ("preInstalled", ExecutableType::PreInstalled),
];

pub(super) fn read(fields: &mut Fields<'_>) -> wire::Package {
    let (metadata, more) =
        read_metadata(fields, |fields| (fields.required_text("version"), fields.text("description")));
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
    for later in ["ros", "hostPID", "device"] {
        component.leave_out(later);
    }
    wire::Component {
        name: String::new(),
        runtime: component.choice("runtime", &RUNTIMES).unwrap_or_default().into(),
        executables: component.each("executables", read_executable),
        parameters: component.each(("environmentVars", "parameters"), read_parameter),
        endpoints: component.each("endpoints", read_endpoint),
        replicas: component
            .map(("cloud", ""), |cloud| cloud.parsed("replicas", "a whole number"))
            .flatten()
            .unwrap_or_default(),
        ..Default::default()
    }
}

fn read_executable(executable: &mut Fields<'_>) -> wire::Executable {
    for later in ["livenessProbe", "uid", "gid"] {
        executable.leave_out(later);
    }
    wire::Executable {
        name: executable.text("name").unwrap_or_default(),
        kind: read_executable_kind(executable),
        limits: executable.map("limits", |limits| wire::Limits {
            cpu: limits.text("cpu").unwrap_or_default(),
            memory_mib: limits
                .parsed(("memory", "memory_mib"), "a whole number of mebibytes")
                .unwrap_or_default(),
        }),
        ..Default::default()
    }
}

fn read_executable_kind(executable: &mut Fields<'_>) -> Option<wire::executable::Kind> {
    let declared = executable.choice(("type", "kind"), &EXECUTABLE_TYPES);
    let command = read_command(executable);
    let docker = executable.map("docker", |docker| {
        docker.leave_out("imagePullPolicy");
        wire::DockerImage {
            image: docker.required_text("image").unwrap_or_default(),
            pull_secret: docker.map(("pullSecret", ""), read_pull_secret).flatten().unwrap_or_default(),
            command: command.clone(),
            ..Default::default()
        }
    });
    let build = executable.map("build", |build| build.required_text(("name", "build")).unwrap_or_default());
    let inferred = if build.is_some() { ExecutableType::Build } else { ExecutableType::Docker };
    match declared.unwrap_or(inferred) {
        ExecutableType::Docker => {
            if docker.is_none() && !executable.has("docker") {
                executable.fault("docker", "missing; write `docker: {image: NAME}`");
            }
            docker.map(wire::executable::Kind::Docker)
        }
        ExecutableType::Build => {
            if build.is_none() && !executable.has("build") {
                executable.fault("build", "missing; write `build: {name: NAME}`");
            }
            build.map(|build| {
                wire::executable::Kind::Build(wire::BuildReference { build, command, ..Default::default() })
            })
        }
        ExecutableType::PreInstalled => {
            Some(wire::executable::Kind::Bash(wire::BashCommand { command: command.join(" ") }))
        }
    }
}

/// As the real client does it: `runAsBash` wraps the command unless there is an entrypoint, which comes
/// before it.
fn read_command(executable: &mut Fields<'_>) -> Vec<String> {
    let entrypoint = executable.texts("entrypoint");
    let command = executable.texts("command");
    let bash = executable.flag("runAsBash").unwrap_or(false) && entrypoint.is_empty() && !command.is_empty();
    let wrap = if bash { vec!["/bin/bash".to_owned(), "-c".to_owned()] } else { Vec::new() };
    [wrap, entrypoint, command].concat()
}

fn read_pull_secret(secret: &mut Fields<'_>) -> Option<String> {
    secret.map(("depends", ""), |depends| {
        depends.choice("kind", &[("secret", ())]);
        depends.ignore("guid");
        depends.required_text(("nameOrGUID", "pull_secret")).unwrap_or_default()
    })
}

fn read_parameter(parameter: &mut Fields<'_>) -> wire::Parameter {
    parameter.not_yet("valueFrom");
    let exposed = parameter.flag(("exposed", "exposed_as"));
    let exposed_name = parameter.text(("exposedName", "exposed_as"));
    if exposed == Some(true) && exposed_name.is_none() {
        parameter.fault("exposedName", "missing; an exposed parameter needs the name others see it by");
    }
    wire::Parameter {
        name: parameter.required_text("name").unwrap_or_default(),
        description: parameter.text("description").unwrap_or_default(),
        default_value: parameter.text(("default", "default_value")),
        exposed_as: exposed_name.filter(|_| exposed.unwrap_or(true)).unwrap_or_default(),
        ..Default::default()
    }
}

fn read_endpoint(endpoint: &mut Fields<'_>) -> wire::Endpoint {
    let port = "a port between 1 and 65535";
    // In the message 0 is a port that is not given: a 0 that is given must not become one.
    let number = |port: NonZeroU16| u32::from(port.get());
    let kind = endpoint.choice("type", &ENDPOINT_TYPES);
    if !endpoint.has("type") {
        endpoint.fault("type", "missing; for example external-http, external-https or external-tls-tcp");
    }
    wire::Endpoint {
        name: endpoint.required_text("name").unwrap_or_default(),
        r#type: kind.unwrap_or_default().into(),
        port: endpoint.parsed("port", port).map_or(0, number),
        target_port: endpoint.parsed("targetPort", port).map_or(0, number),
        port_range: endpoint.text("portRange").unwrap_or_default(),
        backend_protocol: endpoint.choice("backendProtocol", &BACKEND_PROTOCOLS).unwrap_or_default().into(),
    }
}

fn apply_backend_protocol_labels(fields: &Fields<'_>, package: &mut wire::Package) {
    let labels = package.metadata.iter().flat_map(|metadata| metadata.labels.clone());
    for (label, value) in labels {
        let Some(name) = label.strip_prefix(BACKEND_PROTOCOL_LABEL) else { continue };
        let Some((_, protocol)) = BACKEND_PROTOCOLS.iter().find(|(word, _)| *word == value) else {
            fields.fault_read(&format!("metadata.labels.{label}"), "must be http1 or h2c");
            continue;
        };
        let components = package.plans.iter_mut().flat_map(|plan| &mut plan.components);
        let mut endpoints = components.flat_map(|component| &mut component.endpoints);
        match endpoints.find(|endpoint| endpoint.name == name) {
            None => fields.fault_read(&format!("metadata.labels.{label}"), "no endpoint has this name"),
            Some(endpoint)
                if ![BackendProtocol::Unspecified, *protocol].contains(&endpoint.backend_protocol()) =>
            {
                fields.fault_read(
                    &format!("metadata.labels.{label}"),
                    "the endpoint's backendProtocol says otherwise; leave one of them out",
                );
            }
            Some(endpoint) => endpoint.set_backend_protocol(*protocol),
        }
    }
}
