//! Deployments, in and out.

use proto::wire;

use super::package::{restart_in, restart_out, runtime_in, runtime_out, secret_key_out};
use super::{known, labels_in, labels_out, timestamp};
use crate::domain::deployment::{
    BindingDraft, DependencyDraft, Deployment, DeploymentDraft, EndpointBackendsDraft, EnvArgDraft, EnvVar,
    Features, RosNetwork, Settings, StoredBackend, ViewedDeployment, Volume, VolumeDraft,
};
use crate::domain::rules::Rules;
use crate::domain::{At, Faults};

mod report;
mod status;

pub(crate) use report::{phases_in, report_in};

/// The draft of a message, and what in it means nothing here. Who asks is for the caller to add.
pub(crate) fn draft(deployment: wire::Deployment) -> (DeploymentDraft, Faults) {
    let mut faults = Faults::new();
    let metadata = deployment.metadata.unwrap_or_default();
    let mut spec = deployment.spec.unwrap_or_default();
    let settings = settings_in(&mut spec, &mut faults);
    let depends = spec.depends.into_iter();
    let draft = DeploymentDraft {
        name: metadata.name,
        labels: labels_in(metadata.labels),
        creator: None,
        package_name: spec.package_name,
        package_version: spec.package_version,
        plan: spec.plan,
        env_args: spec.env_args.into_iter().map(env_arg_in).collect(),
        static_routes: spec.static_routes.into_iter().map(binding_in).collect(),
        volumes: spec.volumes.into_iter().map(volume_in).collect(),
        backends: spec.backends.into_iter().map(backends_in).collect(),
        depends: depends.map(|on| DependencyDraft { deployment: on.deployment, wait: on.wait }).collect(),
        settings,
    };
    (draft, faults)
}

fn settings_in(spec: &mut wire::DeploymentSpec, faults: &mut Faults) -> Settings {
    let at = At::named("spec");
    let runtime = known::<wire::RuntimeKind>(spec.runtime, at.field("runtime"), faults);
    let restart = known::<wire::RestartPolicy>(spec.restart, at.field("restart"), faults);
    let networks = std::mem::take(&mut spec.ros_networks).into_iter().map(|network| RosNetwork {
        network: network.network,
        domain_id: network.domain_id,
        interface: network.interface,
    });
    let features = spec.features.take().map(|features| Features {
        params_enabled: features.params_enabled,
        params_trees: features.params_trees,
        params_block_until_synced: features.params_block_until_synced,
        vpn_enabled: features.vpn_enabled,
    });
    Settings {
        runtime: runtime.and_then(runtime_in),
        restart: restart.and_then(restart_in),
        device: std::mem::take(&mut spec.device),
        ros_networks: networks.collect(),
        features,
        service_account: std::mem::take(&mut spec.service_account),
        network_interface: std::mem::take(&mut spec.network_interface),
    }
}

fn env_arg_in(var: wire::EnvVar) -> EnvArgDraft {
    EnvArgDraft {
        name: var.name,
        value: var.value,
        value_from: var.value_from.map(|from| (from.secret, from.key)),
        exposed_as: var.exposed_as,
    }
}

fn binding_in(binding: wire::StaticRouteBinding) -> BindingDraft {
    BindingDraft { static_route: binding.static_route, endpoint: binding.endpoint }
}

fn volume_in(volume: wire::Volume) -> VolumeDraft {
    VolumeDraft {
        executable: volume.executable,
        mount_path: volume.mount_path,
        disk: volume.disk,
        sub_path: volume.sub_path,
        uid: volume.uid,
        gid: volume.gid,
        perm: volume.perm,
    }
}

fn backends_in(backends: wire::EndpointBackends) -> EndpointBackendsDraft {
    let addresses = backends.backends.into_iter().map(|backend| (backend.address, !backend.unhealthy));
    EndpointBackendsDraft { endpoint: backends.endpoint, backends: addresses.collect() }
}

/// The message of a deployment, with all that is shown of it.
pub(crate) fn message(viewed: ViewedDeployment, rules: &Rules) -> wire::Deployment {
    let status = status::message(&viewed, rules);
    let deployment = viewed.deployment;
    let metadata = wire::Metadata {
        name: deployment.name.to_string(),
        guid: deployment.guid.to_string(),
        project: deployment.project.to_string(),
        labels: labels_out(deployment.labels.clone()),
        created_at: timestamp(deployment.created_at),
        updated_at: timestamp(deployment.updated_at),
        creator: deployment.creator.clone().map(String::from).unwrap_or_default(),
    };
    wire::Deployment { metadata: Some(metadata), spec: Some(spec(deployment)), status: Some(status) }
}

fn spec(deployment: Deployment) -> wire::DeploymentSpec {
    let fixed = deployment.endpoints.iter().filter(|endpoint| !endpoint.fixed.is_empty());
    let fixed = fixed.map(|endpoint| wire::EndpointBackends {
        endpoint: endpoint.name.to_string(),
        backends: endpoint.fixed.iter().map(backend_out).collect(),
    });
    let bindings = deployment.static_routes.iter().map(|binding| wire::StaticRouteBinding {
        static_route: binding.label.to_string(),
        endpoint: binding.endpoint.to_string(),
    });
    let depends = deployment
        .depends
        .into_iter()
        .map(|on| wire::DeploymentDependency { deployment: on.named, wait: on.wait });
    let settings = deployment.settings;
    wire::DeploymentSpec {
        package_name: deployment.package.name.to_string(),
        package_version: deployment.package.version.to_string(),
        plan: deployment.package.plan.to_string(),
        env_args: deployment.env_args.into_iter().map(var_out).collect(),
        static_routes: bindings.collect(),
        volumes: deployment.volumes.into_iter().map(volume_out).collect(),
        backends: fixed.collect(),
        depends: depends.collect(),
        restart: settings.restart.map(restart_out).unwrap_or_default().into(),
        device: settings.device,
        ros_networks: settings.ros_networks.into_iter().map(ros_network_out).collect(),
        features: settings.features.map(features_out),
        service_account: settings.service_account,
        network_interface: settings.network_interface,
        runtime: settings.runtime.map(runtime_out).unwrap_or_default().into(),
    }
}

fn volume_out(volume: Volume) -> wire::Volume {
    wire::Volume {
        executable: volume.executable.to_string(),
        mount_path: volume.mount_path,
        disk: volume.disk,
        sub_path: volume.sub_path,
        uid: volume.uid,
        gid: volume.gid,
        perm: volume.perm,
    }
}

fn ros_network_out(network: RosNetwork) -> wire::RosNetwork {
    wire::RosNetwork { network: network.network, domain_id: network.domain_id, interface: network.interface }
}

fn features_out(features: Features) -> wire::Features {
    wire::Features {
        params_enabled: features.params_enabled,
        params_trees: features.params_trees,
        params_block_until_synced: features.params_block_until_synced,
        vpn_enabled: features.vpn_enabled,
    }
}

fn backend_out(backend: &StoredBackend) -> wire::Backend {
    wire::Backend { address: backend.address.to_string(), unhealthy: !backend.healthy }
}

fn var_out(var: EnvVar) -> wire::EnvVar {
    wire::EnvVar {
        name: var.name.into(),
        value: var.value,
        value_from: var.value_from.map(secret_key_out),
        exposed_as: var.exposed_as.map(String::from).unwrap_or_default(),
    }
}
