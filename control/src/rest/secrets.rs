//! `/v2/secrets/`: a name, or a guid. What a secret holds is written and never told.

use axum::body::Body;
use axum::extract::State;
use serde_json::Value;

use super::Parts;
use super::answer::{Answer, created, found, gone};
use super::body::{SECRET, resource};
use super::call::Call;
use super::failure::Failure;
use super::listing::{List, stretch};
use crate::convert::secret;
use crate::domain::{Faults, Secret};

pub(super) async fn create(State(parts): State<Parts>, mut call: Call, body: Body) -> Answer {
    let (within, mut read) = resource(&parts, &mut call, body, SECRET).await?;
    let draft = secret::draft(std::mem::take(&mut read.message), call.caller.user.clone());
    let made = parts.service.create_secret(&within.id, &draft, Faults::new(), false).await;
    let made = made.map_err(|error| read.told(error))?;
    Ok(created(&within.answers().secret(&secret::message(made))))
}

pub(super) async fn get(State(parts): State<Parts>, call: Call) -> Answer {
    let within = call.project(&parts).await?;
    let there = parts.service.get_secret(&within.id, &call.name).await?;
    Ok(found(&within.answers().secret(&secret::message(there))))
}

pub(super) async fn list(State(parts): State<Parts>, call: Call) -> Answer {
    let within = call.project(&parts).await?;
    let list = List::asked("SecretList", within.id.as_str(), &call)?;
    let (service, project, answers) = (&parts.service, &within.id, within.answers());
    let page = |asked| async move { service.list_secrets(project, &asked).await };
    let show = |secrets: Vec<Secret>| async move {
        let shown = secrets.into_iter().map(|shown| answers.secret(&secret::message(shown)));
        Ok::<Vec<Value>, Failure>(shown.collect())
    };
    stretch(&parts, &call, list, page, |_| true, show).await
}

/// Replaces labels and what it holds.
pub(super) async fn update(State(parts): State<Parts>, mut call: Call, body: Body) -> Answer {
    let (within, mut read) = resource(&parts, &mut call, body, SECRET).await?;
    let draft = secret::draft(std::mem::take(&mut read.message), None);
    let changed = parts.service.update_secret(&within.id, &call.name, &draft, Faults::new()).await;
    let changed = changed.map_err(|error| read.told(error))?;
    Ok(found(&within.answers().secret(&secret::message(changed))))
}

pub(super) async fn delete(State(parts): State<Parts>, call: Call) -> Answer {
    let within = call.project(&parts).await?;
    parts.service.delete_secret(&within.id, &call.name).await?;
    Ok(gone())
}
