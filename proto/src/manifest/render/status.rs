//! What became of a deployment. The client's model of a status passes over what it does not know, so ours
//! may say more.

use serde_json::{Map, Value, json};

use super::deployment::env_var;
use super::writer::{fields, put, put_list, put_some, texts, timestamp};
use crate::manifest::injected::injected;
use crate::manifest::spelling::{ENDPOINT_TYPES, EXECUTABLE_STATES, PHASES, STATUSES, word};
use crate::wire;

pub(super) fn deployment_status(status: &wire::DeploymentStatus) -> Map<String, Value> {
    let mut out = fields([("generation", json!(status.generation))]);
    put_some(&mut out, "phase", word(status.phase(), &PHASES));
    put_some(&mut out, "status", word(status.status(), &STATUSES));
    put(&mut out, "message", &status.message);
    put_list(&mut out, "error_codes", texts(&status.error_codes));
    let executables: Map<String, Value> =
        status.executables.iter().map(|it| (it.name.clone(), executable(it))).collect();
    put_some(&mut out, "executables_status", (!executables.is_empty()).then_some(executables));
    if !status.dependencies.is_empty() {
        let deployments: Value = status.dependencies.iter().map(dependency).collect();
        out.insert("dependencies".to_owned(), json!({ "deployments": deployments }));
    }
    put_list(&mut out, "endpoints", status.endpoints.iter().map(endpoint).collect());
    put_list(&mut out, "environment", status.environment.iter().map(env_var).collect());
    put_list(&mut out, "events", status.events.iter().map(event).collect());
    out
}

/// The variables that tell where endpoints are, which the client looks for among `envArgs`.
pub(super) fn injected_variables(status: &wire::DeploymentStatus) -> Vec<Value> {
    injected(&status.environment).into_iter().map(env_var).collect()
}

fn executable(executable: &wire::ExecutableStatus) -> Value {
    let mut out = Map::new();
    put(&mut out, "name", &executable.name);
    put(&mut out, "image", &executable.image);
    put_some(&mut out, "status", word(executable.state(), &EXECUTABLE_STATES));
    put(&mut out, "error_code", &executable.error_code);
    put(&mut out, "reason", &executable.reason);
    out.insert("restart_count".to_owned(), json!(executable.restart_count));
    put_some(&mut out, "exit_code", executable.exit_code);
    put_some(&mut out, "image_bytes", (executable.image_bytes != 0).then_some(executable.image_bytes));
    out.into()
}

fn dependency(dependency: &wire::DependencyStatus) -> Value {
    let mut out = Map::new();
    put(&mut out, "name", &dependency.name);
    put(&mut out, "guid", &dependency.guid);
    put_some(&mut out, "phase", word(dependency.phase(), &PHASES));
    put_some(&mut out, "status", word(dependency.status(), &STATUSES));
    put_list(&mut out, "error_codes", texts(&dependency.error_codes));
    out.into()
}

fn endpoint(endpoint: &wire::EndpointStatus) -> Value {
    let mut out = Map::new();
    put(&mut out, "name", &endpoint.name);
    put_some(&mut out, "type", word(endpoint.r#type(), &ENDPOINT_TYPES));
    put(&mut out, "url", &endpoint.url);
    put(&mut out, "randomHost", &endpoint.random_host);
    put_list(&mut out, "staticHosts", texts(&endpoint.static_hosts));
    let backends = endpoint.backends.iter();
    let backends =
        backends.map(|backend| json!({ "address": backend.address, "healthy": !backend.unhealthy }));
    put_list(&mut out, "backends", backends.collect());
    out.into()
}

fn event(event: &wire::Event) -> Value {
    let mut out = Map::new();
    put_some(&mut out, "at", timestamp(event.at.as_ref()));
    put(&mut out, "message", &event.message);
    out.into()
}
