use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::API_VERSIONS;
use super::package::{BACKEND_PROTOCOLS, ENDPOINT_TYPES, ONLY_COMPONENT, RUNTIMES};
use crate::wire;

/// A package as a manifest; the short form when one plan with one component says it all.
pub fn package(package: &wire::Package) -> Value {
    let mut metadata = metadata(package.metadata.as_ref());
    put(&mut metadata, "version", &package.version);
    put(&mut metadata, "description", &package.description);
    let spec = match package.plans.as_slice() {
        [plan] if is_default(&plan.name) => match plan.components.as_slice() {
            [only] if only.name == ONLY_COMPONENT => component_body(only),
            components => fields([("components", list(components, component))]),
        },
        plans => fields([("plans", list(plans, plan))]),
    };
    document("Package", metadata, spec, Map::new())
}

/// A static route as a manifest.
pub fn static_route(route: &wire::StaticRoute) -> Value {
    let mut spec = Map::new();
    put(&mut spec, "url", &route.hostname);
    put_list(&mut spec, "sourceIPRange", route.source_ranges.iter().map(|range| json!(range)).collect());
    let mut status =
        fields([("status", json!(if route.bound_to.is_some() { "Unavailable" } else { "Available" }))]);
    if let Some(bound) = &route.bound_to {
        put(&mut status, "deploymentID", &bound.deployment_guid);
        put(&mut status, "deployment", &bound.deployment_name);
        put(&mut status, "endpoint", &bound.endpoint);
    }
    document("StaticRoute", metadata(route.metadata.as_ref()), spec, status)
}

/// A deployment as a manifest, with its status.
pub fn deployment(deployment: &wire::Deployment) -> Value {
    let spec = deployment.spec.clone().unwrap_or_default();
    let mut metadata = metadata(deployment.metadata.as_ref());
    let depends = fields([
        ("kind", json!("package")),
        ("nameOrGUID", json!(spec.package_name)),
        ("version", json!(spec.package_version)),
    ]);
    metadata.insert("depends".to_owned(), depends.into());
    let status = deployment.status.as_ref().map(deployment_status).unwrap_or_default();
    document("Deployment", metadata, deployment_spec(&spec), status)
}

fn document(
    kind: &str,
    metadata: Map<String, Value>,
    spec: Map<String, Value>,
    status: Map<String, Value>,
) -> Value {
    let mut document = fields([
        ("apiVersion", json!(API_VERSIONS[0])),
        ("kind", json!(kind)),
        ("metadata", metadata.into()),
        ("spec", spec.into()),
    ]);
    if !status.is_empty() {
        document.insert("status".to_owned(), status.into());
    }
    document.into()
}

fn metadata(metadata: Option<&wire::Metadata>) -> Map<String, Value> {
    let Some(metadata) = metadata else { return Map::new() };
    let mut out = Map::new();
    put(&mut out, "name", &metadata.name);
    put(&mut out, "guid", &metadata.guid);
    put(&mut out, "projectGUID", &metadata.project);
    if !metadata.labels.is_empty() {
        let labels: BTreeMap<_, _> = metadata.labels.iter().collect();
        out.insert("labels".to_owned(), json!(labels));
    }
    for (name, at) in [("createdAt", &metadata.created_at), ("updatedAt", &metadata.updated_at)] {
        if let Some(at) = at {
            put(&mut out, name, &at.to_string());
        }
    }
    out
}

fn plan(plan: &wire::Plan) -> Value {
    let mut out = Map::new();
    put(&mut out, "name", &plan.name);
    put(&mut out, "id", &plan.id);
    out.insert("components".to_owned(), list(&plan.components, component));
    out.into()
}

fn component(component: &wire::Component) -> Value {
    let mut out = component_body(component);
    put(&mut out, "name", &component.name);
    out.into()
}

fn component_body(component: &wire::Component) -> Map<String, Value> {
    let mut out = fields([("runtime", json!(word(component.runtime(), &RUNTIMES).unwrap_or("cloud")))]);
    if component.replicas != 0 {
        out.insert("cloud".to_owned(), json!({ "replicas": component.replicas }));
    }
    put_list(&mut out, "executables", component.executables.iter().map(executable).collect());
    put_list(&mut out, "environmentVars", component.parameters.iter().map(parameter).collect());
    put_list(&mut out, "endpoints", component.endpoints.iter().map(endpoint).collect());
    out
}

fn executable(executable: &wire::Executable) -> Value {
    use wire::executable::Kind;
    let mut out = Map::new();
    put(&mut out, "name", &executable.name);
    let mut command = Vec::new();
    match &executable.kind {
        Some(Kind::Docker(docker)) => {
            let mut image = Map::new();
            put(&mut image, "image", &docker.image);
            if !docker.pull_secret.is_empty() {
                let depends = json!({ "depends": { "kind": "secret", "nameOrGUID": docker.pull_secret } });
                image.insert("pullSecret".to_owned(), depends);
            }
            out.insert("type".to_owned(), json!("docker"));
            out.insert("docker".to_owned(), image.into());
            command.clone_from(&docker.command);
        }
        Some(Kind::Build(build)) => {
            out.insert("type".to_owned(), json!("build"));
            out.insert("build".to_owned(), json!({ "name": build.build }));
            command.clone_from(&build.command);
        }
        Some(Kind::Bash(bash)) => {
            out.insert("type".to_owned(), json!("preInstalled"));
            command.push(bash.command.clone());
        }
        None => {}
    }
    put_list(&mut out, "command", command.into_iter().map(Value::from).collect());
    if let Some(limits) = &executable.limits {
        let mut written = Map::new();
        if !limits.cpu.is_empty() {
            let number = limits.cpu.parse::<f64>().map_or_else(|_| json!(limits.cpu), |cpu| json!(cpu));
            written.insert("cpu".to_owned(), number);
        }
        if limits.memory_mib != 0 {
            written.insert("memory".to_owned(), json!(limits.memory_mib));
        }
        out.insert("limits".to_owned(), written.into());
    }
    out.into()
}

fn parameter(parameter: &wire::Parameter) -> Value {
    let mut out = Map::new();
    put(&mut out, "name", &parameter.name);
    put(&mut out, "description", &parameter.description);
    if let Some(default) = &parameter.default_value {
        out.insert("default".to_owned(), json!(default));
    }
    if !parameter.exposed_as.is_empty() {
        out.insert("exposed".to_owned(), json!(true));
        put(&mut out, "exposedName", &parameter.exposed_as);
    }
    out.into()
}

fn endpoint(endpoint: &wire::Endpoint) -> Value {
    let mut out = Map::new();
    put(&mut out, "name", &endpoint.name);
    put(&mut out, "type", word(endpoint.r#type(), &ENDPOINT_TYPES).unwrap_or_default());
    for (name, port) in [("port", endpoint.port), ("targetPort", endpoint.target_port)] {
        if port != 0 {
            out.insert(name.to_owned(), json!(port));
        }
    }
    put(&mut out, "portRange", &endpoint.port_range);
    put(
        &mut out,
        "backendProtocol",
        word(endpoint.backend_protocol(), &BACKEND_PROTOCOLS).unwrap_or_default(),
    );
    out.into()
}

fn deployment_spec(spec: &wire::DeploymentSpec) -> Map<String, Value> {
    let mut out = Map::new();
    put(&mut out, "plan", &spec.plan);
    put_list(&mut out, "envArgs", spec.env_args.iter().map(env_var).collect());
    let bindings = spec.static_routes.iter().map(|binding| {
        let mut written =
            fields([("depends", json!({ "kind": "staticroute", "nameOrGUID": binding.static_route }))]);
        put(&mut written, "name", &binding.endpoint);
        written.into()
    });
    put_list(&mut out, "staticRoutes", bindings.collect());
    let volumes = spec.volumes.iter().map(|volume| {
        let mut written = Map::new();
        put(&mut written, "execName", &volume.executable);
        put(&mut written, "mountPath", &volume.mount_path);
        put(&mut written, "subPath", &volume.sub_path);
        if !volume.disk.is_empty() {
            written.insert("depends".to_owned(), json!({ "kind": "disk", "nameOrGUID": volume.disk }));
        }
        written.into()
    });
    put_list(&mut out, "volumes", volumes.collect());
    let backends: Map<_, _> =
        spec.backends.iter().map(|set| (set.endpoint.clone(), addresses(set))).collect();
    if !backends.is_empty() {
        out.insert("backends".to_owned(), backends.into());
    }
    out
}

fn addresses(set: &wire::EndpointBackends) -> Value {
    set.backends.iter().map(|backend| json!(backend.address)).collect()
}

fn deployment_status(status: &wire::DeploymentStatus) -> Map<String, Value> {
    let mut out = fields([("generation", json!(status.generation))]);
    put(&mut out, "phase", phase(status.phase()));
    put(&mut out, "status", self::status(status.status()));
    put(&mut out, "message", &status.message);
    put_list(&mut out, "error_codes", status.error_codes.iter().map(|code| json!(code)).collect());
    put_list(&mut out, "endpoints", status.endpoints.iter().map(endpoint_status).collect());
    put_list(&mut out, "environment", status.environment.iter().map(env_var).collect());
    out
}

fn endpoint_status(endpoint: &wire::EndpointStatus) -> Value {
    let mut out = Map::new();
    put(&mut out, "name", &endpoint.name);
    put(&mut out, "type", word(endpoint.r#type(), &ENDPOINT_TYPES).unwrap_or_default());
    put(&mut out, "url", &endpoint.url);
    put(&mut out, "randomHost", &endpoint.random_host);
    put_list(&mut out, "staticHosts", endpoint.static_hosts.iter().map(|host| json!(host)).collect());
    let backends = endpoint.backends.iter();
    let backends =
        backends.map(|backend| json!({ "address": backend.address, "healthy": !backend.unhealthy }));
    put_list(&mut out, "backends", backends.collect());
    out.into()
}

/// A phase as the real client spells it; empty when it is not known.
pub fn phase(phase: wire::Phase) -> &'static str {
    match phase {
        wire::Phase::Unspecified => "",
        wire::Phase::InProgress => "InProgress",
        wire::Phase::Provisioning => "Provisioning",
        wire::Phase::Succeeded => "Succeeded",
        wire::Phase::FailedToUpdate => "FailedToUpdate",
        wire::Phase::FailedToStart => "FailedToStart",
        wire::Phase::Stopped => "Stopped",
    }
}

/// A status as the real client spells it; empty when it is not known.
pub fn status(status: wire::Status) -> &'static str {
    match status {
        wire::Status::Unspecified => "",
        wire::Status::Running => "Running",
        wire::Status::Pending => "Pending",
        wire::Status::Error => "Error",
        wire::Status::Unknown => "Unknown",
        wire::Status::Stopped => "Stopped",
    }
}

fn env_var(variable: &wire::EnvVar) -> Value {
    json!({ "name": variable.name, "value": variable.value })
}

fn is_default(name: &str) -> bool {
    name.is_empty() || name == "default"
}

fn word<T: Copy + PartialEq>(value: T, words: &[(&'static str, T)]) -> Option<&'static str> {
    words.iter().find(|(_, known)| *known == value).map(|(word, _)| *word)
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn list<T>(items: &[T], each: impl Fn(&T) -> Value) -> Value {
    items.iter().map(each).collect()
}

/// Writes a text unless it is empty.
fn put(out: &mut Map<String, Value>, name: &str, text: &str) {
    if !text.is_empty() {
        out.insert(name.to_owned(), json!(text));
    }
}

/// Writes a list unless it is empty.
fn put_list(out: &mut Map<String, Value>, name: &str, items: Vec<Value>) {
    if !items.is_empty() {
        out.insert(name.to_owned(), items.into());
    }
}
