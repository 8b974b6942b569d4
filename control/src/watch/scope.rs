use std::collections::HashMap;

use proto::ProjectId;

use crate::domain::{Access, Caller};
use crate::service::{Error, Service};

/// Which deployments a watch is about.
#[derive(Debug, Clone)]
pub enum Scope {
    /// Those of one project.
    Project(ProjectId),
    /// Those of every project in which the caller may run deployments, of projects that are yet to come too.
    Everywhere(Caller),
}

/// A scope, and what is known of the projects in it.
#[derive(Debug)]
pub(super) struct Scoped {
    scope: Scope,
    /// Whether a project is in it. What the caller may do was settled when the watch began, and a project
    /// never leaves its organization, so that this does not change.
    judged: HashMap<ProjectId, bool>,
}

impl Scoped {
    pub(super) fn new(scope: Scope) -> Self {
        Self { scope, judged: HashMap::new() }
    }

    /// The only project in it; none when there may be several.
    pub(super) fn only(&self) -> Option<&ProjectId> {
        match &self.scope {
            Scope::Project(project) => Some(project),
            Scope::Everywhere(_) => None,
        }
    }

    /// Whether it is known already that `project` is not in it.
    pub(super) fn leaves_out(&self, project: &ProjectId) -> bool {
        match &self.scope {
            Scope::Project(only) => only != project,
            Scope::Everywhere(_) => self.judged.get(project) == Some(&false),
        }
    }

    /// Whether `project` is in it.
    pub(super) async fn covers(&mut self, service: &Service, project: &ProjectId) -> Result<bool, Error> {
        let caller = match &self.scope {
            Scope::Project(only) => return Ok(only == project),
            Scope::Everywhere(caller) => caller,
        };
        if let Some(judged) = self.judged.get(project) {
            return Ok(*judged);
        }
        let covered = match service.project_for(caller, project.as_str(), Access::Run).await {
            Ok(_) => true,
            Err(Error::NotFound { .. } | Error::Forbidden(_)) => false,
            Err(error) => return Err(error),
        };
        self.judged.insert(project.clone(), covered);
        Ok(covered)
    }
}
