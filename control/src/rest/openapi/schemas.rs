//! What is answered, and what both bodies and answers are made of.
#![allow(clippy::indexing_slicing, reason = "of objects made here; a test reads the whole document")]

use serde_json::{Value, json};

use super::{bodies, schema};

/// All of them.
pub(super) fn schemas() -> Value {
    let mut all = bodies::drafts();
    let lists = ["Project", "Package", "Deployment", "StaticRoute", "Secret"];
    for kind in lists {
        all[kind] = resource(kind);
        all[format!("{kind}List")] = list(kind);
    }
    for (name, schema) in [
        ("Error", error()),
        ("Metadata", metadata()),
        (
            "Phase",
            words(&["InProgress", "Provisioning", "Succeeded", "FailedToUpdate", "FailedToStart", "Stopped"]),
        ),
        ("Status", words(&["Running", "Pending", "Error", "Unknown", "Stopped"])),
        ("ProjectStatus", object(&["status"], json!({ "status": { "const": "Success" } }))),
        ("StaticRouteStatus", static_route_status()),
        ("DeploymentStatus", deployment_status()),
        ("User", user()),
        ("UserInfo", user_info()),
        ("Organization", organization()),
        ("RefreshedToken", refreshed()),
        ("DeploymentGraph", graph()),
        ("DeploymentHistory", history()),
    ] {
        all[name] = schema;
    }
    all
}

pub(super) fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

fn error() -> Value {
    let fault = object(
        &["field", "rule", "message"],
        json!({
            "field": { "type": "string", "description": "Path of the field in the body; empty for the whole." },
            "rule": { "type": "string", "description": "The rule broken: stable, fit for programs." },
            "message": { "type": "string", "description": "What is wrong and what would be right." },
        }),
    );
    object(
        &["error"],
        json!({
            "error": { "type": "string", "minLength": 1 },
            "faults": { "type": "array", "items": fault, "description": "Every fault, where rules are broken." },
        }),
    )
}

pub(super) fn words(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn texts() -> Value {
    json!({ "type": "array", "items": text() })
}

/// A resource as it is answered.
fn resource(kind: &str) -> Value {
    let metadata = schema("Metadata");
    let metadata = match kind {
        "Package" => json!({ "allOf": [metadata, { "required": ["version"] }] }),
        "Deployment" => json!({ "allOf": [metadata, { "required": ["depends", "generation"] }] }),
        _ => metadata,
    };
    let mut properties = json!({
        "apiVersion": { "const": proto::manifest::API_VERSIONS[0] },
        "kind": { "const": kind },
        "metadata": metadata,
        "spec": schema(&format!("{kind}Spec")),
    });
    let mut required = vec!["apiVersion", "kind", "metadata", "spec"];
    if !["Package", "Secret"].contains(&kind) {
        properties["status"] = schema(&format!("{kind}Status"));
        required.push("status");
    }
    let mut resource = object(&required, properties);
    // More than this crashes the client's models of some kinds.
    resource["additionalProperties"] = false.into();
    resource
}

fn list(kind: &str) -> Value {
    let metadata = object(&[], json!({ "continue": { "type": "integer", "minimum": 1 } }));
    object(
        &["apiVersion", "kind", "metadata", "items"],
        json!({
            "apiVersion": { "const": proto::manifest::API_VERSIONS[0] },
            "kind": { "const": format!("{kind}List") },
            "metadata": metadata,
            "items": { "type": "array", "items": schema(kind) },
        }),
    )
}

fn metadata() -> Value {
    let time = json!({ "type": "string", "format": "date-time" });
    object(
        &["name", "guid", "projectGUID", "organizationGUID", "createdAt"],
        json!({
            "name": text(),
            "guid": { "type": "string", "pattern": "^[a-z]+-([a-z0-9]{20}|[a-z]{24})$" },
            "projectGUID": text(),
            "projectName": text(),
            "organizationGUID": text(),
            "organizationName": text(),
            "creatorGUID": text(),
            "labels": { "type": "object", "additionalProperties": text() },
            "createdAt": time,
            "updatedAt": time,
            "deletedAt": time,
            "version": text(),
            "description": text(),
            "generation": { "type": "integer", "minimum": 1 },
            "depends": object(
                &["kind", "nameOrGUID", "version"],
                json!({ "kind": text(), "nameOrGUID": text(), "version": text() }),
            ),
        }),
    )
}

fn static_route_status() -> Value {
    object(
        &["status"],
        json!({
            "status": words(&["Available", "Unavailable"]),
            "packageID": text(),
            "deploymentID": text(),
            "deployment": text(),
            "endpoint": text(),
        }),
    )
}

fn deployment_status() -> Value {
    let executable = object(
        &["name"],
        json!({
            "name": text(),
            "image": text(),
            "status": words(&["running", "pending", "error", "terminating", "terminated", "unknown"]),
            "error_code": text(),
            "reason": text(),
            "restart_count": { "type": "integer", "minimum": 0 },
            "exit_code": { "type": "integer" },
            "image_bytes": { "type": "integer", "minimum": 1 },
        }),
    );
    let dependency = object(
        &["name", "guid"],
        json!({ "name": text(), "guid": text(), "phase": schema("Phase"), "status": schema("Status"),
            "error_codes": texts() }),
    );
    let backend =
        object(&["address", "healthy"], json!({ "address": text(), "healthy": { "type": "boolean" } }));
    let endpoint = object(
        &["name", "type"],
        json!({
            "name": text(),
            "type": schema("EndpointType"),
            "url": text(),
            "randomHost": text(),
            "staticHosts": texts(),
            "backends": { "type": "array", "items": backend },
        }),
    );
    object(
        &["generation", "phase", "status"],
        json!({
            "generation": { "type": "integer", "minimum": 1 },
            "phase": schema("Phase"),
            "status": schema("Status"),
            "message": text(),
            "error_codes": texts(),
            "executables_status": { "type": "object", "additionalProperties": executable },
            "dependencies": object(&[], json!({ "deployments": { "type": "array", "items": dependency } })),
            "endpoints": { "type": "array", "items": endpoint },
            "environment": { "type": "array", "items": schema("EnvArg") },
            "events": { "type": "array", "items": event() },
        }),
    )
}

fn event() -> Value {
    object(&["message"], json!({ "at": { "type": "string", "format": "date-time" }, "message": text() }))
}

fn user() -> Value {
    let optional = json!({ "type": ["string", "null"] });
    let organization = object(
        &["guid", "name", "creator", "shortGUID", "roleNames"],
        json!({ "guid": text(), "name": text(), "creator": optional, "shortGUID": text(), "roleNames": texts() }),
    );
    let project = object(
        &["guid", "name", "organizationGUID", "roleNames"],
        json!({ "guid": text(), "name": text(), "creator": optional, "organizationGUID": text(), "roleNames": texts() }),
    );
    let spec = object(
        &["emailID", "organizations", "projects"],
        json!({
            "emailID": text(),
            "organizations": { "type": "array", "items": organization },
            "projects": { "type": "array", "items": project },
        }),
    );
    let metadata = object(&["name"], json!({ "name": text(), "guid": optional }));
    object(
        &["kind", "metadata", "spec"],
        json!({ "kind": { "const": "User" }, "metadata": metadata, "spec": spec }),
    )
}

fn user_info() -> Value {
    let optional = json!({ "type": ["string", "null"] });
    let data =
        object(&["email", "tokenName"], json!({ "email": text(), "guid": optional, "tokenName": text() }));
    object(&["data"], json!({ "data": data }))
}

fn organization() -> Value {
    let metadata = object(
        &["name", "guid", "shortGUID"],
        json!({ "name": text(), "guid": text(), "shortGUID": text() }),
    );
    let spec = object(&["members"], json!({ "members": { "type": "array" } }));
    object(
        &["kind", "metadata", "spec"],
        json!({ "kind": { "const": "Organization" }, "metadata": metadata, "spec": spec }),
    )
}

fn refreshed() -> Value {
    object(
        &["data"],
        json!({ "data": object(&["token", "Token"], json!({ "token": text(), "Token": text() })) }),
    )
}

fn graph() -> Value {
    let node = object(
        &["name", "guid"],
        json!({ "name": text(), "guid": text(), "phase": schema("Phase"), "status": schema("Status") }),
    );
    let edge = object(&["from", "to"], json!({ "from": text(), "to": text() }));
    object(
        &["kind", "nodes", "edges"],
        json!({
            "kind": { "const": "DeploymentGraph" },
            "nodes": { "type": "array", "items": node },
            "edges": { "type": "array", "items": edge },
        }),
    )
}

fn history() -> Value {
    object(
        &["kind", "generation", "items"],
        json!({
            "kind": { "const": "DeploymentHistory" },
            "generation": { "type": "integer", "minimum": 1 },
            "items": { "type": "array", "items": event() },
        }),
    )
}
