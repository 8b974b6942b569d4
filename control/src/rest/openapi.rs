//! What the API is, told to programs: OpenAPI 3.1, public, at `/openapi.json`.

mod bodies;
mod paths;
mod schemas;

use axum::extract::State;
use serde_json::{Value, json};

use super::Parts;
use super::answer::{Answer, found};
use crate::config::ApiLimits;

pub(super) async fn get(State(parts): State<Parts>) -> Answer {
    Ok(found(&document(&parts.limits)))
}

fn document(limits: &ApiLimits) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "epr",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Packages, deployments and routes, in the v2 dialect of the rapyuta.io client. Every path \
                is served with and without its last slash. A null is as good as an absent field, an empty \
                parameter as good as none. Every error is {\"error\": TEXT}.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "token": [] }],
        "paths": paths::paths(limits),
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "A token: see `epr token create`." },
            },
            "parameters": paths::parameters(limits),
            "responses": paths::responses(),
            "schemas": schemas::schemas(),
        },
    })
}

/// A part of this document.
fn component(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

fn schema(name: &str) -> Value {
    component("schemas", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references<'d>(value: &'d Value, found: &mut Vec<&'d str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document(&ApiLimits::default());
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_path_that_is_served_is_described() {
        let document = document(&ApiLimits::default());
        let described: Vec<&str> =
            document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        for (path, _) in super::super::router::paths() {
            assert!(path == "/openapi.json" || described.contains(&path), "{path}");
        }
        assert_eq!(described.len() + 1, super::super::router::paths().len());
    }
}
