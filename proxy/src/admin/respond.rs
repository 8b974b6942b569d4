use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode, Uri};
use http_body_util::Full;
use proto::Hostname;
use serde::Serialize;

use super::query::Query;
use super::{Admin, explain, page, route};

type Answer = Response<Full<Bytes>>;

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const JSON: &str = "application/json";

/// The answer to a request. One to HEAD has its body removed by whoever sends it.
pub(super) fn to(admin: &Admin, method: &Method, uri: &Uri) -> Answer {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.");
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    match uri.path() {
        "/live" => text(StatusCode::OK, "live"),
        "/ready" => ready(admin),
        "/metrics" => answer(StatusCode::OK, METRICS, page::metrics(admin)),
        "/routes" => routes(admin, &Query::parse(uri)),
        "/explain" => explanation(admin, &Query::parse(uri)),
        _ => text(StatusCode::NOT_FOUND, "Ask for /live, /ready, /metrics, /routes or /explain?url=URL."),
    }
}

/// The answer to a request that was meant for another machine.
pub(super) fn misdirected() -> Answer {
    text(StatusCode::MISDIRECTED_REQUEST, "Ask by an IP address or as localhost.")
}

fn ready(admin: &Admin) -> Answer {
    if admin.drain.is_draining() {
        text(StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else if admin.routes.revision().is_none() {
        text(
            StatusCode::SERVICE_UNAVAILABLE,
            "no routes yet: control has not been reached, and no cache was found",
        )
    } else {
        text(StatusCode::OK, "ready")
    }
}

fn routes(admin: &Admin, query: &Query) -> Answer {
    if let Some(name) = query.get("name") {
        return match Hostname::parse(name) {
            Ok(name) => match admin.routes.table().get(name.as_str()) {
                Some(entry) => json(&route::RouteView::of(entry)),
                None => text(StatusCode::NOT_FOUND, "No route has this name."),
            },
            Err(error) => text(StatusCode::BAD_REQUEST, &format!("name: {error}")),
        };
    }
    match route::page(&admin.routes.table(), query.get("after"), query.get("limit")) {
        Ok(page) => json(&page),
        Err(fault) => text(StatusCode::BAD_REQUEST, &fault),
    }
}

fn explanation(admin: &Admin, query: &Query) -> Answer {
    let Some(url) = query.get("url") else {
        return text(StatusCode::BAD_REQUEST, "url: missing; ask for /explain?url=https://NAME/");
    };
    match query.get("source").map(str::parse).transpose() {
        Ok(source) => json(&explain(admin, url, source)),
        Err(_) => text(StatusCode::BAD_REQUEST, "source: not an IP address"),
    }
}

fn text(status: StatusCode, text: &str) -> Answer {
    answer(status, TEXT, format!("{text}\n"))
}

fn json(value: &impl Serialize) -> Answer {
    match serde_json::to_vec_pretty(value) {
        Ok(mut body) => {
            body.push(b'\n');
            answer(StatusCode::OK, JSON, body)
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
