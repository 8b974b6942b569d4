//! Packages, in and out.

use proto::wire;
use proto::{BackendProtocol, EdgeProtocol};

use super::{known, labels_in, labels_out, timestamp};
use crate::domain::package::{
    Component, ComponentDraft, Endpoint, EndpointDraft, EndpointKind, EndpointType, Executable,
    ExecutableDraft, ExecutableKind, Package, PackageDraft, Parameter, ParameterDraft, Plan, PlanDraft,
    Runtime,
};
use crate::domain::{At, Faults};

/// The draft of a message, and what in it means nothing here.
pub(crate) fn draft(package: wire::Package) -> (PackageDraft, Faults) {
    let mut faults = Faults::new();
    let metadata = package.metadata.unwrap_or_default();
    let at = At::named("plans");
    let plans = package.plans.into_iter().enumerate();
    let plans = plans.map(|(i, plan)| plan_draft(plan, &at.index(i), &mut faults)).collect();
    let draft = PackageDraft {
        name: metadata.name,
        version: package.version,
        description: package.description,
        labels: labels_in(metadata.labels),
        plans,
    };
    (draft, faults)
}

fn plan_draft(plan: wire::Plan, at: &At<'_>, faults: &mut Faults) -> PlanDraft {
    let list = at.field("components");
    let components = plan.components.into_iter().enumerate();
    let components = components.map(|(i, component)| component_draft(component, &list.index(i), faults));
    PlanDraft { name: plan.name, components: components.collect() }
}

fn component_draft(component: wire::Component, at: &At<'_>, faults: &mut Faults) -> ComponentDraft {
    let runtime = known::<wire::RuntimeKind>(component.runtime, at.field("runtime"), faults);
    let runtime = match runtime.unwrap_or_default() {
        wire::RuntimeKind::Unspecified | wire::RuntimeKind::Cloud => Runtime::Cloud,
        wire::RuntimeKind::Device => Runtime::Device,
    };
    let list = at.field("endpoints");
    let endpoints = component.endpoints.into_iter().enumerate();
    ComponentDraft {
        name: component.name,
        runtime,
        executables: component.executables.into_iter().map(executable_draft).collect(),
        parameters: component.parameters.into_iter().map(parameter_draft).collect(),
        endpoints: endpoints.map(|(i, endpoint)| endpoint_draft(endpoint, &list.index(i), faults)).collect(),
        replicas: component.replicas,
    }
}

fn executable_draft(executable: wire::Executable) -> ExecutableDraft {
    let some = |text: String| (!text.is_empty()).then_some(text);
    let kind = executable.kind.map(|kind| match kind {
        wire::executable::Kind::Docker(docker) => ExecutableKind::Docker {
            image: docker.image,
            command: docker.command,
            pull_secret: some(docker.pull_secret),
        },
        wire::executable::Kind::Build(build) => {
            ExecutableKind::Build { build: build.build, command: build.command }
        }
        wire::executable::Kind::Bash(bash) => ExecutableKind::Bash { command: bash.command },
    });
    let limits = executable.limits.unwrap_or_default();
    ExecutableDraft { name: executable.name, kind, cpu: limits.cpu, memory_mib: limits.memory_mib }
}

fn parameter_draft(parameter: wire::Parameter) -> ParameterDraft {
    ParameterDraft {
        name: parameter.name,
        description: parameter.description,
        default: parameter.default_value,
        exposed_as: parameter.exposed_as,
    }
}

fn endpoint_draft(endpoint: wire::Endpoint, at: &At<'_>, faults: &mut Faults) -> EndpointDraft {
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

/// The message of a package.
pub(crate) fn message(package: Package) -> wire::Package {
    wire::Package {
        metadata: Some(wire::Metadata {
            name: package.name.to_string(),
            guid: package.guid.to_string(),
            project: package.project.to_string(),
            labels: labels_out(package.labels),
            created_at: timestamp(package.created_at),
            // A package never changes.
            updated_at: timestamp(package.created_at),
            ..Default::default()
        }),
        version: package.version.to_string(),
        description: package.description,
        plans: package.plans.into_iter().map(plan_message).collect(),
    }
}

pub(crate) fn plan_message(plan: Plan) -> wire::Plan {
    wire::Plan {
        name: plan.name.to_string(),
        id: plan.id.to_string(),
        components: plan.components.into_iter().map(component_message).collect(),
    }
}

fn component_message(component: Component) -> wire::Component {
    let runtime = match component.runtime {
        Runtime::Cloud => wire::RuntimeKind::Cloud,
        Runtime::Device => wire::RuntimeKind::Device,
    };
    wire::Component {
        name: component.name.to_string(),
        runtime: runtime.into(),
        executables: component.executables.into_iter().map(executable_message).collect(),
        parameters: component.parameters.into_iter().map(parameter_message).collect(),
        endpoints: component.endpoints.into_iter().map(endpoint_message).collect(),
        replicas: component.replicas,
        ..Default::default()
    }
}

fn executable_message(executable: Executable) -> wire::Executable {
    let kind = match executable.kind {
        ExecutableKind::Docker { image, command, pull_secret } => {
            let pull_secret = pull_secret.unwrap_or_default();
            wire::executable::Kind::Docker(wire::DockerImage {
                image,
                command,
                pull_secret,
                ..Default::default()
            })
        }
        ExecutableKind::Build { build, command } => {
            wire::executable::Kind::Build(wire::BuildReference { build, command, ..Default::default() })
        }
        ExecutableKind::Bash { command } => wire::executable::Kind::Bash(wire::BashCommand { command }),
    };
    wire::Executable {
        name: executable.name.to_string(),
        kind: Some(kind),
        limits: Some(wire::Limits { cpu: executable.cpu.to_string(), memory_mib: executable.memory.get() }),
        ..Default::default()
    }
}

fn parameter_message(parameter: Parameter) -> wire::Parameter {
    wire::Parameter {
        name: parameter.name.to_string(),
        description: parameter.description,
        default_value: parameter.default,
        exposed_as: parameter.exposed_as.map(String::from).unwrap_or_default(),
        ..Default::default()
    }
}

fn endpoint_message(endpoint: Endpoint) -> wire::Endpoint {
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
