//! `/v2/deployments/`: a name, or a guid.
//!
//! The dialect has no field for an endpoint's address. So what is injected into the environment (`X`,
//! `X_HOST`, `X_PORT` of every endpoint, the parents' too) is shown among `spec.envArgs`, where the
//! client's users look for it; and what comes back of it in an update is left out again.

mod told;
mod update;

pub(super) use told::{graph, history, logs};
pub(super) use update::update;

use axum::body::Body;
use axum::extract::State;
use proto::wire;
use serde_json::Value;

use super::Parts;
use super::answer::{Answer, created, found, gone};
use super::body::{DEPLOYMENT, resource};
use super::call::{Call, Within};
use super::failure::Failure;
use super::listing::{List, stretch};
use super::query::Query;
use crate::convert::deployment;
use crate::domain::Deployment;
use crate::domain::deployment::Phase;

pub(super) async fn create(State(parts): State<Parts>, mut call: Call, body: Body) -> Answer {
    let (within, mut read) = resource(&parts, &mut call, body, DEPLOYMENT).await?;
    let (mut draft, faults) = deployment::draft(std::mem::take(&mut read.message));
    draft.creator = call.caller.user.clone();
    let made = parts.service.create_deployment(&within.id, &draft, faults, false).await;
    let made = made.map_err(|error| read.told(error))?;
    Ok(created(&within.answers().deployment(&message(&parts, made.record).await?)))
}

pub(super) async fn get(State(parts): State<Parts>, call: Call) -> Answer {
    let within = call.project(&parts).await?;
    let there = find(&parts, &call, &within).await?;
    Ok(found(&within.answers().deployment(&message(&parts, there).await?)))
}

pub(super) async fn list(State(parts): State<Parts>, call: Call) -> Answer {
    let within = call.project(&parts).await?;
    let list = List::asked("DeploymentList", within.id.as_str(), &call)?;
    let (wanted, phases) = (Wanted::asked(&call.query)?, phases(&call.query)?);
    let (service, project, phases) = (&parts.service, &within.id, phases.as_slice());
    let (parts, answers) = (&parts, within.answers());
    let page = |asked| async move { service.list_deployments(project, &asked, phases).await };
    let show = |deployments: Vec<Deployment>| async move {
        let messages = messages(parts, deployments).await?;
        Ok::<Vec<Value>, Failure>(messages.iter().map(|message| answers.deployment(message)).collect())
    };
    stretch(parts, &call, list, page, |deployment| wanted.keeps(deployment), show).await
}

/// Stopping and deleting are one for the client: it stays listed as Stopped.
pub(super) async fn delete(State(parts): State<Parts>, call: Call) -> Answer {
    let within = call.project(&parts).await?;
    parts.service.stop_deployment(&within.id, &call.name).await?;
    Ok(gone())
}

/// The deployment the path names, or the one `?guid=` names if it bears that name.
async fn find(parts: &Parts, call: &Call, within: &Within) -> Result<Deployment, Failure> {
    let Some(guid) = call.query.one("guid")? else {
        return Ok(parts.service.get_deployment(&within.id, &call.name).await?);
    };
    let there = parts.service.get_deployment(&within.id, guid).await?;
    if there.name.as_str() == call.name || there.guid.as_str() == call.name {
        return Ok(there);
    }
    Err(Failure::malformed(format_args!("guid: {guid} is the deployment {}, not {}", there.name, call.name)))
}

/// All there is to tell of a deployment.
async fn message(parts: &Parts, deployment: Deployment) -> Result<wire::Deployment, Failure> {
    Ok(messages(parts, vec![deployment]).await?.pop().unwrap_or_default())
}

async fn messages(parts: &Parts, deployments: Vec<Deployment>) -> Result<Vec<wire::Deployment>, Failure> {
    let viewed = parts.service.view_deployments(deployments).await?;
    let rules = parts.service.rules();
    Ok(viewed.into_iter().map(|viewed| deployment::message(viewed, rules)).collect())
}

/// Which deployments a list is to have, beside what every list asks for.
struct Wanted {
    package: Option<String>,
    version: Option<String>,
    device: Option<String>,
}

impl Wanted {
    fn asked(query: &Query) -> Result<Self, Failure> {
        let word = |key: &str| Ok::<_, Failure>(query.one(key)?.map(str::to_owned));
        Ok(Self {
            package: word("packageName")?,
            version: word("packageVersion")?,
            device: word("deviceName")?,
        })
    }

    fn keeps(&self, deployment: &Deployment) -> bool {
        let same = |wanted: &Option<String>, has: &str| wanted.as_ref().is_none_or(|wanted| wanted == has);
        same(&self.package, deployment.package.name.as_str())
            && same(&self.version, deployment.package.version.as_str())
            && same(&self.device, &deployment.settings.device)
    }
}

fn phases(query: &Query) -> Result<Vec<Phase>, Failure> {
    let all = [
        ("InProgress", Phase::InProgress),
        ("Provisioning", Phase::Provisioning),
        ("Succeeded", Phase::Succeeded),
        ("FailedToUpdate", Phase::FailedToUpdate),
        ("FailedToStart", Phase::FailedToStart),
        ("Stopped", Phase::Stopped),
    ];
    let phase = |word: &str| {
        let known = all.iter().find(|(name, _)| *name == word).map(|(_, phase)| *phase);
        known.ok_or_else(|| {
            let names = all.map(|(name, _)| name).join(", ");
            Failure::malformed(format_args!("phases: {word:?} is none of {names}"))
        })
    };
    query.all("phases").map(phase).collect()
}
