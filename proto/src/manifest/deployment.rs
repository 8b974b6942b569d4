use super::fields::Fields;
use super::{read_metadata, render};
use crate::wire;

/// Of a status only that is read that the deployment has been stopped: who applies what was shown before
/// does not mean to have it start anew.
pub(super) fn read(fields: &mut Fields<'_>) -> wire::Deployment {
    let (metadata, package) =
        read_metadata(fields, |fields| fields.required_map(("depends", "spec"), read_package));
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

fn read_package(depends: &mut Fields<'_>) -> (String, String) {
    depends.choice("kind", &[("package", ())]);
    depends.ignore("guid");
    let name = name_or_guid(depends, "package_name");
    (name, depends.text(("version", "package_version")).unwrap_or_default())
}

/// The name in a `depends` block.
fn name_or_guid(depends: &mut Fields<'_>, wire: &str) -> String {
    if depends.has("nameOrGuid") {
        return depends.text(("nameOrGuid", wire)).unwrap_or_default();
    }
    depends.required_text(("nameOrGUID", wire)).unwrap_or_default()
}

fn read_spec(spec: &mut Fields<'_>) -> wire::DeploymentSpec {
    // The package says where it runs; here the real client wants it repeated.
    spec.choice("runtime", &[("cloud", ()), ("device", ())]);
    let read = wire::DeploymentSpec {
        plan: spec.text("plan").unwrap_or_default(),
        env_args: spec.each("envArgs", read_env_arg),
        static_routes: spec.each("staticRoutes", read_static_route),
        volumes: spec.each("volumes", read_volume),
        backends: spec.lists_by_name("backends", "backends").into_iter().map(static_backends).collect(),
        ..Default::default()
    };
    for elsewhere in ["depends", "managedServices"] {
        spec.not_yet(elsewhere);
    }
    for later in ["device", "restart", "rosNetworks", "networkInterface", "features", "serviceAccount"] {
        spec.leave_out(later);
    }
    read
}

fn read_env_arg(fields: &mut Fields<'_>) -> wire::EnvVar {
    fields.not_yet("valueFrom");
    fields.leave_out("exposed");
    fields.ignore("exposedName");
    wire::EnvVar {
        name: fields.required_text("name").unwrap_or_default(),
        value: fields.text("value").unwrap_or_default(),
        ..Default::default()
    }
}

fn read_static_route(fields: &mut Fields<'_>) -> wire::StaticRouteBinding {
    fields.ignore("url");
    let endpoint = fields.text(("name", "endpoint")).unwrap_or_default();
    let route = fields.required_map(("depends", ""), |depends| {
        depends.choice("kind", &[("staticroute", ()), ("static-route", ())]);
        depends.ignore("guid");
        name_or_guid(depends, "static_route")
    });
    wire::StaticRouteBinding { static_route: route.unwrap_or_default(), endpoint }
}

fn read_volume(fields: &mut Fields<'_>) -> wire::Volume {
    for of_devices in ["uid", "gid", "perm"] {
        fields.leave_out(of_devices);
    }
    let disk = fields.map(("depends", ""), |depends| {
        depends.choice("kind", &[("disk", ())]);
        depends.ignore("guid");
        name_or_guid(depends, "disk")
    });
    wire::Volume {
        executable: fields.text(("execName", "executable")).unwrap_or_default(),
        mount_path: fields.text("mountPath").unwrap_or_default(),
        sub_path: fields.text("subPath").unwrap_or_default(),
        disk: disk.unwrap_or_default(),
        ..Default::default()
    }
}

fn static_backends((endpoint, addresses): (String, Vec<String>)) -> wire::EndpointBackends {
    let backends = addresses.into_iter().map(|address| wire::Backend { address, unhealthy: false });
    wire::EndpointBackends { endpoint, backends: backends.collect() }
}
