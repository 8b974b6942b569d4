use super::fields::Fields;
use super::spelling::{RESTARTS, RUNTIMES};
use super::values::{read_exposed_name, read_secret_key};
use super::{depends, metadata, render};
use crate::wire;

/// Of a status only that is read that the deployment has been stopped: who applies what was shown before
/// does not mean to have it start anew.
pub(super) fn read(fields: &mut Fields<'_>) -> wire::Deployment {
    let (metadata, package) =
        metadata::read(fields, |fields| fields.required_map(("depends", "spec"), read_package));
    let (package_name, package_version) = package.flatten().unwrap_or_default();
    let spec = fields.required_map("spec", read_spec).unwrap_or_default();
    let stopped = fields.peek("status", "phase") == Some(render::phase(wire::Phase::Stopped));
    wire::Deployment {
        metadata: Some(metadata),
        spec: Some(wire::DeploymentSpec { package_name, package_version, ..spec }),
        status: stopped
            .then(|| wire::DeploymentStatus { phase: wire::Phase::Stopped.into(), ..Default::default() }),
    }
}

fn read_package(package: &mut Fields<'_>) -> (String, String) {
    let name = depends::required_name_of(package, &["package"], "package_name");
    (name, package.text(("version", "package_version")).unwrap_or_default())
}

fn read_spec(spec: &mut Fields<'_>) -> wire::DeploymentSpec {
    spec.not_yet("managedServices");
    wire::DeploymentSpec {
        runtime: spec.choice("runtime", &RUNTIMES).unwrap_or_default().into(),
        plan: spec.text("plan").unwrap_or_default(),
        env_args: spec.each("envArgs", read_env_arg),
        static_routes: spec.each("staticRoutes", read_static_route),
        volumes: spec.each("volumes", read_volume),
        backends: spec.lists_by_name("backends", "backends").into_iter().map(static_backends).collect(),
        depends: spec.each("depends", read_dependency),
        restart: spec.choice("restart", &RESTARTS).unwrap_or_default().into(),
        device: spec
            .map(("device", ""), |device| depends::read(device, &["device"], "device"))
            .flatten()
            .unwrap_or_default(),
        ros_networks: spec.each("rosNetworks", read_ros_network),
        features: spec.map("features", read_features),
        service_account: spec.text("serviceAccount").unwrap_or_default(),
        network_interface: spec.text("networkInterface").unwrap_or_default(),
        ..Default::default()
    }
}

fn read_env_arg(fields: &mut Fields<'_>) -> wire::EnvVar {
    wire::EnvVar {
        name: fields.required_text("name").unwrap_or_default(),
        value: fields.text("value").unwrap_or_default(),
        value_from: read_secret_key(fields),
        exposed_as: read_exposed_name(fields),
    }
}

fn read_dependency(fields: &mut Fields<'_>) -> wire::DeploymentDependency {
    wire::DeploymentDependency {
        deployment: depends::required_name_of(fields, &["deployment"], "deployment"),
        wait: fields.flag("wait").unwrap_or_default(),
    }
}

fn read_static_route(fields: &mut Fields<'_>) -> wire::StaticRouteBinding {
    fields.ignore("url");
    wire::StaticRouteBinding {
        endpoint: fields.text(("name", "endpoint")).unwrap_or_default(),
        static_route: depends::required(fields, &["staticroute", "static-route"], "static_route"),
    }
}

fn read_volume(fields: &mut Fields<'_>) -> wire::Volume {
    wire::Volume {
        executable: fields.text(("execName", "executable")).unwrap_or_default(),
        mount_path: fields.text("mountPath").unwrap_or_default(),
        sub_path: fields.text("subPath").unwrap_or_default(),
        disk: depends::read(fields, &["disk"], "disk").unwrap_or_default(),
        uid: fields.whole("uid", "the number of a user"),
        gid: fields.whole("gid", "the number of a group"),
        perm: fields.whole("perm", "the digits of a file's mode, like 755"),
    }
}

fn read_ros_network(fields: &mut Fields<'_>) -> wire::RosNetwork {
    wire::RosNetwork {
        network: depends::required(fields, &["network"], "network"),
        domain_id: fields.whole(("domainID", "domain_id"), "a whole number"),
        interface: fields.text("interface").unwrap_or_default(),
    }
}

fn read_features(features: &mut Fields<'_>) -> wire::Features {
    let params = features.map(("params", ""), |params| {
        params.leave_out("disableSync");
        let enabled = params.flag(("enabled", "params_enabled")).unwrap_or_default();
        let trees = params.texts(("trees", "params_trees"));
        let blocks = params.flag(("blockUntilSynced", "params_block_until_synced")).unwrap_or_default();
        (enabled, trees, blocks)
    });
    let (params_enabled, params_trees, params_block_until_synced) = params.unwrap_or_default();
    let vpn = features.map(("vpn", ""), |vpn| vpn.flag(("enabled", "vpn_enabled")));
    wire::Features {
        params_enabled,
        params_trees,
        params_block_until_synced,
        vpn_enabled: vpn.flatten().unwrap_or_default(),
    }
}

fn static_backends((endpoint, addresses): (String, Vec<String>)) -> wire::EndpointBackends {
    let backends = addresses.into_iter().map(|address| wire::Backend { address, unhealthy: false });
    wire::EndpointBackends { endpoint, backends: backends.collect() }
}
