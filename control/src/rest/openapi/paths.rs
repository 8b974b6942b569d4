#![allow(clippy::indexing_slicing, reason = "of objects made here; a test reads the whole document")]
use serde_json::{Map, Value, json};

use super::{component, schema};
use crate::config::ApiLimits;

/// A kind of resource: what its collection and each one in it can be asked.
struct Resource {
    collection: &'static str,
    parameter: &'static str,
    kind: &'static str,
    in_project: bool,
    /// What narrows a list down, beside what narrows every list down.
    filters: &'static [&'static str],
    /// What says more exactly which one is meant.
    of_one: &'static [&'static str],
    /// How one is changed.
    change: Option<&'static str>,
}

const RESOURCES: [Resource; 5] = [
    Resource {
        collection: "/v2/projects/",
        parameter: "guid",
        kind: "Project",
        in_project: false,
        filters: &["organizations", "status", "name"],
        of_one: &[],
        change: Some("put"),
    },
    Resource {
        collection: "/v2/packages/",
        parameter: "name",
        kind: "Package",
        in_project: true,
        filters: &["name"],
        of_one: &["version"],
        change: None,
    },
    Resource {
        collection: "/v2/deployments/",
        parameter: "name",
        kind: "Deployment",
        in_project: true,
        filters: &["name", "phases", "packageName", "packageVersion", "deviceName", "dependencies"],
        of_one: &["guid"],
        change: Some("patch"),
    },
    Resource {
        collection: "/v2/staticroutes/",
        parameter: "name",
        kind: "StaticRoute",
        in_project: true,
        filters: &[],
        of_one: &[],
        change: Some("put"),
    },
    Resource {
        collection: "/v2/secrets/",
        parameter: "name",
        kind: "Secret",
        in_project: true,
        filters: &[],
        of_one: &[],
        change: Some("put"),
    },
];

/// Every path and what it answers.
pub(super) fn paths(limits: &ApiLimits) -> Value {
    let body = |name: &str| {
        json!({
            "required": true,
            "description": format!("At most {} bytes.", limits.body_bytes),
            "content": { "application/json": { "schema": schema(name) } },
        })
    };
    let mut paths = Map::new();
    let mut path = |path: &str, about: Value| paths.insert(path.to_owned(), about);
    path("/user/info", json!({ "get": one("Who the token belongs to", "UserInfo") }));
    path("/user/login", json!({ "post": login() }));
    path("/refreshtoken", json!({ "post": refresh(&body("TokenToRefresh")) }));
    path("/v2/users/me/", json!({ "get": one("Who calls, and where they have a role", "User") }));
    path(
        "/v2/organizations/{guid}/",
        json!({ "parameters": [named("guid")], "get": one("An organization", "Organization") }),
    );
    for (at, get) in [
        ("logs", logs()),
        ("graph", one("It, and what it depends on", "DeploymentGraph")),
        ("history", one("What happened to it", "DeploymentHistory")),
    ] {
        let mut parameters = vec![named("name")];
        parameters.extend(headers(true));
        path(&format!("/v2/deployments/{{name}}/{at}/"), json!({ "parameters": parameters, "get": get }));
    }
    for about in &RESOURCES {
        resource(&mut paths, about, &body);
    }
    paths.into()
}

/// Where a request acts.
fn headers(in_project: bool) -> Vec<Value> {
    let headers = if in_project { ["organizationguid", "project"].as_slice() } else { &["organizationguid"] };
    headers.iter().map(|name| component("parameters", name)).collect()
}

/// A collection, and each one in it.
fn resource(paths: &mut Map<String, Value>, about: &Resource, body: &dyn Fn(&str) -> Value) {
    let kind = about.kind;
    let headers = headers(about.in_project);
    let narrowed: Vec<_> = ["continue", "limit", "labelSelector", "names", "guids", "regions"]
        .iter()
        .chain(about.filters)
        .map(|name| component("parameters", name))
        .collect();
    let mut list = one(&format!("A stretch of a list: {kind}"), &format!("{kind}List"));
    list["parameters"] = narrowed.into();
    let mut create = one(&format!("Creates a {kind}"), kind);
    create["requestBody"] = body(&format!("{kind}Draft"));
    create["responses"] =
        with_body(json!({ "201": answer("Created", kind), "409": component("responses", "Exists") }));
    paths.insert(about.collection.to_owned(), json!({ "parameters": headers, "get": list, "post": create }));

    let mut get = one(&format!("A {kind}"), kind);
    let mut delete = one(&format!("Deletes a {kind}"), kind);
    delete["responses"] = refusals(json!({ "204": { "description": "Gone" } }));
    let which: Vec<_> = about.of_one.iter().map(|name| component("parameters", name)).collect();
    if about.kind == "Package" {
        delete["parameters"] = which.clone().into();
    }
    get["parameters"] = which.into();
    let mut parameters = vec![named(about.parameter)];
    parameters.extend(headers);
    let mut one_of_them = json!({ "parameters": parameters, "get": get, "delete": delete });
    if let Some(method) = about.change {
        let mut change = one(&format!("Changes a {kind}"), kind);
        change["requestBody"] = body(&format!("{kind}Draft"));
        change["responses"] = with_body(json!({ "200": answer("As it is now", kind) }));
        one_of_them[method] = change;
    }
    paths.insert(format!("{}{{{}}}/", about.collection, about.parameter), one_of_them);
}

fn one(summary: &str, schema: &str) -> Value {
    json!({ "summary": summary, "responses": refusals(json!({ "200": answer("There it is", schema) })) })
}

fn login() -> Value {
    json!({
        "summary": "Refused: there are no passwords here, but tokens",
        "security": [],
        "responses": { "400": component("responses", "Refused"), "503": component("responses", "Away") },
    })
}

fn refresh(body: &Value) -> Value {
    json!({
        "summary": "Tells whether a token is good; the answer is the same token",
        "security": [],
        "requestBody": body,
        "responses": with_body(json!({ "200": answer("It is good", "RefreshedToken") })),
    })
}

fn logs() -> Value {
    let parameters: Vec<_> =
        ["replica", "executable", "guid"].iter().map(|it| component("parameters", it)).collect();
    json!({
        "summary": "What the control plane knows of its run, in lines",
        "parameters": parameters,
        "responses": refusals(json!({
            "200": { "description": "Lines", "content": { "text/plain": { "schema": { "type": "string" } } } },
        })),
    })
}

fn answer(description: &str, name: &str) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": schema(name) } } })
}

/// What every request may be answered.
fn refusals(mut responses: Value) -> Value {
    for (status, name) in
        [("400", "Refused"), ("401", "Unknown"), ("403", "Forbidden"), ("404", "NotFound"), ("503", "Away")]
    {
        responses[status] = component("responses", name);
    }
    responses
}

/// What a request with a body may be answered, too.
fn with_body(responses: Value) -> Value {
    let mut responses = refusals(responses);
    for (status, name) in [("408", "TooSlow"), ("413", "TooLarge"), ("415", "NotJson")] {
        responses[status] = component("responses", name);
    }
    responses
}

fn named(name: &str) -> Value {
    json!({
        "name": name, "in": "path", "required": true,
        "description": "A name or a guid; of a static route its host name, too.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 253 },
    })
}

/// Parameters in headers and queries.
pub(super) fn parameters(limits: &ApiLimits) -> Value {
    let text = json!({ "type": "string", "maxLength": 253 });
    let several = json!({ "type": "array", "items": text });
    let number = |least: usize, most: usize| json!({ "type": "integer", "minimum": least, "maximum": most });
    let phases = json!({ "type": "array", "items": schema("Phase") });
    let selectors = json!({ "type": "array", "items": { "type": "string", "pattern": "^[^=,]+=[^=,]*$", "maxLength": 512 } });
    let query = |name: &str, schema: Value, description: &str| json!({ "name": name, "in": "query", "schema": schema, "description": description });
    let header = |name: &str, description: &str| json!({ "name": name, "in": "header", "schema": text, "description": description });
    json!({
        "organizationguid": header("organizationguid", "The organization, by guid or name; checked against the project's."),
        "project": header("project", "The project, by guid or name. Absent: the token's own."),
        "continue": query("continue", number(0, u32::MAX as usize), "How many items come before."),
        "limit": query("limit", number(1, limits.page_most), &format!("{} when absent.", limits.page_default)),
        "labelSelector": query("labelSelector", selectors, "KEY=VALUE, all of them."),
        "names": query("names", several.clone(), "Any of these."),
        "name": query("name", text.clone(), "This one."),
        "guids": query("guids", several.clone(), "Any of these."),
        "guid": query("guid", text.clone(), "The one with this guid."),
        "regions": query("regions", several.clone(), "Ignored: there is one region."),
        "organizations": query("organizations", several.clone(), "Any of these, by guid or name."),
        "status": query("status", several, "Ignored: a project that is there is well."),
        "version": query("version", text.clone(), "May be absent where there is one version."),
        "phases": query("phases", phases, "Any of these."),
        "packageName": query("packageName", text.clone(), "Of this package."),
        "packageVersion": query("packageVersion", text.clone(), "Of this version."),
        "deviceName": query("deviceName", text.clone(), "On this device."),
        "dependencies": query("dependencies", json!({ "type": "boolean" }), "Ignored: they are always told."),
        "replica": query("replica", number(0, u32::MAX as usize), "Ignored: what is told is told of all."),
        "executable": query("executable", text, "Only this one."),
    })
}

/// What is answered when nothing comes of it.
pub(super) fn responses() -> Value {
    let error = |description: &str| answer(description, "Error");
    let mut responses = Map::new();
    for (name, description) in [
        (
            "Refused",
            "Malformed, against a rule, or against what is there: the text says which field, what is wrong and what would be right",
        ),
        ("Unknown", "No token, or one that is not known"),
        ("Forbidden", "The token or its user may not do this here"),
        ("NotFound", "There is no such thing, or nothing the caller may know of"),
        ("Exists", "The name is taken"),
        ("TooSlow", "The body did not arrive in time"),
        ("TooLarge", "The body is too large"),
        ("NotJson", "The body is no JSON"),
        ("Away", "The store cannot be reached, or too many change the same thing: try again"),
    ] {
        responses.insert(name.to_owned(), error(description));
    }
    responses["Away"]["headers"] = json!({ "Retry-After": { "schema": { "type": "integer" } } });
    responses.into()
}
