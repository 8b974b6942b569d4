//! `/v2/packages/`: a name, or a guid, and with the name `?version=`.

use axum::body::Body;
use axum::extract::State;
use serde_json::Value;

use super::Parts;
use super::answer::{Answer, created, found, gone};
use super::body::{PACKAGE, resource};
use super::call::Call;
use super::failure::Failure;
use super::listing::{List, stretch};
use crate::convert::package;
use crate::domain::Package;

pub(super) async fn create(State(parts): State<Parts>, mut call: Call, body: Body) -> Answer {
    let (within, mut read) = resource(&parts, &mut call, body, PACKAGE).await?;
    let (mut draft, faults) = package::draft(std::mem::take(&mut read.message));
    draft.creator = call.caller.user.clone();
    let made = parts.service.create_package(&within.id, &draft, faults, false).await;
    let made = made.map_err(|error| read.told(error))?;
    Ok(created(&within.answers().package(&package::message(made))))
}

pub(super) async fn get(State(parts): State<Parts>, call: Call) -> Answer {
    let within = call.project(&parts).await?;
    let version = call.query.one("version")?.unwrap_or_default();
    let there = parts.service.get_package(&within.id, &call.name, version).await?;
    Ok(found(&within.answers().package(&package::message(there))))
}

pub(super) async fn list(State(parts): State<Parts>, call: Call) -> Answer {
    let within = call.project(&parts).await?;
    let list = List::asked("PackageList", within.id.as_str(), &call)?;
    let (service, project, answers) = (&parts.service, &within.id, within.answers());
    let page = |asked| async move { service.list_packages(project, &asked).await };
    let show = |packages: Vec<Package>| async move {
        let shown = packages.into_iter().map(|shown| answers.package(&package::message(shown)));
        Ok::<Vec<Value>, Failure>(shown.collect())
    };
    stretch(&parts, &call, list, page, |_| true, show).await
}

pub(super) async fn delete(State(parts): State<Parts>, call: Call) -> Answer {
    let within = call.project(&parts).await?;
    let version = call.query.one("version")?.unwrap_or_default();
    parts.service.delete_package(&within.id, &call.name, version).await?;
    Ok(gone())
}
