//! How deployments do, as messages.

use proto::{Hostname, wire};

use super::{backend_out, var_out};
use crate::convert::package::endpoint_type_out;
use crate::convert::timestamp;
use crate::domain::deployment::{
    DependencyStatus, DeployedEndpoint, Deployment, ErrorCode, Event, ExecutableState, ExecutableStatus,
    Phase, Status, ViewedDeployment,
};
use crate::domain::environment::best_label;
use crate::domain::label::url;
use crate::domain::package::EndpointType;
use crate::domain::rules::Rules;

pub(super) fn message(viewed: &ViewedDeployment, rules: &Rules) -> wire::DeploymentStatus {
    let deployment = &viewed.deployment;
    let endpoints = deployment.endpoints.iter();
    wire::DeploymentStatus {
        phase: phase_out(deployment.phase).into(),
        status: status_out(deployment.status).into(),
        generation: deployment.generation,
        endpoints: endpoints.map(|endpoint| endpoint_status(deployment, endpoint, rules)).collect(),
        environment: viewed.environment.iter().cloned().map(var_out).collect(),
        error_codes: codes(&viewed.error_codes),
        message: deployment.message.clone(),
        executables: deployment.executables.iter().map(executable_status).collect(),
        dependencies: viewed.dependencies.iter().map(dependency_status).collect(),
        events: deployment.events.iter().map(event).collect(),
        stopped_at: deployment.stopped_at.and_then(timestamp),
    }
}

fn endpoint_status(
    deployment: &Deployment,
    endpoint: &DeployedEndpoint,
    rules: &Rules,
) -> wire::EndpointStatus {
    let host = |label: crate::domain::Label| -> Option<Hostname> { label.under(rules.domains.first()?) };
    let random = endpoint.random.as_ref().and_then(|random| host(random.as_label()));
    let bound = deployment.static_routes.iter().filter(|binding| binding.endpoint == endpoint.name);
    let best = best_label(deployment, endpoint).and_then(host);
    let shown = endpoint.kind.external().zip(best).map(|(protocol, host)| url(protocol, &host, rules.ports));
    let reported = endpoint.reported.iter().flat_map(|reported| &reported.backends);
    wire::EndpointStatus {
        name: endpoint.name.to_string(),
        r#type: endpoint_type_out(EndpointType::of(&endpoint.kind)).into(),
        random_host: random.map(|host| host.to_string()).unwrap_or_default(),
        static_hosts: bound.filter_map(|b| host(b.label.as_label())).map(|host| host.to_string()).collect(),
        url: shown.unwrap_or_default(),
        backends: endpoint.fixed.iter().chain(reported).map(backend_out).collect(),
    }
}

fn executable_status(executable: &ExecutableStatus) -> wire::ExecutableStatus {
    wire::ExecutableStatus {
        name: executable.name.to_string(),
        image: executable.image.clone(),
        state: state_out(executable.state).into(),
        error_code: executable.error_code.map(|code| code.as_str().to_owned()).unwrap_or_default(),
        reason: executable.reason.clone(),
        restart_count: executable.restart_count,
        exit_code: executable.exit_code,
        image_bytes: executable.image_bytes,
    }
}

fn dependency_status(on: &DependencyStatus) -> wire::DependencyStatus {
    wire::DependencyStatus {
        name: on.name.as_ref().map(ToString::to_string).unwrap_or_default(),
        guid: on.guid.to_string(),
        phase: phase_out(on.phase).into(),
        status: status_out(on.status).into(),
        error_codes: codes(&on.error_codes),
    }
}

fn event(event: &Event) -> wire::Event {
    wire::Event { at: timestamp(event.at), message: event.message.clone() }
}

fn codes(codes: &[ErrorCode]) -> Vec<String> {
    codes.iter().map(|code| code.as_str().to_owned()).collect()
}

fn phase_out(phase: Phase) -> wire::Phase {
    match phase {
        Phase::InProgress => wire::Phase::InProgress,
        Phase::Provisioning => wire::Phase::Provisioning,
        Phase::Succeeded => wire::Phase::Succeeded,
        Phase::FailedToUpdate => wire::Phase::FailedToUpdate,
        Phase::FailedToStart => wire::Phase::FailedToStart,
        Phase::Stopped => wire::Phase::Stopped,
    }
}

fn status_out(status: Status) -> wire::Status {
    match status {
        Status::Running => wire::Status::Running,
        Status::Pending => wire::Status::Pending,
        Status::Error => wire::Status::Error,
        Status::Unknown => wire::Status::Unknown,
        Status::Stopped => wire::Status::Stopped,
    }
}

fn state_out(state: ExecutableState) -> wire::ExecutableState {
    match state {
        ExecutableState::Running => wire::ExecutableState::Running,
        ExecutableState::Pending => wire::ExecutableState::Pending,
        ExecutableState::Error => wire::ExecutableState::Error,
        ExecutableState::Terminating => wire::ExecutableState::Terminating,
        ExecutableState::Terminated => wire::ExecutableState::Terminated,
        ExecutableState::Unknown => wire::ExecutableState::Unknown,
    }
}
