//! Who calls: `/v2/users/me/`, `/user/info`, `/v2/organizations/{guid}/`, and what the client asks of a
//! platform with passwords.

use axum::body::Body;
use axum::extract::{Request, State};
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::Parts;
use super::answer::{Answer, found};
use super::call::Call;
use super::failure::Failure;
use crate::domain::{Level, Organization, Project};
use crate::service::WhoIs;

/// Most organizations and most projects that are told of.
const MOST_PLACES: usize = 10_000;

pub(super) async fn me(State(parts): State<Parts>, call: Call) -> Answer {
    let who = parts.service.who_am_i(&call.caller, MOST_PLACES).await?;
    let (email, guid) = named(&who);
    Ok(found(&json!({
        "apiVersion": proto::manifest::API_VERSIONS[0],
        "kind": "User",
        "metadata": { "name": email, "guid": guid },
        "spec": {
            "emailID": email,
            "organizations": who.organizations.iter().map(organization_of).collect::<Vec<_>>(),
            "projects": who.projects.iter().map(project_of).collect::<Vec<_>>(),
            "userGroups": [],
        },
    })))
}

/// What the client asks for first with a token it was given.
pub(super) async fn info(State(parts): State<Parts>, call: Call) -> Answer {
    let who = parts.service.who_am_i(&call.caller, 0).await?;
    let (email, guid) = named(&who);
    Ok(found(&json!({ "data": { "email": email, "guid": guid, "tokenName": who.token_name } })))
}

/// What to call them: by their token when it is nobody's.
fn named(who: &WhoIs) -> (&str, Option<&str>) {
    match &who.user {
        Some(user) => (user.email.as_str(), Some(user.guid.as_str())),
        None => (&who.token_name, None),
    }
}

/// There are no passwords here.
pub(super) async fn login() -> Answer {
    Err(Failure::malformed(
        "there are no passwords here: log in with a token, `rio auth login --auth-token TOKEN`; an admin makes one \
         with `epr create token`, and the first is in admin.token in the data directory",
    ))
}

/// Tokens last as long as they were made for: the answer to a good one is itself.
pub(super) async fn refresh(State(parts): State<Parts>, request: Request) -> Answer {
    let token = token_in(&parts, request.into_body()).await?;
    let header = format!("Bearer {token}");
    parts.auth.identify(Some(header.as_bytes())).await.inspect_err(|_| {
        parts.refusals.inc();
    })?;
    // The client looks for it under one name, its library under the other.
    Ok(found(&json!({ "data": { "token": token, "Token": token } })))
}

pub(super) async fn organization(State(parts): State<Parts>, call: Call) -> Answer {
    let seen = parts.service.get_organization(&call.caller, &call.name).await?;
    Ok(found(&json!({
        "apiVersion": proto::manifest::API_VERSIONS[0],
        "kind": "Organization",
        "metadata": {
            "name": seen.name.as_str(),
            "guid": seen.guid.as_str(),
            "shortGUID": seen.short_id.as_str(),
            "labels": seen.labels,
            "organizationGUID": seen.guid.as_str(),
            "organizationName": seen.name.as_str(),
        },
        "spec": { "members": [] },
    })))
}

async fn token_in(parts: &Parts, body: Body) -> Result<String, Failure> {
    let most = parts.limits.body_bytes.min(4_096);
    let read = timeout(parts.limits.body, Limited::new(body, most).collect()).await;
    let bytes = read.map_err(|_| Failure::TooSlow)?.map_err(|_| Failure::TooLarge { most })?.to_bytes();
    let sent: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::malformed(format_args!("the body is not valid JSON: {error}")))?;
    let token = sent.get("token").and_then(Value::as_str).map(str::to_owned);
    token.ok_or_else(|| Failure::malformed("token: missing; send {\"token\": \"TOKEN\"}"))
}

fn organization_of((seen, level): &(Organization, Option<Level>)) -> Value {
    json!({
        "guid": seen.guid.as_str(),
        "name": seen.name.as_str(),
        "creator": seen.creator.as_ref().map(|user| user.as_str()),
        "shortGUID": seen.short_id.as_str(),
        "roleNames": level.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn project_of((seen, level): &(Project, Level)) -> Value {
    json!({
        "guid": seen.guid.as_str(),
        "name": seen.name.as_str(),
        "creator": seen.creator.as_ref().map(|user| user.as_str()),
        "organizationCreator": null,
        "organizationGUID": seen.organization.as_str(),
        "roleNames": [level.to_string()],
    })
}
