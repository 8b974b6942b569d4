//! `/v2/projects/`: a guid, or a name.

use axum::body::Body;
use axum::extract::State;
use proto::manifest::render::{Answers, Owner};
use serde_json::Value;

use super::Parts;
use super::answer::{Answer, created, found, gone};
use super::body::{PROJECT, read};
use super::call::Call;
use super::failure::Failure;
use super::listing::{List, stretch};
use crate::convert::identity::{project, project_draft};
use crate::domain::Faults;
use crate::service::SeenProject;

pub(super) async fn create(State(parts): State<Parts>, mut call: Call, body: Body) -> Answer {
    let mut read = read(&parts, &mut call, body, PROJECT).await?;
    let mut draft = project_draft(std::mem::take(&mut read.message), call.caller.user.clone());
    if draft.organization.is_empty() {
        call.organization().clone_into(&mut draft.organization);
    }
    let made = parts.service.create_project(&call.caller, &draft, Faults::new()).await;
    Ok(created(&shown(made.map_err(|error| read.told(error))?)))
}

pub(super) async fn get(State(parts): State<Parts>, call: Call) -> Answer {
    Ok(found(&shown(named(&parts, &call).await?)))
}

pub(super) async fn list(State(parts): State<Parts>, call: Call) -> Answer {
    let mut wanted: Vec<&str> = call.query.all("organizations").collect();
    if wanted.is_empty() {
        wanted.extend(Some(call.organization()).filter(|header| !header.is_empty()));
    }
    let list = List::asked("ProjectList", &format!("{wanted:?}"), &call)?;
    // One is what the client asks for; of several the list is looked through.
    let only = if let [only] = wanted.as_slice() { only } else { "" };
    let (service, caller) = (&parts.service, &call.caller);
    let page = |asked| async move { service.list_projects(caller, &asked, only).await };
    let show = |projects: Vec<SeenProject>| async move {
        Ok::<Vec<Value>, Failure>(projects.into_iter().map(shown).collect())
    };
    let is_wanted = |seen: &SeenProject| {
        let guid = seen.project.organization.as_str();
        let name = seen.organization_name.as_ref().map(|name| name.as_str());
        wanted.is_empty() || wanted.iter().any(|wanted| *wanted == guid || Some(*wanted) == name)
    };
    stretch(&parts, &call, list, page, is_wanted, show).await
}

/// The client sends this when it applies a manifest again: what is there and what is asked for must be
/// the same, for nothing of a project can be changed.
pub(super) async fn update(State(parts): State<Parts>, mut call: Call, body: Body) -> Answer {
    let read = read(&parts, &mut call, body, PROJECT).await?;
    let there = named(&parts, &call).await?;
    let asked = read.message.metadata.clone().unwrap_or_default();
    if asked.name != there.project.name.as_str() {
        let name = &there.project.name;
        return Err(Failure::malformed(format_args!(
            "metadata.name: this is {name}; names cannot be changed"
        )));
    }
    let labels = there.project.labels.iter();
    let same = read.message.metadata.is_some_and(|metadata| {
        metadata.labels.len() == labels.len()
            && labels.into_iter().all(|(key, value)| metadata.labels.get(key) == Some(value))
    });
    if !same {
        return Err(Failure::malformed("metadata.labels: the labels of a project cannot be changed"));
    }
    Ok(found(&shown(there)))
}

pub(super) async fn delete(State(parts): State<Parts>, call: Call) -> Answer {
    named(&parts, &call).await?;
    parts.service.delete_project(&call.caller, &call.name).await?;
    Ok(gone())
}

/// The project the path names.
async fn named(parts: &Parts, call: &Call) -> Result<SeenProject, Failure> {
    let there = parts.service.get_project(&call.caller, &call.name).await?;
    call.check_organization(&there)?;
    Ok(there)
}

fn shown(seen: SeenProject) -> Value {
    Answers::of(&Owner::default()).project(&project(seen))
}
