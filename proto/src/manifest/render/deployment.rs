use serde_json::{Map, Value, json};

use super::executable::For;
use super::status::{deployment_status, injected_variables};
use super::writer::{
    depends, fields, metadata, put, put_flag, put_list, put_some, put_value_from, texts, timestamp,
};
use super::{Kind, Parts};
use crate::manifest::spelling::{RESTARTS, RUNTIMES, word};
use crate::wire::{self, RuntimeKind};

/// A deployment as a manifest, with its status.
pub fn deployment(deployment: &wire::Deployment) -> Value {
    parts(deployment, For::People).into_value()
}

pub(super) fn parts(deployment: &wire::Deployment, whom: For) -> Parts {
    let (nothing, idle) = (wire::DeploymentSpec::default(), wire::DeploymentStatus::default());
    let spec = deployment.spec.as_ref().unwrap_or(&nothing);
    let mut metadata = metadata(deployment.metadata.as_ref());
    let mut package = fields([("kind", json!("package")), ("nameOrGUID", json!(spec.package_name))]);
    put(&mut package, "version", &spec.package_version);
    metadata.insert("depends".to_owned(), package.into());
    if let Some(status) = &deployment.status {
        put_some(&mut metadata, "generation", (status.generation != 0).then_some(status.generation));
        put_some(&mut metadata, "deletedAt", timestamp(status.stopped_at.as_ref()));
    }
    let status = deployment.status.as_ref();
    Parts {
        kind: Kind::Deployment,
        metadata,
        spec: deployment_spec(spec, status.unwrap_or(&idle), whom),
        status: status.map(deployment_status).unwrap_or_default(),
    }
}

fn deployment_spec(
    spec: &wire::DeploymentSpec,
    status: &wire::DeploymentStatus,
    whom: For,
) -> Map<String, Value> {
    let mut out = Map::new();
    put_some(&mut out, "runtime", runtime(spec, whom));
    put(&mut out, "plan", &spec.plan);
    put_list(&mut out, "depends", spec.depends.iter().map(dependency).collect());
    if !spec.device.is_empty() {
        out.insert("device".to_owned(), json!({ "depends": depends("device", &spec.device) }));
    }
    put_some(&mut out, "restart", word(spec.restart(), &RESTARTS));
    let injected = if whom == For::Client { injected_variables(status) } else { Vec::new() };
    put_list(&mut out, "envArgs", spec.env_args.iter().map(env_var).chain(injected).collect());
    put_list(
        &mut out,
        "staticRoutes",
        spec.static_routes.iter().map(|it| binding(it, status, whom)).collect(),
    );
    put_list(&mut out, "volumes", spec.volumes.iter().map(volume).collect());
    let backends: Map<_, _> =
        spec.backends.iter().map(|set| (set.endpoint.clone(), addresses(set))).collect();
    if !backends.is_empty() {
        out.insert("backends".to_owned(), backends.into());
    }
    put_list(&mut out, "rosNetworks", spec.ros_networks.iter().map(ros_network).collect());
    put_some(&mut out, "features", spec.features.as_ref().map(features));
    put(&mut out, "serviceAccount", &spec.service_account);
    put(&mut out, "networkInterface", &spec.network_interface);
    out
}

/// The client wants to know where it runs, whether the author said it or not.
fn runtime(spec: &wire::DeploymentSpec, whom: For) -> Option<&'static str> {
    let otherwise = if spec.device.is_empty() { RuntimeKind::Cloud } else { RuntimeKind::Device };
    match spec.runtime() {
        RuntimeKind::Unspecified if whom == For::Client => word(otherwise, &RUNTIMES),
        said => word(said, &RUNTIMES),
    }
}

fn dependency(dependency: &wire::DeploymentDependency) -> Value {
    let mut out = fields([("kind", json!("deployment")), ("nameOrGUID", json!(dependency.deployment))]);
    put_flag(&mut out, "wait", dependency.wait);
    out.into()
}

pub(super) fn env_var(variable: &wire::EnvVar) -> Value {
    let mut out = fields([("name", json!(variable.name))]);
    if variable.value_from.is_none() || !variable.value.is_empty() {
        out.insert("value".to_owned(), json!(variable.value));
    }
    put_value_from(&mut out, variable.value_from.as_ref(), &variable.exposed_as);
    out.into()
}

fn binding(binding: &wire::StaticRouteBinding, status: &wire::DeploymentStatus, whom: For) -> Value {
    let mut out = fields([("depends", depends("staticroute", &binding.static_route))]);
    put(&mut out, "name", &binding.endpoint);
    if whom == For::Client {
        put(&mut out, "url", host_of(binding, status));
    }
    out.into()
}

/// The host name a static route has at the endpoint it leads to.
fn host_of<'s>(binding: &wire::StaticRouteBinding, status: &'s wire::DeploymentStatus) -> &'s str {
    let hosts = status.endpoints.iter().flat_map(|endpoint| &endpoint.static_hosts);
    let is_its = |host: &&String| {
        let rest = host.strip_prefix(binding.static_route.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    hosts.into_iter().find(is_its).map_or("", String::as_str)
}

fn volume(volume: &wire::Volume) -> Value {
    let mut out = Map::new();
    put(&mut out, "execName", &volume.executable);
    put(&mut out, "mountPath", &volume.mount_path);
    put(&mut out, "subPath", &volume.sub_path);
    put_some(&mut out, "uid", volume.uid);
    put_some(&mut out, "gid", volume.gid);
    put_some(&mut out, "perm", volume.perm);
    if !volume.disk.is_empty() {
        out.insert("depends".to_owned(), depends("disk", &volume.disk));
    }
    out.into()
}

fn addresses(set: &wire::EndpointBackends) -> Value {
    set.backends.iter().map(|backend| json!(backend.address)).collect()
}

fn ros_network(network: &wire::RosNetwork) -> Value {
    let mut out = fields([("depends", depends("network", &network.network))]);
    put_some(&mut out, "domainID", network.domain_id);
    put(&mut out, "interface", &network.interface);
    out.into()
}

fn features(features: &wire::Features) -> Value {
    let mut params = fields([("enabled", json!(features.params_enabled))]);
    put_list(&mut params, "trees", texts(&features.params_trees));
    put_flag(&mut params, "blockUntilSynced", features.params_block_until_synced);
    json!({ "params": params, "vpn": { "enabled": features.vpn_enabled } })
}
