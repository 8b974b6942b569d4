use std::collections::{BTreeSet, HashMap};

use proto::ProjectId;

use super::look::{Essence, ToRun};
use super::{ToStop, Told};
use crate::domain::{DeploymentGuid, DeploymentName};

/// What one runtime has been told to run.
#[derive(Debug, Default)]
pub(super) struct Known {
    told: HashMap<DeploymentGuid, Running>,
    /// Deployments by those they depend on.
    children: HashMap<DeploymentGuid, BTreeSet<DeploymentGuid>>,
}

#[derive(Debug)]
struct Running {
    project: ProjectId,
    name: DeploymentName,
    essence: Essence,
    parents: BTreeSet<DeploymentGuid>,
}

impl Known {
    /// Takes in how the deployment `guid` is now (none: it is to run no more), and says what of that the
    /// runtime does not know yet.
    pub(super) fn learn(&mut self, guid: &DeploymentGuid, now: Option<ToRun>) -> Option<Told> {
        let before = self.told.remove(guid);
        for parent in before.iter().flat_map(|before| &before.parents) {
            if let Some(children) = self.children.get_mut(parent) {
                children.remove(guid);
                if children.is_empty() {
                    self.children.remove(parent);
                }
            }
        }
        let Some(now) = now else {
            return before.map(|Running { project, name, .. }| {
                Told::Stop(ToStop { guid: guid.clone(), name, project })
            });
        };
        let essence = now.essence();
        let changed = before.is_none_or(|before| before.essence != essence);
        let parents = now.parents();
        for parent in &parents {
            self.children.entry(parent.clone()).or_default().insert(guid.clone());
        }
        let (project, name) = (now.project().clone(), now.name().clone());
        self.told.insert(guid.clone(), Running { project, name, essence, parents });
        changed.then(|| Told::Run(Box::new(now)))
    }

    /// The deployments that depend on `guid`.
    pub(super) fn children(&self, guid: &DeploymentGuid) -> impl Iterator<Item = &DeploymentGuid> {
        self.children.get(guid).into_iter().flatten()
    }
}
