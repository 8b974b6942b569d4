use proto::wire;
use proto::wire::deployment_service_server::DeploymentService;
use tonic::{Request, Response, Status};

use super::status::status;
use super::{Parts, named};
use crate::auth::Access;
use crate::convert::{deployment, page_in, page_out};
use crate::domain::Deployment;
use crate::domain::deployment::DeploymentDraft;
use crate::service::{Error, Listed};

impl Parts {
    /// The message of a deployment, with all there is to show of it.
    pub(super) async fn shown(&self, record: Deployment) -> Result<wire::Deployment, Status> {
        let viewed = self.service.view_deployment(record).await.map_err(|error| status(&error))?;
        Ok(deployment::message(viewed, self.service.rules()))
    }
}

#[tonic::async_trait]
impl DeploymentService for Parts {
    async fn update_deployment(
        &self,
        request: Request<wire::UpdateDeploymentRequest>,
    ) -> Result<Response<wire::UpdateDeploymentResponse>, Status> {
        let asked = request.get_ref().deployment.as_ref().and_then(|deployment| deployment.metadata.as_ref());
        let project = self.project(&request, named(asked), Access::Change).await?;
        let wire::UpdateDeploymentRequest { deployment, dry_run, wait } = request.into_inner();
        let wait = self.wait(wait)?;
        let asked = deployment.unwrap_or_default();
        let metadata = asked.metadata.clone().unwrap_or_default();
        let name = if metadata.guid.is_empty() { metadata.name } else { metadata.guid };
        let (draft, faults) = deployment::draft(asked);
        let updated = self.service.update_deployment(&project, &name, &draft, faults, dry_run).await;
        let updated = updated.map_err(|error| status(&error))?;
        let receipt = if dry_run { None } else { Some(self.receipt(updated.revision, wait).await) };
        let deployment = Some(self.shown(updated.record).await?);
        Ok(Response::new(wire::UpdateDeploymentResponse { deployment, receipt }))
    }

    async fn create_deployment(
        &self,
        request: Request<wire::CreateDeploymentRequest>,
    ) -> Result<Response<wire::CreateDeploymentResponse>, Status> {
        let asked = request.get_ref().deployment.as_ref().and_then(|deployment| deployment.metadata.as_ref());
        let project = self.project(&request, named(asked), Access::Change).await?;
        let creator = self.caller(&request).await?.user;
        let wire::CreateDeploymentRequest { deployment, dry_run, wait } = request.into_inner();
        let wait = self.wait(wait)?;
        let (draft, faults) = deployment::draft(deployment.unwrap_or_default());
        let draft = DeploymentDraft { creator, ..draft };
        let created = self.service.create_deployment(&project, &draft, faults, dry_run).await;
        let created = created.map_err(|error| status(&error))?;
        let receipt = if dry_run { None } else { Some(self.receipt(created.revision, wait).await) };
        let deployment = Some(self.shown(created.record).await?);
        Ok(Response::new(wire::CreateDeploymentResponse { deployment, receipt }))
    }

    async fn get_deployment(
        &self,
        request: Request<wire::GetDeploymentRequest>,
    ) -> Result<Response<wire::Deployment>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Read).await?;
        let found = self.service.get_deployment(&project, &request.get_ref().name).await;
        Ok(Response::new(self.shown(found.map_err(|error| status(&error))?).await?))
    }

    async fn list_deployments(
        &self,
        request: Request<wire::ListDeploymentsRequest>,
    ) -> Result<Response<wire::ListDeploymentsResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Read).await?;
        let (phases, faults) = deployment::phases_in(&request.get_ref().phases);
        if !faults.is_empty() {
            return Err(status(&Error::Invalid(faults)));
        }
        let request = request.into_inner();
        let asked = page_in(request.page, request.filter);
        let listed = self.service.list_deployments(&project, &asked, &phases).await;
        let Listed { items, next } = listed.map_err(|error| status(&error))?;
        let items = self.service.view_deployments(items).await.map_err(|error| status(&error))?;
        let rules = self.service.rules();
        let (deployments, page) = page_out(Listed { items, next }, |seen| deployment::message(seen, rules));
        Ok(Response::new(wire::ListDeploymentsResponse { deployments, page }))
    }

    async fn stop_deployment(
        &self,
        request: Request<wire::StopDeploymentRequest>,
    ) -> Result<Response<wire::StopDeploymentResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Change).await?;
        let wire::StopDeploymentRequest { name, wait, .. } = request.into_inner();
        let wait = self.wait(wait)?;
        let stopped = self.service.stop_deployment(&project, &name).await;
        let stopped = stopped.map_err(|error| status(&error))?;
        let receipt = Some(self.receipt(stopped.revision, wait).await);
        let deployment = Some(self.shown(stopped.record).await?);
        Ok(Response::new(wire::StopDeploymentResponse { deployment, receipt }))
    }
}
