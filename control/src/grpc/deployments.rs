use proto::wire;
use proto::wire::deployment_service_server::DeploymentService;
use tonic::{Request, Response, Status};

use super::status::status;
use super::{Parts, named};
use crate::auth::Access;
use crate::convert::{deployment, page_in, page_out};
use crate::domain::Deployment;
use crate::service::{Error, Listed};

impl Parts {
    /// The message of a deployment, its backends as healthy as their leases let them be.
    pub(super) async fn shown(&self, deployment: Deployment) -> Result<wire::Deployment, Status> {
        let mut seen = vec![deployment];
        self.service.see_leases(&mut seen).await.map_err(|error| status(&error))?;
        let shown = seen.into_iter().next().map(|seen| deployment::message(seen, self.service.rules()));
        Ok(shown.unwrap_or_default())
    }
}

#[tonic::async_trait]
impl DeploymentService for Parts {
    async fn update_deployment(
        &self,
        _: Request<wire::UpdateDeploymentRequest>,
    ) -> Result<Response<wire::UpdateDeploymentResponse>, Status> {
        Err(Status::unimplemented("not served by this version"))
    }

    async fn create_deployment(
        &self,
        request: Request<wire::CreateDeploymentRequest>,
    ) -> Result<Response<wire::CreateDeploymentResponse>, Status> {
        let asked = request.get_ref().deployment.as_ref().and_then(|deployment| deployment.metadata.as_ref());
        let project = self.project(&request, named(asked), Access::Change).await?;
        let wire::CreateDeploymentRequest { deployment, dry_run, wait } = request.into_inner();
        let wait = self.wait(wait)?;
        let draft = deployment::draft(deployment.unwrap_or_default());
        let created = self.service.create_deployment(&project, &draft, Default::default(), dry_run).await;
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
        let Listed { mut items, next } = listed.map_err(|error| status(&error))?;
        self.service.see_leases(&mut items).await.map_err(|error| status(&error))?;
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
