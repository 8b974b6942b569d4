use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use proto::ProjectId;

use crate::domain::deployment::{Status, ViewedDeployment};
use crate::domain::package::Plan;
use crate::domain::{DeploymentGuid, DeploymentName};
use crate::service::{Error, Service};

/// A deployment as its runtime needs it.
#[derive(Debug, Clone)]
pub struct ToRun {
    /// The deployment, with what its executables see.
    pub viewed: ViewedDeployment,
    /// What to run.
    pub plan: Plan,
}

/// What of a deployment decides whether it is to be run otherwise, in few bytes: deployments with equal
/// essences are run alike. (Two that differ are taken for one once in 2^64 times.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Essence(u64);

impl ToRun {
    /// How the deployment `guid` is now; none when it is to run no more.
    pub(super) async fn look(
        service: &Service,
        project: &ProjectId,
        guid: &DeploymentGuid,
    ) -> Result<Option<Self>, Error> {
        match look(service, project, guid).await {
            Err(Error::NotFound { .. }) => Ok(None),
            looked => looked,
        }
    }

    pub(super) fn project(&self) -> &ProjectId {
        &self.viewed.deployment.project
    }

    pub(super) fn name(&self) -> &DeploymentName {
        &self.viewed.deployment.name
    }

    /// The deployments it depends on.
    pub(super) fn parents(&self) -> BTreeSet<DeploymentGuid> {
        self.viewed.dependencies.iter().map(|on| on.guid.clone()).collect()
    }

    /// Its spec, package and plan change with the generation alone; all else that is run by is in here:
    /// the routes, what executables see, and whether those it waits for are running.
    pub(super) fn essence(&self) -> Essence {
        let mut hasher = DefaultHasher::new();
        let deployment = &self.viewed.deployment;
        deployment.generation.hash(&mut hasher);
        for binding in &deployment.static_routes {
            (binding.label.as_str(), binding.endpoint.as_str()).hash(&mut hasher);
        }
        for variable in &self.viewed.environment {
            (variable.name.as_str(), &variable.value).hash(&mut hasher);
            let from = variable.value_from.as_ref();
            from.map(|from| (from.secret.as_str(), from.key.as_str())).hash(&mut hasher);
        }
        for awaited in self.viewed.dependencies.iter().filter(|on| on.wait) {
            (awaited.guid.as_str(), awaited.status == Status::Running).hash(&mut hasher);
        }
        Essence(hasher.finish())
    }
}

async fn look(service: &Service, project: &ProjectId, guid: &DeploymentGuid) -> Result<Option<ToRun>, Error> {
    let deployment = service.get_deployment(project, guid.as_str()).await?;
    if !deployment.is_live() {
        return Ok(None);
    }
    let viewed = service.view_deployment(deployment).await?;
    let package = &viewed.deployment.package;
    let found = service.get_package(project, package.name.as_str(), package.version.as_str()).await?;
    let plan = found.plans.into_iter().find(|plan| plan.name == package.plan);
    Ok(plan.map(|plan| ToRun { viewed, plan }))
}
