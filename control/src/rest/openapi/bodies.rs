//! What is sent: each kind with the bounds that are judged by. Every field but the required ones may be
//! null.
#![allow(clippy::indexing_slicing, reason = "of objects made here; a test reads the whole document")]

use serde_json::{Map, Value, json};

use super::schema;
use super::schemas::words;

/// Bodies, and the parts answers share with them.
pub(super) fn drafts() -> Value {
    let mut all = Map::new();
    for (kind, metadata, spec_required) in [
        ("Project", "DraftMetadata", false),
        ("Package", "PackageMetadata", true),
        ("Deployment", "DeploymentMetadata", true),
        ("StaticRoute", "StaticRouteMetadata", false),
        ("Secret", "DraftMetadata", true),
    ] {
        all.insert(format!("{kind}Draft"), draft(kind, metadata, spec_required));
    }
    for (name, schema) in [
        ("DraftMetadata", metadata(&[], json!({}))),
        (
            "PackageMetadata",
            metadata(
                &["version"],
                json!({
                    "version": { "type": "string", "pattern": "^[A-Za-z0-9._+-]{1,64}$" },
                    "description": text(1 << 10),
                }),
            ),
        ),
        ("DeploymentMetadata", metadata(&["depends"], json!({ "depends": package_reference() }))),
        (
            "StaticRouteMetadata",
            metadata(
                &[],
                json!({
                    "name": { "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{2,61}[a-z0-9]$" },
                }),
            ),
        ),
        ("ProjectSpec", part(&[], json!({ "features": { "type": ["object", "null"] } }))),
        (
            "StaticRouteSpec",
            part(
                &[],
                json!({
                    "url": text(253),
                    "sourceIPRange": list(json!({ "type": "string", "format": "ipv4-network" }), 256),
                    "furtherSourceIPRange": list(json!({ "type": "string", "format": "ipv6-network" }), 256),
                }),
            ),
        ),
        ("SecretSpec", secret_spec()),
        ("PackageSpec", package_spec()),
        ("Component", component(json!({ "name": component_name() }))),
        ("Executable", executable()),
        ("LivenessProbe", probe()),
        ("Parameter", variable(json!({ "description": text(1 << 10), "default": text(64 << 10) }))),
        ("EnvArg", variable(json!({ "value": text(64 << 10) }))),
        ("EndpointType", endpoint_type()),
        ("Endpoint", endpoint()),
        ("Ros", ros()),
        ("DeploymentSpec", deployment_spec()),
        ("Volume", volume()),
        (
            "TokenToRefresh",
            json!({
                "type": "object", "required": ["token"], "properties": { "token": { "type": "string", "maxLength": 512 } },
            }),
        ),
    ] {
        all.insert(name.to_owned(), schema);
    }
    all.into()
}

fn draft(kind: &str, metadata: &str, spec_required: bool) -> Value {
    let mut required = vec!["metadata"];
    required.extend(spec_required.then_some("spec"));
    part(
        &required,
        json!({
            "apiVersion": { "enum": [proto::manifest::API_VERSIONS[0], proto::manifest::API_VERSIONS[1], null] },
            "kind": { "enum": [kind, null] },
            "metadata": schema(metadata),
            "spec": if spec_required { schema(&format!("{kind}Spec")) } else { or_null(schema(&format!("{kind}Spec"))) },
            "status": { "type": ["object", "null"], "description": "Ignored: what became of it is not for its author to say." },
        }),
    )
}

/// A mapping of these fields and no others.
fn part(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn text(most: usize) -> Value {
    json!({ "type": ["string", "null"], "maxLength": most })
}

fn flag() -> Value {
    json!({ "type": ["boolean", "null"] })
}

fn whole(least: u64, most: u64) -> Value {
    json!({ "type": ["integer", "null"], "minimum": least, "maximum": most })
}

fn word(known: &[&str]) -> Value {
    or_null(words(known))
}

fn list(items: Value, most: usize) -> Value {
    json!({ "type": ["array", "null"], "items": items, "maxItems": most })
}

fn component_name() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z_-][A-Za-z0-9_-]{0,62}$" })
}

fn identifier(most: usize) -> Value {
    json!({ "type": "string", "pattern": format!("^[A-Za-z_][A-Za-z0-9_]{{0,{}}}$", most - 1) })
}

fn metadata(required: &[&str], more: Value) -> Value {
    let mut properties = json!({
        "name": { "type": "string", "minLength": 1, "maxLength": 128 },
        "project": text(128),
        "labels": {
            "type": ["object", "null"],
            "maxProperties": 64,
            "additionalProperties": { "type": ["string", "null"], "maxLength": 256 },
        },
    });
    // What the platform gives is ignored when it comes back.
    for given in [
        "guid",
        "creatorGUID",
        "projectGUID",
        "projectName",
        "organizationGUID",
        "organizationName",
        "organizationCreatorGUID",
        "shortGUID",
        "region",
        "createdAt",
        "updatedAt",
        "deletedAt",
    ] {
        properties[given] = text(256);
    }
    properties["generation"] = json!({ "type": ["integer", "null"] });
    for (name, schema) in more.as_object().into_iter().flatten() {
        properties[name] = schema.clone();
    }
    let required: Vec<_> = [&["name"], required].concat();
    part(&required, properties)
}

/// Another resource, by its name or guid.
fn reference(kind: &str) -> Value {
    part(
        &["nameOrGUID"],
        json!({
            "kind": { "enum": [kind, kind.to_ascii_lowercase(), null] },
            "nameOrGUID": { "type": "string", "minLength": 1, "maxLength": 253 },
        }),
    )
}

fn package_reference() -> Value {
    let mut reference = reference("Package");
    reference["properties"]["version"] = text(64);
    reference
}

fn secret_spec() -> Value {
    let docker = part(
        &["username", "email"],
        json!({
            "registry": text(4 << 10),
            "username": { "type": "string", "maxLength": 4 << 10 },
            "password": text(4 << 10),
            "email": { "type": "string", "maxLength": 4 << 10 },
        }),
    );
    part(
        &["type"],
        json!({
            "type": words(&["Docker", "Opaque"]),
            "docker": or_null(docker),
            "data": { "type": ["object", "null"], "maxProperties": 256, "additionalProperties": { "type": "string" } },
            "secretKeys": list(json!({ "type": "string" }), 256),
            "runtime": word(&["cloud", "device"]),
            "depends": { "type": ["object", "null"] },
        }),
    )
}

/// One component, or several, or several plans of several.
fn package_spec() -> Value {
    let plan = part(
        &[],
        json!({
            "name": text(128),
            "id": text(64),
            "components": list(schema("Component"), 64),
        }),
    );
    component(json!({ "components": list(schema("Component"), 64), "plans": list(plan, 64) }))
}

fn component(more: Value) -> Value {
    let cloud = part(&[], json!({ "replicas": whole(1, 1_000) }));
    let device = part(
        &[],
        json!({
            "arch": word(&["amd64", "arm32v7", "arm64v8"]),
            "restart": word(&["always", "never", "onfailure"]),
            "runtime": word(&["containers", "preinstalled"]),
        }),
    );
    let mut properties = json!({
        "runtime": word(&["cloud", "device"]),
        "executables": list(schema("Executable"), 64),
        "environmentVars": list(schema("Parameter"), 1_000),
        "endpoints": list(schema("Endpoint"), 1_000),
        "cloud": or_null(cloud),
        "device": or_null(device),
        "ros": or_null(schema("Ros")),
        "hostPID": flag(),
    });
    let required: Vec<&str> = if more["name"].is_object() { vec!["name"] } else { vec![] };
    for (name, schema) in more.as_object().into_iter().flatten() {
        properties[name] = schema.clone();
    }
    part(&required, properties)
}

fn executable() -> Value {
    let pull_secret = part(&[], json!({ "depends": or_null(reference("Secret")) }));
    let docker = part(
        &["image"],
        json!({
            "image": { "type": "string", "minLength": 1, "maxLength": 1 << 10 },
            "imagePullPolicy": word(&["IfNotPresent", "Always", "Never"]),
            "pullSecret": or_null(pull_secret),
        }),
    );
    let words_or_text = json!({ "type": ["string", "array", "null"], "items": { "type": "string" } });
    part(
        &["name"],
        json!({
            "name": component_name(),
            "type": word(&["docker", "build", "preInstalled"]),
            "docker": or_null(docker),
            "build": or_null(part(&["name"], json!({ "name": { "type": "string", "maxLength": 253 } }))),
            "entrypoint": words_or_text,
            "command": words_or_text,
            "runAsBash": flag(),
            "limits": or_null(part(&[], json!({
                "cpu": { "type": ["number", "null"], "minimum": 0.025, "maximum": 8, "multipleOf": 0.025 },
                "memory": { "type": ["integer", "null"], "minimum": 128, "maximum": 32_768, "multipleOf": 128 },
            }))),
            "livenessProbe": or_null(schema("LivenessProbe")),
            "uid": whole(0, u32::MAX.into()),
            "gid": whole(0, u32::MAX.into()),
        }),
    )
}

fn probe() -> Value {
    let header = part(&["name"], json!({ "name": { "type": "string" }, "value": text(4 << 10) }));
    let http = part(
        &["path", "port"],
        json!({
            "path": { "type": "string", "pattern": "^/" },
            "port": { "type": "integer", "minimum": 1, "maximum": 65_535 },
            "host": text(253),
            "scheme": word(&["HTTP", "HTTPS"]),
            "httpHeaders": list(header, 64),
        }),
    );
    part(
        &[],
        json!({
            "httpGet": or_null(http),
            "exec": or_null(part(&[], json!({ "command": list(json!({ "type": "string" }), 256) }))),
            "tcpSocket": or_null(part(&["port"], json!({ "port": { "type": "integer", "minimum": 1, "maximum": 65_535 } }))),
            "initialDelaySeconds": whole(1, u32::MAX.into()),
            "timeoutSeconds": whole(10, u32::MAX.into()),
            "periodSeconds": whole(1, u32::MAX.into()),
            "successThreshold": whole(1, u32::MAX.into()),
            "failureThreshold": whole(1, u32::MAX.into()),
        }),
    )
}

fn variable(more: Value) -> Value {
    let secret = part(
        &["name", "key"],
        json!({
            "name": { "type": "string", "minLength": 1, "maxLength": 128 },
            "key": { "type": "string", "minLength": 1, "maxLength": 253 },
            "value": text(64 << 10),
        }),
    );
    let mut properties = json!({
        "name": identifier(255),
        "valueFrom": or_null(part(&[], json!({ "secretKeyRef": or_null(secret) }))),
        "exposed": flag(),
        "exposedName": text(255),
    });
    for (name, schema) in more.as_object().into_iter().flatten() {
        properties[name] = schema.clone();
    }
    part(&["name"], properties)
}

fn endpoint_type() -> Value {
    words(&[
        "external-http",
        "external-https",
        "external-tls-tcp",
        "internal-tcp",
        "internal-udp",
        "internal-tcp-range",
        "internal-udp-range",
    ])
}

fn endpoint() -> Value {
    part(
        &["name", "type"],
        json!({
            "name": identifier(63),
            "type": schema("EndpointType"),
            "port": whole(1, 65_535),
            "targetPort": whole(1, 65_535),
            "portRange": text(512),
            "backendProtocol": word(&["http1", "h2c"]),
        }),
    )
}

fn ros() -> Value {
    let endpoint = part(
        &["name", "type"],
        json!({
            "name": { "type": "string", "minLength": 1, "maxLength": 255 },
            "type": words(&["topic", "service", "action"]),
            "compression": flag(),
            "scoped": flag(),
            "targeted": flag(),
            "qos": word(&["low", "medium", "high", "max"]),
            "timeout": { "type": ["number", "null"], "minimum": 0 },
        }),
    );
    part(
        &[],
        json!({
            "enabled": flag(),
            "version": word(&["kinetic", "melodic", "noetic", "foxy"]),
            "rosEndpoints": list(endpoint, 1_000),
        }),
    )
}

fn deployment_spec() -> Value {
    let mut parent = reference("Deployment");
    parent["properties"]["wait"] = flag();
    let route = part(
        &["depends"],
        json!({
            "name": or_null(identifier(63)),
            "url": text(253),
            "depends": reference("StaticRoute"),
        }),
    );
    let network = part(
        &["depends"],
        json!({
            "depends": reference("Network"),
            "domainID": whole(0, u32::MAX.into()),
            "interface": text(64),
        }),
    );
    let params = part(
        &[],
        json!({
            "enabled": flag(), "trees": list(json!({ "type": "string" }), 256), "blockUntilSynced": flag(),
        }),
    );
    let features = part(
        &[],
        json!({
            "params": or_null(params), "vpn": or_null(part(&[], json!({ "enabled": flag() }))),
        }),
    );
    part(
        &[],
        json!({
            "runtime": word(&["cloud", "device"]),
            "plan": text(128),
            "depends": list(parent, 64),
            "device": or_null(part(&[], json!({ "depends": or_null(reference("Device")) }))),
            "restart": word(&["always", "never", "onfailure"]),
            "envArgs": list(schema("EnvArg"), 1_000),
            "staticRoutes": list(route, crate::domain::deployment::MOST_STATIC_ROUTES),
            "volumes": list(schema("Volume"), 256),
            "backends": {
                "type": ["object", "null"],
                "description": "ENDPOINT: [ADDRESS:PORT]: backends that are simply there, which no runtime reports.",
                "additionalProperties": list(json!({ "type": "string" }), 256),
            },
            "rosNetworks": list(network, 64),
            "features": or_null(features),
            "serviceAccount": text(253),
            "networkInterface": text(64),
        }),
    )
}

fn volume() -> Value {
    part(
        &[],
        json!({
            "execName": text(63),
            "mountPath": text(4 << 10),
            "subPath": text(4 << 10),
            "uid": whole(0, u32::MAX.into()),
            "gid": whole(0, u32::MAX.into()),
            "perm": whole(0, u32::MAX.into()),
            "depends": or_null(reference("Disk")),
        }),
    )
}
