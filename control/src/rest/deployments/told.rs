//! What is told of a deployment beside itself.

use std::fmt::Write as _;

use axum::extract::State;
use proto::manifest::render;
use proto::wire;
use serde_json::{Value, json};

use super::super::Parts;
use super::super::answer::{Answer, found, lines};
use super::super::call::Call;
use super::super::failure::Failure;
use super::{find, message};

/// Runtimes keep what executables print; the control plane knows what happened to the deployment, and
/// that is what there is to read here.
pub(in crate::rest) async fn logs(State(parts): State<Parts>, call: Call) -> Answer {
    let status = status(&parts, &call).await?.status.unwrap_or_default();
    let wanted = call.query.one("executable")?;
    let mut text = String::new();
    for event in &status.events {
        let at = event.at.as_ref().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "{at} {}", event.message);
    }
    for executable in status.executables.iter().filter(|seen| wanted.is_none_or(|name| name == seen.name)) {
        let state = executable.state().as_str_name().trim_start_matches("EXECUTABLE_STATE_").to_lowercase();
        let _ = writeln!(text, "executable {}: {state} {}", executable.name, executable.reason);
    }
    let _ = writeln!(text, "what executables print is kept by the runtime that runs them");
    Ok(lines(text))
}

/// The deployment and the ones it depends on.
pub(in crate::rest) async fn graph(State(parts): State<Parts>, call: Call) -> Answer {
    let deployment = status(&parts, &call).await?;
    let (metadata, status) = (deployment.metadata.unwrap_or_default(), deployment.status.unwrap_or_default());
    let node = |name: &str, guid: &str, phase, status| json!({ "name": name, "guid": guid, "phase": render::phase(phase), "status": render::status(status) });
    let mut nodes = vec![node(&metadata.name, &metadata.guid, status.phase(), status.status())];
    nodes.extend(status.dependencies.iter().map(|on| node(&on.name, &on.guid, on.phase(), on.status())));
    let edges = status.dependencies.iter().map(|on| json!({ "from": metadata.guid, "to": on.guid }));
    let edges: Vec<Value> = edges.collect();
    Ok(found(&json!({ "kind": "DeploymentGraph", "nodes": nodes, "edges": edges })))
}

/// What happened to it, oldest first.
pub(in crate::rest) async fn history(State(parts): State<Parts>, call: Call) -> Answer {
    let status = status(&parts, &call).await?.status.unwrap_or_default();
    let event = |event: &wire::Event| {
        let at = event.at.as_ref().map(ToString::to_string).unwrap_or_default();
        json!({ "at": at, "message": event.message })
    };
    let items: Vec<Value> = status.events.iter().map(event).collect();
    Ok(found(&json!({ "kind": "DeploymentHistory", "generation": status.generation, "items": items })))
}

async fn status(parts: &Parts, call: &Call) -> Result<wire::Deployment, Failure> {
    let within = call.project(parts).await?;
    message(parts, find(parts, call, &within).await?).await
}
