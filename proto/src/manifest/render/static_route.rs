use serde_json::{Map, Value, json};

use super::executable::For;
use super::writer::{fields, metadata, put, put_list, texts};
use super::{Kind, Parts};
use crate::wire;

/// A static route as a manifest, with what it is bound to.
pub fn static_route(route: &wire::StaticRoute) -> Value {
    parts(route, For::People).into_value()
}

pub(super) fn parts(route: &wire::StaticRoute, whom: For) -> Parts {
    let mut spec = Map::new();
    put(&mut spec, "url", &route.hostname);
    match whom {
        For::People => put_list(&mut spec, "sourceIPRange", texts(&route.source_ranges)),
        For::Client => put_ranges_for_client(&mut spec, &route.source_ranges),
    }
    let word = if route.bound_to.is_some() { "Unavailable" } else { "Available" };
    let mut status = fields([("status", json!(word))]);
    if let Some(bound) = &route.bound_to {
        put(&mut status, "packageID", &bound.package_guid);
        put(&mut status, "deploymentID", &bound.deployment_guid);
        put(&mut status, "deployment", &bound.deployment_name);
        put(&mut status, "endpoint", &bound.endpoint);
    }
    Parts { kind: Kind::StaticRoute, metadata: metadata(route.metadata.as_ref()), spec, status }
}

/// The client's model knows IPv4 ranges of 1 to 32 bits, and one other fails its whole listing: all of IPv4
/// is told as its two halves, and IPv6 stands apart, in a field the client passes over.
fn put_ranges_for_client(spec: &mut Map<String, Value>, ranges: &[String]) {
    let (mut known, mut further) = (Vec::new(), Vec::new());
    for range in ranges {
        match range.as_str() {
            "0.0.0.0/0" => known.extend([json!("0.0.0.0/1"), json!("128.0.0.0/1")]),
            other if other.contains(':') => further.push(json!(other)),
            other => known.push(json!(other)),
        }
    }
    put_list(spec, "sourceIPRange", known);
    put_list(spec, "furtherSourceIPRange", further);
}
