//! Packages, in and out.

use proto::wire;

use super::{known, labels_in, labels_out, timestamp};
use crate::domain::package::{
    Component, ComponentDraft, Package, PackageDraft, Parameter, ParameterDraft, Plan, PlanDraft, Runtime,
};
use crate::domain::{At, Faults, SecretKey};

mod device;
mod endpoint;
mod executable;
mod probe;
mod ros;
#[cfg(test)]
mod tests;

pub(crate) use device::{restart_in, restart_out};
pub(crate) use endpoint::endpoint_type_out;

/// The draft of a message, and what in it means nothing here. Who asks is for the caller to add.
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
        creator: None,
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
    let (executables, endpoints) = (at.field("executables"), at.field("endpoints"));
    ComponentDraft {
        name: component.name,
        runtime: runtime_in(runtime.unwrap_or_default()).unwrap_or_default(),
        executables: executable::drafts(component.executables, &executables, faults),
        parameters: component.parameters.into_iter().map(parameter_draft).collect(),
        endpoints: endpoint::drafts(component.endpoints, &endpoints, faults),
        replicas: component.replicas,
        device: device::draft(component.device.unwrap_or_default(), &at.field("device"), faults),
        ros: ros::draft(component.ros.unwrap_or_default(), &at.field("ros"), faults),
        host_pid: component.host_pid,
    }
}

/// None when nothing was said.
pub(crate) fn runtime_in(runtime: wire::RuntimeKind) -> Option<Runtime> {
    match runtime {
        wire::RuntimeKind::Unspecified => None,
        wire::RuntimeKind::Cloud => Some(Runtime::Cloud),
        wire::RuntimeKind::Device => Some(Runtime::Device),
    }
}

pub(crate) fn runtime_out(runtime: Runtime) -> wire::RuntimeKind {
    match runtime {
        Runtime::Cloud => wire::RuntimeKind::Cloud,
        Runtime::Device => wire::RuntimeKind::Device,
    }
}

fn parameter_draft(parameter: wire::Parameter) -> ParameterDraft {
    ParameterDraft {
        name: parameter.name,
        description: parameter.description,
        default: parameter.default_value,
        exposed_as: parameter.exposed_as,
        value_from: parameter.value_from.map(|from| (from.secret, from.key)),
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
            creator: package.creator.map(String::from).unwrap_or_default(),
        }),
        version: package.version.to_string(),
        description: package.description,
        plans: package.plans.into_iter().map(plan_message).collect(),
    }
}

/// The message of a plan.
pub(crate) fn plan_message(plan: Plan) -> wire::Plan {
    wire::Plan {
        name: plan.name.to_string(),
        id: plan.id.to_string(),
        components: plan.components.into_iter().map(component_message).collect(),
    }
}

fn component_message(component: Component) -> wire::Component {
    let device = component.device();
    wire::Component {
        name: component.name.to_string(),
        runtime: runtime_out(component.runtime).into(),
        executables: component.executables.into_iter().map(executable::message).collect(),
        parameters: component.parameters.into_iter().map(parameter_message).collect(),
        endpoints: component.endpoints.into_iter().map(endpoint::message).collect(),
        // A device has no number of them to tell.
        replicas: if component.runtime == Runtime::Cloud { component.replicas } else { 0 },
        device: device.map(device::message),
        ros: component.ros.map(ros::message),
        host_pid: component.host_pid,
    }
}

fn parameter_message(parameter: Parameter) -> wire::Parameter {
    wire::Parameter {
        name: parameter.name.to_string(),
        description: parameter.description,
        default_value: parameter.default,
        exposed_as: parameter.exposed_as.map(String::from).unwrap_or_default(),
        value_from: parameter.value_from.map(secret_key_out),
    }
}

pub(crate) fn secret_key_out(from: SecretKey) -> wire::SecretKey {
    wire::SecretKey { secret: from.secret.to_string(), key: from.key }
}
