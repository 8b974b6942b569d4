//! Deployments that depend on others: whose endpoints and exposed parameters they see.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{DeployedEndpoint, Deployment, EnvVar, Phase, Status};
use crate::domain::environment::{exposed_by, variables_of};
use crate::domain::fault::{At, Broken, Faults};
use crate::domain::{DeploymentGuid, DeploymentName, VariableName};

/// Most deployments one may depend on: whatever commits it relies on each of them.
pub const MOST_DEPENDENCIES: usize = 16;

/// A deployment another depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// Which one was meant when it was named.
    pub deployment: DeploymentGuid,
    /// As it was named: its name or its guid.
    pub named: String,
    /// Whether the runtime waits for it to be running.
    pub wait: bool,
}

/// A dependency as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct DependencyDraft {
    /// Name or guid.
    pub deployment: String,
    /// Whether the runtime waits for it to be running.
    pub wait: bool,
}

impl Deployment {
    /// Whether another may begin to depend on it.
    pub fn judge_as_parent(&self) -> Result<(), Broken> {
        if self.is_live() {
            return Ok(());
        }
        let message = format!(
            "deployment {} ({}) is stopped, for good; create it anew, or depend on another one",
            self.name, self.guid
        );
        Err(Broken::new("dependency_stopped", message))
    }

    /// Whether those that depend on it are in error because it is.
    pub fn fails_its_children(&self) -> bool {
        matches!(self.phase, Phase::FailedToStart | Phase::Stopped)
            || matches!(self.status, Status::Error | Status::Stopped)
    }
}

/// The way from a deployment's new parents back to itself, if there is one: the names on it, beginning and
/// ending with its own. `known` holds everything its parents depend on, however far away.
pub fn cycle_through(
    name: &DeploymentName,
    guid: &DeploymentGuid,
    parents: &[DeploymentGuid],
    known: &HashMap<DeploymentGuid, Deployment>,
) -> Option<Vec<DeploymentName>> {
    let mut seen: HashSet<&DeploymentGuid> = HashSet::new();
    let mut ways: Vec<(&DeploymentGuid, Vec<DeploymentName>)> =
        parents.iter().map(|parent| (parent, vec![name.clone()])).collect();
    while let Some((at, mut way)) = ways.pop() {
        if at == guid {
            way.push(name.clone());
            return Some(way);
        }
        let Some(found) = known.get(at).filter(|_| seen.insert(at)) else {
            continue;
        };
        way.push(found.name.clone());
        ways.extend(found.depends.iter().map(|next| (&next.deployment, way.clone())));
    }
    None
}

/// The dependencies that were written, as far as they are there, and what is wrong with the list.
pub(super) fn judge_dependencies(
    drafts: &[DependencyDraft],
    parents: &[Option<&Deployment>],
    at: &At<'_>,
    faults: &mut Faults,
) -> Vec<Dependency> {
    if drafts.len() > MOST_DEPENDENCIES {
        let message = format!("there are {}; at most {MOST_DEPENDENCIES} are possible", drafts.len());
        faults.add(at, "too_many_dependencies", message);
    }
    let mut judged: Vec<Dependency> = Vec::new();
    for (i, (draft, parent)) in drafts.iter().zip(parents).enumerate() {
        let Some(parent) = parent else {
            continue;
        };
        if judged.iter().any(|seen| seen.deployment == parent.guid) {
            let message = format!("deployment {} stands here twice; name it once", parent.name);
            faults.add(at.index(i).field("deployment"), "dependency_twice", message);
            continue;
        }
        let (named, wait) = (draft.deployment.clone(), draft.wait);
        judged.push(Dependency { deployment: parent.guid.clone(), named, wait });
    }
    judged
}

/// What a deployment has of its own, whose variables no parent may bring as well.
pub(super) struct Own<'a> {
    pub(super) endpoints: &'a [DeployedEndpoint],
    pub(super) parameters: &'a [EnvVar],
    pub(super) env_args: &'a [EnvVar],
}

/// Notes every variable that would come from two places, with both of them named.
pub(super) fn judge_collisions(
    own: &Own<'_>,
    parents: &[Option<&Deployment>],
    at: &At<'_>,
    faults: &mut Faults,
) {
    let mut owners: HashMap<String, String> = HashMap::new();
    for endpoint in own.endpoints {
        let owner = format!("its own endpoint {}", endpoint.name);
        owners.extend(variables_of(&endpoint.name).map(|variable| (variable, owner.clone())));
    }
    for variable in own.env_args.iter().chain(own.parameters) {
        owners.insert(variable.name.to_string(), format!("its own variable {}", variable.name));
    }
    let mut seen = HashSet::new();
    for (i, parent) in parents.iter().enumerate() {
        let Some(parent) = parent.filter(|parent| seen.insert(&parent.guid)) else {
            continue;
        };
        let at = at.index(i);
        let mut told: HashSet<(String, String)> = HashSet::new();
        let mut brought = HashMap::new();
        for (variable, from) in brought_by(parent) {
            if let Some(owner) = owners.get(&variable) {
                if told.insert((owner.clone(), from.clone())) {
                    let message = format!(
                        "the variable {variable} would come from {owner} and from {from}; rename one of them, \
                         or depend on one of them only"
                    );
                    faults.add(at.field("deployment"), "variable_collision", message);
                }
                continue;
            }
            brought.insert(variable, from);
        }
        owners.extend(brought);
    }
}

/// The variables a deployment brings to those that depend on it, each with what it tells of.
fn brought_by(parent: &Deployment) -> Vec<(String, String)> {
    let name = &parent.name;
    let mut brought = Vec::new();
    for endpoint in &parent.endpoints {
        let from = format!("the endpoint {} of deployment {name}", endpoint.name);
        brought.extend(variables_of(&endpoint.name).map(|variable| (variable, from.clone())));
    }
    let exposed = exposed_by(parent).map(|(as_name, variable): (&VariableName, &EnvVar)| {
        (as_name.to_string(), format!("{} of deployment {name}, which exposes it", variable.name))
    });
    brought.extend(exposed);
    brought
}
