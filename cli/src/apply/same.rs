//! What is there and what a manifest declares in one form, so that only what differs in meaning differs:
//! what the platform gave is left out, the control plane's defaults are filled in.

use control::Offline;
use proto::SourceRanges;
use proto::wire::{self, RuntimeKind, secret::Data};

/// What a registry that is not named is.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

pub(super) fn package(package: &wire::Package) -> wire::Package {
    // What breaks a rule of ours keeps its form: the control plane, of another version, knows better.
    let filled = Offline::new(Vec::new()).package(package.clone());
    let mut package = filled.unwrap_or_else(|_| package.clone());
    package.metadata = package.metadata.map(own_metadata);
    for plan in &mut package.plans {
        plan.id.clear();
        for endpoint in plan.components.iter_mut().flat_map(|component| &mut component.endpoints) {
            endpoint.port_range = ports(&endpoint.port_range);
        }
    }
    package
}

/// A port range in one spelling: each port, ascending. Left alone when it is none.
fn ports(range: &str) -> String {
    let part = |part: &str| -> Option<Vec<u16>> {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some((from.trim().parse().ok()?..=to.trim().parse().ok()?).take(100).collect())
    };
    let Some(mut ports) = range.split(',').map(part).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
    else {
        return range.to_owned();
    };
    ports.sort_unstable();
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",")
}

pub(super) fn static_route(route: &wire::StaticRoute) -> wire::StaticRoute {
    let mut ranges: Vec<_> = route.source_ranges.iter().map(|text| one_spelling(text)).collect();
    ranges.sort_unstable();
    wire::StaticRoute {
        metadata: route.metadata.clone().map(own_metadata),
        source_ranges: ranges,
        ..Default::default()
    }
}

/// A range as the control plane spells it; left alone when it is none.
fn one_spelling(range: &str) -> String {
    SourceRanges::parse_one(range).map_or_else(|_| range.to_owned(), |range| range.to_string())
}

/// A secret without what it holds.
pub(super) fn secret(secret: &wire::Secret) -> wire::Secret {
    let mut secret = wire::Secret { metadata: secret.metadata.clone().map(own_metadata), ..secret.clone() };
    match &mut secret.data {
        Some(Data::Docker(docker)) => {
            docker.password.clear();
            if docker.registry.is_empty() {
                docker.registry = DOCKER_HUB.to_owned();
            }
        }
        Some(Data::Opaque(opaque)) => opaque.values.values_mut().for_each(String::clear),
        None => {}
    }
    secret
}

/// Whether it is the secret as it is shown: without what it holds.
pub(super) fn holds_nothing(secret: &wire::Secret) -> bool {
    match &secret.data {
        Some(Data::Docker(docker)) => docker.password.is_empty(),
        Some(Data::Opaque(opaque)) => opaque.values.values().all(String::is_empty),
        None => true,
    }
}

/// What is there, and what is wanted of it. What a manifest leaves to the control plane is as it is: which
/// plan and endpoint where there is but one; the static routes, unless the manifest `gives_routes`, for then
/// they are bound by other means.
pub(super) fn deployments(
    there: &wire::Deployment,
    declared: &wire::Deployment,
    gives_routes: bool,
) -> (wire::Deployment, wire::Deployment) {
    let (mut was, mut wanted) = (there.clone(), declared.clone());
    was.metadata = was.metadata.map(own_metadata);
    wanted.metadata = wanted.metadata.map(own_metadata);
    let (was_spec, spec) = (was.spec.get_or_insert_default(), wanted.spec.get_or_insert_default());
    for spec in [&mut *was_spec, &mut *spec] {
        fill_spec(spec);
    }
    leave_as_it_is(was_spec, spec, gives_routes);
    // Only its phase matters, for what can be done with it.
    wanted.status.clone_from(&was.status);
    (was, wanted)
}

fn leave_as_it_is(was: &wire::DeploymentSpec, spec: &mut wire::DeploymentSpec, gives_routes: bool) {
    if spec.plan.is_empty() {
        spec.plan.clone_from(&was.plan);
    }
    // The package says where it runs; here it is only repeated.
    if [spec.runtime(), was.runtime()].contains(&RuntimeKind::Unspecified) {
        spec.runtime = was.runtime;
    }
    if spec.restart() == wire::RestartPolicy::Unspecified {
        spec.restart = was.restart;
    }
    if spec.features.is_none() && was.features == Some(wire::Features::default()) {
        spec.features = was.features.clone();
    }
    if !gives_routes {
        spec.static_routes.clone_from(&was.static_routes);
    }
    for binding in spec.static_routes.iter_mut().filter(|binding| binding.endpoint.is_empty()) {
        let same = was.static_routes.iter().find(|it| it.static_route == binding.static_route);
        binding.endpoint = same.map(|it| it.endpoint.clone()).unwrap_or_default();
    }
}

fn fill_spec(spec: &mut wire::DeploymentSpec) {
    for binding in &mut spec.static_routes {
        let name = binding.static_route.split('.').next().unwrap_or_default().to_owned();
        binding.static_route = name;
    }
    spec.static_routes.sort_by(|a, b| a.static_route.cmp(&b.static_route));
    spec.env_args.sort_by(|a, b| a.name.cmp(&b.name));
    spec.depends.sort_by(|a, b| a.deployment.cmp(&b.deployment));
    spec.backends.retain(|set| !set.backends.is_empty());
    spec.backends.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
    for set in &mut spec.backends {
        for backend in &mut set.backends {
            let address = backend.address.parse::<proto::BackendAddr>();
            backend.address = address.map_or_else(|_| backend.address.clone(), |address| address.to_string());
        }
        set.backends.sort_by(|a, b| a.address.cmp(&b.address));
    }
}

/// What its author gave.
fn own_metadata(metadata: wire::Metadata) -> wire::Metadata {
    wire::Metadata { name: metadata.name, labels: metadata.labels, ..Default::default() }
}

#[cfg(test)]
mod tests {
    use proto::manifest::Object;

    use super::*;
    use crate::apply::manifests::built_in;

    fn package(endpoints: &str, more: &str) -> wire::Package {
        let text = format!(
            "{{apiVersion: api.rapyuta.io/v2, kind: Package, metadata: {{name: a, version: v1}}, \
             spec: {{executables: [{{name: e, docker: {{image: i}}{more}}}], endpoints: [{endpoints}]}}}}"
        );
        let declared = built_in("f", &text).unwrap().remove(0);
        let Object::Package(package) = declared.document.object else { panic!() };
        package
    }

    #[test]
    fn defaults_make_no_difference() {
        let short = package(
            "{name: W, type: external-http}, {name: R, type: internal-tcp-range, portRange: 5-7}",
            "",
        );
        let long = package(
            "{name: W, type: external-http, port: 80, targetPort: 80, backendProtocol: http1}, \
             {name: R, type: internal-tcp-range, portRange: '7,5-6'}",
            ", limits: {cpu: 0.100, memory: 512}",
        );
        assert_eq!(super::package(&short), super::package(&long));
        let other = package("{name: W, type: external-http, targetPort: 8080}", "");
        assert_ne!(super::package(&package("{name: W, type: external-http}", "")), super::package(&other));
    }

    fn deployment(backends: &[&str], routes: &[&str]) -> wire::Deployment {
        let backend = |address: &&str| wire::Backend { address: (*address).into(), unhealthy: false };
        let binding = |route: &&str| wire::StaticRouteBinding {
            static_route: (*route).into(),
            endpoint: String::new(),
        };
        let spec = wire::DeploymentSpec {
            static_routes: routes.iter().map(binding).collect(),
            backends: vec![wire::EndpointBackends {
                endpoint: "W".into(),
                backends: backends.iter().map(backend).collect(),
            }],
            ..Default::default()
        };
        wire::Deployment { spec: Some(spec), ..Default::default() }
    }

    fn differ(there: &wire::Deployment, declared: &wire::Deployment) -> bool {
        let gives_routes = declared.spec.iter().any(|spec| !spec.static_routes.is_empty());
        let (was, wanted) = deployments(there, declared, gives_routes);
        was != wanted
    }

    #[test]
    fn order_and_what_is_left_to_the_control_plane_make_no_difference() {
        let mut there = deployment(&["10.0.0.1:1", "10.0.0.2:1"], &["a", "b"]);
        let spec = there.spec.as_mut().unwrap();
        spec.plan = "default".into();
        spec.static_routes[0].endpoint = "W".into();
        assert!(!differ(&there, &deployment(&["10.0.0.2:1", "10.0.0.1:1"], &["b", "a.ep-r.io"])));
        assert!(!differ(&there, &deployment(&["10.0.0.2:1", "10.0.0.1:1"], &[])));
        assert!(differ(&there, &deployment(&["10.0.0.1:1"], &["a", "b"])));
        assert!(differ(&there, &deployment(&["10.0.0.2:1", "10.0.0.1:1"], &["a"])));
    }
}
