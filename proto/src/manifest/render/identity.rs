//! Secrets, without what they hold unless their author has just written it; and projects.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::executable::For;
use super::writer::{fields, metadata, put};
use super::{Kind, Parts};
use crate::wire::{self, secret::Data};

/// What the client takes a registry for that is not named.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// A secret as a manifest.
pub fn secret(secret: &wire::Secret) -> Value {
    secret_parts(secret, For::People).into_value()
}

/// A project as a manifest.
pub fn project(project: &wire::Project) -> Value {
    project_parts(project, For::People).into_value()
}

pub(super) fn secret_parts(secret: &wire::Secret, whom: For) -> Parts {
    let spec = match &secret.data {
        Some(Data::Docker(docker)) => {
            fields([("type", json!("Docker")), ("docker", credentials(docker, whom).into())])
        }
        Some(Data::Opaque(opaque)) => opaque_spec(opaque, whom),
        None => Map::new(),
    };
    let metadata = metadata(secret.metadata.as_ref());
    Parts { kind: Kind::Secret, metadata, spec, status: Map::new() }
}

fn credentials(docker: &wire::DockerCredentials, whom: For) -> Map<String, Value> {
    if whom == For::Client {
        // Its model wants all of them, and never the password.
        let registry = if docker.registry.is_empty() { DOCKER_HUB } else { &docker.registry };
        return fields([
            ("registry", json!(registry)),
            ("username", json!(docker.username)),
            ("email", json!(docker.email)),
        ]);
    }
    let mut out = Map::new();
    put(&mut out, "registry", &docker.registry);
    put(&mut out, "username", &docker.username);
    put(&mut out, "password", &docker.password);
    put(&mut out, "email", &docker.email);
    out
}

/// Values come empty from the control plane: then the keys are all there is to say, and nobody applies empty
/// values by accident.
fn opaque_spec(opaque: &wire::OpaqueData, whom: For) -> Map<String, Value> {
    let values: BTreeMap<_, _> = opaque.values.iter().collect();
    let mut spec = fields([("type", json!("Opaque"))]);
    if whom == For::Client || values.values().all(|value| value.is_empty()) {
        spec.insert("secretKeys".to_owned(), values.keys().map(|key| json!(key)).collect());
    } else {
        spec.insert("data".to_owned(), json!(values));
    }
    spec
}

pub(super) fn project_parts(project: &wire::Project, whom: For) -> Parts {
    let mut metadata = metadata(project.metadata.as_ref());
    put(&mut metadata, "organizationGUID", &project.organization);
    put(&mut metadata, "organizationName", &project.organization_name);
    let (spec, status) = match whom {
        For::People => (Map::new(), Map::new()),
        For::Client => {
            let off = json!({ "enabled": false });
            let features = json!({ "vpn": off, "tracing": off, "dockerCache": off });
            (fields([("features", features)]), fields([("status", json!("Success"))]))
        }
    };
    Parts { kind: Kind::Project, metadata, spec, status }
}
