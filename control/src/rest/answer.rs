//! Answers with something in them.

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::failure::Failure;

/// What a handler comes to.
pub(super) type Answer = Result<Response<Body>, Failure>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// A resource that is there.
pub(super) fn found(value: &Value) -> Response<Body> {
    with(StatusCode::OK, value)
}

/// A resource that was made.
pub(super) fn created(value: &Value) -> Response<Body> {
    with(StatusCode::CREATED, value)
}

/// It is gone, and there is nothing to say of it.
pub(super) fn gone() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A list of items, each JSON already; `next` is where it goes on.
pub(super) fn list(kind: &str, items: &[String], next: Option<usize>) -> Response<Body> {
    let metadata = next.map_or_else(|| json!({}), |next| json!({ "continue": next }));
    let (version, kind) = (json!(proto::manifest::API_VERSIONS[0]), json!(kind));
    let items = items.join(",");
    let text = format!(r#"{{"apiVersion":{version},"kind":{kind},"metadata":{metadata},"items":[{items}]}}"#);
    json_text(StatusCode::OK, text)
}

/// Lines for people.
pub(super) fn lines(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response
}

/// `value`, under `status`.
pub(super) fn with(status: StatusCode, value: &Value) -> Response<Body> {
    json_text(status, value.to_string())
}

fn json_text(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    // What is answered belongs to whoever asked, and is old the next moment.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
