//! Whether what is there is what a manifest declares, the control plane's defaults filled in.

use proto::SourceRanges;
use proto::wire::{self, BackendProtocol, EndpointType, RuntimeKind};

pub(super) fn packages(declared: &wire::Package, there: &wire::Package) -> bool {
    let normal = |package: &wire::Package| {
        let mut package = package.clone();
        package.metadata = package.metadata.map(own_metadata);
        package.plans.iter_mut().for_each(fill_plan);
        package
    };
    normal(declared) == normal(there)
}

pub(super) fn static_routes(declared: &wire::StaticRoute, there: &wire::StaticRoute) -> bool {
    let ranges = |route: &wire::StaticRoute| {
        let parsed = route.source_ranges.iter().map(|text| SourceRanges::parse_one(text));
        let mut ranges: Vec<_> = parsed.filter_map(Result::ok).collect();
        ranges.sort_unstable();
        ranges
    };
    own_labels(declared.metadata.as_ref()) == own_labels(there.metadata.as_ref())
        && ranges(declared) == ranges(there)
}

/// Static routes are left out of it: they move, and a manifest applied again does not move them back.
pub(super) fn deployments(declared: &wire::Deployment, there: &wire::Deployment) -> bool {
    let normal = |deployment: &wire::Deployment| {
        let mut spec = deployment.spec.clone().unwrap_or_default();
        spec.static_routes.clear();
        if declared.spec.as_ref().is_none_or(|spec| spec.plan.is_empty()) {
            spec.plan.clear();
        }
        spec.backends.retain(|set| !set.backends.is_empty());
        spec.backends.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
        for set in &mut spec.backends {
            for backend in &mut set.backends {
                let address = backend.address.parse::<proto::BackendAddr>();
                backend.address =
                    address.map_or_else(|_| backend.address.clone(), |address| address.to_string());
            }
            set.backends.sort_by(|a, b| a.address.cmp(&b.address));
        }
        (own_labels(deployment.metadata.as_ref()), spec)
    };
    normal(declared) == normal(there)
}

fn own_labels(metadata: Option<&wire::Metadata>) -> std::collections::HashMap<String, String> {
    metadata.map(|metadata| metadata.labels.clone()).unwrap_or_default()
}

/// What its author gave.
fn own_metadata(metadata: wire::Metadata) -> wire::Metadata {
    wire::Metadata { name: metadata.name, labels: metadata.labels, ..Default::default() }
}

fn fill_plan(plan: &mut wire::Plan) {
    plan.id.clear();
    if plan.name.is_empty() {
        plan.name = "default".to_owned();
    }
    for component in &mut plan.components {
        if component.runtime() == RuntimeKind::Unspecified {
            component.set_runtime(RuntimeKind::Cloud);
        }
        component.replicas = component.replicas.max(1);
        component.executables.iter_mut().for_each(fill_executable);
        component.endpoints.iter_mut().for_each(fill_endpoint);
    }
}

fn fill_executable(executable: &mut wire::Executable) {
    let limits = executable.limits.get_or_insert_default();
    let cpu = if limits.cpu.is_empty() { "0.1" } else { limits.cpu.as_str() };
    limits.cpu = cpu.parse::<f64>().map_or_else(|_| cpu.to_owned(), |cores| cores.to_string());
    if limits.memory_mib == 0 {
        limits.memory_mib = 512;
    }
}

fn fill_endpoint(endpoint: &mut wire::Endpoint) {
    if matches!(endpoint.r#type(), EndpointType::InternalTcpRange | EndpointType::InternalUdpRange) {
        endpoint.port_range = ports(&endpoint.port_range);
    } else {
        let usual = if endpoint.r#type() == EndpointType::ExternalHttp { 80 } else { 443 };
        endpoint.port = if endpoint.port == 0 { usual } else { endpoint.port };
        endpoint.target_port = if endpoint.target_port == 0 { endpoint.port } else { endpoint.target_port };
    }
    if endpoint.backend_protocol() == BackendProtocol::Http1 {
        endpoint.set_backend_protocol(BackendProtocol::Unspecified);
    }
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
        assert!(packages(&short, &long));
        let other = package("{name: W, type: external-http, targetPort: 8080}", "");
        assert!(!packages(&package("{name: W, type: external-http}", ""), &other));
    }

    #[test]
    fn a_moved_route_makes_no_difference_but_another_backend_does() {
        let deployment = |backends: &[&str], route: &str| wire::Deployment {
            spec: Some(wire::DeploymentSpec {
                static_routes: vec![wire::StaticRouteBinding {
                    static_route: route.into(),
                    endpoint: "W".into(),
                }],
                backends: vec![wire::EndpointBackends {
                    endpoint: "W".into(),
                    backends: backends
                        .iter()
                        .map(|address| wire::Backend { address: (*address).into(), unhealthy: false })
                        .collect(),
                }],
                ..Default::default()
            }),
            ..Default::default()
        };
        let declared = deployment(&["10.0.0.2:1", "10.0.0.1:1"], "a");
        assert!(deployments(&declared, &deployment(&["10.0.0.1:1", "10.0.0.2:1"], "b")));
        assert!(!deployments(&declared, &deployment(&["10.0.0.1:1"], "a")));
    }
}
