//! Deployments, in and out.

use proto::{Hostname, wire};

use super::package::endpoint_type_out;
use super::{known, labels_in, labels_out, timestamp};
use crate::domain::deployment::{
    BindingDraft, DeployedEndpoint, Deployment, DeploymentDraft, EndpointBackendsDraft, EnvVar, Phase,
    ReportDraft, Status, StoredBackend, VolumeDraft,
};
use crate::domain::environment::{best_label, environment};
use crate::domain::label::url;
use crate::domain::package::EndpointType;
use crate::domain::rules::Rules;
use crate::domain::{At, Faults};
use crate::service::ReportAsked;

/// The draft of a message.
pub(crate) fn draft(deployment: wire::Deployment) -> DeploymentDraft {
    let metadata = deployment.metadata.unwrap_or_default();
    let spec = deployment.spec.unwrap_or_default();
    let volume = |volume: wire::Volume| VolumeDraft {
        executable: volume.executable,
        mount_path: volume.mount_path,
        disk: volume.disk,
        sub_path: volume.sub_path,
    };
    let binding = |binding: wire::StaticRouteBinding| BindingDraft {
        static_route: binding.static_route,
        endpoint: binding.endpoint,
    };
    DeploymentDraft {
        name: metadata.name,
        labels: labels_in(metadata.labels),
        package_name: spec.package_name,
        package_version: spec.package_version,
        plan: spec.plan,
        env_args: spec.env_args.into_iter().map(|var| (var.name, var.value)).collect(),
        static_routes: spec.static_routes.into_iter().map(binding).collect(),
        volumes: spec.volumes.into_iter().map(volume).collect(),
        backends: spec.backends.into_iter().map(backends_in).collect(),
    }
}

fn backends_in(backends: wire::EndpointBackends) -> EndpointBackendsDraft {
    let addresses = backends.backends.into_iter().map(|backend| (backend.address, !backend.unhealthy));
    EndpointBackendsDraft { endpoint: backends.endpoint, backends: addresses.collect() }
}

/// The phases of a filter, noting those that mean nothing here.
pub(crate) fn phases_in(phases: &[i32]) -> (Vec<Phase>, Faults) {
    let mut faults = Faults::new();
    let list = At::named("phases");
    let phases = phases.iter().enumerate();
    let phases = phases.filter_map(|(i, phase)| phase_in(known(*phase, list.index(i), &mut faults)?));
    (phases.collect(), faults)
}

/// What a runtime says, noting what means nothing here.
pub(crate) fn report_in(report: wire::ReportDeploymentRequest) -> (ReportAsked, Faults) {
    let mut faults = Faults::new();
    let phase = known(report.phase, "phase", &mut faults).and_then(phase_in);
    let status = known(report.status, "status", &mut faults).and_then(status_in);
    let draft = ReportDraft {
        phase,
        status,
        backends: report.backends.into_iter().map(backends_in).collect(),
        error_codes: report.error_codes,
        message: report.message,
    };
    (ReportAsked { lease: report.lease_id, deployment: report.deployment, report: draft }, faults)
}

fn phase_in(phase: wire::Phase) -> Option<Phase> {
    match phase {
        wire::Phase::Unspecified => None,
        wire::Phase::InProgress => Some(Phase::InProgress),
        wire::Phase::Provisioning => Some(Phase::Provisioning),
        wire::Phase::Succeeded => Some(Phase::Succeeded),
        wire::Phase::FailedToUpdate => Some(Phase::FailedToUpdate),
        wire::Phase::FailedToStart => Some(Phase::FailedToStart),
        wire::Phase::Stopped => Some(Phase::Stopped),
    }
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

fn status_in(status: wire::Status) -> Option<Status> {
    match status {
        wire::Status::Unspecified => None,
        wire::Status::Running => Some(Status::Running),
        wire::Status::Pending => Some(Status::Pending),
        wire::Status::Error => Some(Status::Error),
        wire::Status::Unknown => Some(Status::Unknown),
        wire::Status::Stopped => Some(Status::Stopped),
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

/// The message of a deployment, with what follows from it: environment, hosts, URLs.
pub(crate) fn message(deployment: Deployment, rules: &Rules) -> wire::Deployment {
    let status = deployment_status(&deployment, rules);
    let fixed = deployment.endpoints.iter().filter(|endpoint| !endpoint.fixed.is_empty());
    let spec = wire::DeploymentSpec {
        package_name: deployment.package.name.to_string(),
        package_version: deployment.package.version.to_string(),
        plan: deployment.package.plan.to_string(),
        env_args: deployment.env_args.into_iter().map(var_out).collect(),
        static_routes: deployment
            .static_routes
            .iter()
            .map(|binding| wire::StaticRouteBinding {
                static_route: binding.label.to_string(),
                endpoint: binding.endpoint.to_string(),
            })
            .collect(),
        volumes: deployment
            .volumes
            .into_iter()
            .map(|volume| wire::Volume {
                executable: volume.executable.to_string(),
                mount_path: volume.mount_path,
                disk: volume.disk,
                sub_path: volume.sub_path,
                ..Default::default()
            })
            .collect(),
        backends: fixed
            .map(|endpoint| wire::EndpointBackends {
                endpoint: endpoint.name.to_string(),
                backends: endpoint.fixed.iter().map(backend_out).collect(),
            })
            .collect(),
        ..Default::default()
    };
    let metadata = wire::Metadata {
        name: deployment.name.to_string(),
        guid: deployment.guid.to_string(),
        project: deployment.project.to_string(),
        labels: labels_out(deployment.labels),
        created_at: timestamp(deployment.created_at),
        updated_at: timestamp(deployment.updated_at),
        ..Default::default()
    };
    wire::Deployment { metadata: Some(metadata), spec: Some(spec), status: Some(status) }
}

fn deployment_status(deployment: &Deployment, rules: &Rules) -> wire::DeploymentStatus {
    let environment = rules.domains.first().map(|domain| environment(deployment, domain, rules.ports));
    let endpoints = deployment.endpoints.iter();
    wire::DeploymentStatus {
        phase: phase_out(deployment.phase).into(),
        status: status_out(deployment.status).into(),
        generation: deployment.generation,
        endpoints: endpoints.map(|endpoint| endpoint_status(deployment, endpoint, rules)).collect(),
        environment: environment.unwrap_or_default().into_iter().map(var_out).collect(),
        error_codes: deployment.error_codes.iter().map(|code| code.as_str().to_owned()).collect(),
        message: deployment.message.clone(),
        ..Default::default()
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

fn backend_out(backend: &StoredBackend) -> wire::Backend {
    wire::Backend { address: backend.address.to_string(), unhealthy: !backend.healthy }
}

fn var_out(var: EnvVar) -> wire::EnvVar {
    wire::EnvVar { name: var.name.into(), value: var.value, ..Default::default() }
}
