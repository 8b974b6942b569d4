mod watch;

use proto::wire;
use proto::wire::runtime_service_server::RuntimeService;
use tonic::{Request, Response, Status};

use super::Parts;
use super::status::status;
use crate::auth::Access;
use crate::convert::deployment;
use crate::convert::secret::data_message;
use crate::domain::Lease;
use crate::watch::Scope;

#[tonic::async_trait]
impl RuntimeService for Parts {
    type WatchDeploymentsStream = watch::Stream;

    async fn watch_deployments(
        &self,
        request: Request<wire::WatchDeploymentsRequest>,
    ) -> Result<Response<Self::WatchDeploymentsStream>, Status> {
        let scope = match request.get_ref().project.as_str() {
            "" => Scope::Everywhere(self.caller(&request).await?),
            asked => Scope::Project(self.project(&request, asked, Access::Run).await?),
        };
        let watch = self.watches.watch(scope);
        let watch = watch.map_err(|full| Status::resource_exhausted(full.to_string()))?;
        Ok(Response::new(watch::stream(watch, self.service.clone())))
    }

    async fn get_deployment_secrets(
        &self,
        request: Request<wire::GetDeploymentSecretsRequest>,
    ) -> Result<Response<wire::GetDeploymentSecretsResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Run).await?;
        let held = self.service.deployment_secrets(&project, &request.get_ref().deployment).await;
        let held = held.map_err(|error| status(&error))?.into_iter();
        let secrets = held.map(|(name, data)| data_message(name.to_string(), &data)).collect();
        Ok(Response::new(wire::GetDeploymentSecretsResponse { secrets }))
    }

    async fn open_lease(
        &self,
        request: Request<wire::OpenLeaseRequest>,
    ) -> Result<Response<wire::Lease>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Run).await?;
        let wire::OpenLeaseRequest { runtime, ttl_seconds, .. } = request.into_inner();
        let opened = self.leases.open(&project, &runtime, ttl_seconds).await;
        Ok(Response::new(lease_out(&opened.map_err(|error| status(&error))?)))
    }

    async fn keep_alive(
        &self,
        request: Request<wire::KeepAliveRequest>,
    ) -> Result<Response<wire::Lease>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Run).await?;
        let kept = self.leases.keep_alive(&project, &request.get_ref().id).await;
        Ok(Response::new(lease_out(&kept.map_err(|error| status(&error))?)))
    }

    async fn close_lease(
        &self,
        request: Request<wire::CloseLeaseRequest>,
    ) -> Result<Response<wire::CloseLeaseResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Run).await?;
        let closed = self.leases.close(&project, &request.get_ref().id).await;
        closed.map_err(|error| status(&error))?;
        Ok(Response::new(wire::CloseLeaseResponse {}))
    }

    async fn report_deployment(
        &self,
        request: Request<wire::ReportDeploymentRequest>,
    ) -> Result<Response<wire::ReportDeploymentResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Run).await?;
        let (asked, faults) = deployment::report_in(request.into_inner());
        let reported = self.service.report_deployment(&project, &asked, faults).await;
        let reported = reported.map_err(|error| status(&error))?;
        let deployment = Some(self.shown(reported.record).await?);
        Ok(Response::new(wire::ReportDeploymentResponse { deployment }))
    }
}

fn lease_out(lease: &Lease) -> wire::Lease {
    wire::Lease { id: lease.id.to_string(), ttl_seconds: lease.ttl_seconds }
}
