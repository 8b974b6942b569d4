//! `/v2/staticroutes/`: a name, a host name, or a guid.

use axum::body::Body;
use axum::extract::State;
use proto::wire;
use serde_json::Value;

use super::Parts;
use super::answer::{Answer, created, found, gone};
use super::body::{STATIC_ROUTE, resource};
use super::call::Call;
use super::failure::Failure;
use super::listing::{List, stretch};
use crate::convert::static_route;
use crate::domain::{Faults, StaticRoute};

pub(super) async fn create(State(parts): State<Parts>, mut call: Call, body: Body) -> Answer {
    let (within, mut read) = resource(&parts, &mut call, body, STATIC_ROUTE).await?;
    let draft = static_route::draft(std::mem::take(&mut read.message), call.caller.user.clone());
    let made = parts.service.create_static_route(&within.id, &draft, Faults::new(), false).await;
    let made = made.map_err(|error| read.told(error))?;
    Ok(created(&within.answers().static_route(&message(&parts, made).await?)))
}

pub(super) async fn get(State(parts): State<Parts>, call: Call) -> Answer {
    let within = call.project(&parts).await?;
    let there = parts.service.get_static_route(&within.id, &call.name).await?;
    Ok(found(&within.answers().static_route(&message(&parts, there).await?)))
}

pub(super) async fn list(State(parts): State<Parts>, call: Call) -> Answer {
    let within = call.project(&parts).await?;
    let list = List::asked("StaticRouteList", within.id.as_str(), &call)?;
    let (service, project, answers, parts) = (&parts.service, &within.id, within.answers(), &parts);
    let page = |asked| async move { service.list_static_routes(project, &asked).await };
    let show = |routes: Vec<StaticRoute>| async move {
        let viewed = parts.service.view_static_routes(routes).await?.into_iter();
        let message = |viewed| static_route::message(viewed, parts.service.rules());
        Ok::<Vec<Value>, Failure>(viewed.map(|viewed| answers.static_route(&message(viewed))).collect())
    };
    stretch(parts, &call, list, page, |_| true, show).await
}

/// Replaces its labels and source ranges.
pub(super) async fn update(State(parts): State<Parts>, mut call: Call, body: Body) -> Answer {
    let (within, mut read) = resource(&parts, &mut call, body, STATIC_ROUTE).await?;
    let draft = static_route::draft(std::mem::take(&mut read.message), None);
    let changed = parts.service.update_static_route(&within.id, &call.name, &draft, Faults::new()).await;
    let changed = changed.map_err(|error| read.told(error))?;
    Ok(found(&within.answers().static_route(&message(&parts, changed.record).await?)))
}

pub(super) async fn delete(State(parts): State<Parts>, call: Call) -> Answer {
    let within = call.project(&parts).await?;
    parts.service.delete_static_route(&within.id, &call.name).await?;
    Ok(gone())
}

async fn message(parts: &Parts, route: StaticRoute) -> Result<wire::StaticRoute, Failure> {
    let viewed = parts.service.view_static_route(route).await?;
    Ok(static_route::message(viewed, parts.service.rules()))
}
