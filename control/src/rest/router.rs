//! Which path leads where. Each path is served with and without its last slash: the client follows no
//! redirects.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use tokio::time::timeout;

use super::answer::Answer;
use super::failure::Failure;
use super::{Parts, deployments, identity, openapi, packages, projects, secrets, static_routes};

/// Everything the API serves.
pub(super) fn router(parts: Parts) -> Router {
    paths()
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| match path.strip_suffix('/') {
            Some(bare) => router.route(bare, methods.clone()).route(path, methods),
            None => router.route(path, methods.clone()).route(&format!("{path}/"), methods),
        })
        .method_not_allowed_fallback(no_such_method)
        .fallback(no_such_path)
        .layer(from_fn_with_state(parts.clone(), in_time))
        .with_state(parts)
}

pub(super) fn paths() -> Vec<(&'static str, MethodRouter<Parts>)> {
    vec![
        ("/openapi.json", get(openapi::get)),
        ("/user/info", get(identity::info)),
        ("/user/login", post(identity::login)),
        ("/refreshtoken", post(identity::refresh)),
        ("/v2/users/me/", get(identity::me)),
        ("/v2/organizations/{guid}/", get(identity::organization)),
        ("/v2/projects/", get(projects::list).post(projects::create)),
        ("/v2/projects/{guid}/", get(projects::get).put(projects::update).delete(projects::delete)),
        ("/v2/secrets/", get(secrets::list).post(secrets::create)),
        ("/v2/secrets/{name}/", get(secrets::get).put(secrets::update).delete(secrets::delete)),
        ("/v2/packages/", get(packages::list).post(packages::create)),
        ("/v2/packages/{name}/", get(packages::get).delete(packages::delete)),
        ("/v2/deployments/", get(deployments::list).post(deployments::create)),
        (
            "/v2/deployments/{name}/",
            get(deployments::get).patch(deployments::update).delete(deployments::delete),
        ),
        ("/v2/deployments/{name}/logs/", get(deployments::logs)),
        ("/v2/deployments/{name}/graph/", get(deployments::graph)),
        ("/v2/deployments/{name}/history/", get(deployments::history)),
        ("/v2/staticroutes/", get(static_routes::list).post(static_routes::create)),
        (
            "/v2/staticroutes/{name}/",
            get(static_routes::get).put(static_routes::update).delete(static_routes::delete),
        ),
    ]
}

/// Gives up what takes longer than anybody waits.
async fn in_time(State(parts): State<Parts>, request: Request, next: Next) -> Response {
    let most = parts.limits.body + parts.limits.work;
    timeout(most, next.run(request)).await.unwrap_or_else(|_| Failure::Overdue.into_response())
}

async fn no_such_path(request: Request) -> Answer {
    let path = request.uri().path().to_owned();
    let hint = "what there is stands in /openapi.json; the rest of the real platform's API is not served";
    Err(Failure::NoSuchPath { path, hint })
}

async fn no_such_method(request: Request) -> Answer {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    Err(Failure::NoSuchMethod { method, path })
}
