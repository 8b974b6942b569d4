use proto::wire;
use proto::wire::package_service_server::PackageService;
use tonic::{Request, Response, Status};

use super::status::status;
use super::{Parts, named};
use crate::auth::Access;
use crate::convert::{package, page_in, page_out};

#[tonic::async_trait]
impl PackageService for Parts {
    async fn create_package(
        &self,
        request: Request<wire::CreatePackageRequest>,
    ) -> Result<Response<wire::Package>, Status> {
        let asked = request.get_ref().package.as_ref().and_then(|package| package.metadata.as_ref());
        let project = self.project(&request, named(asked), Access::Change).await?;
        let creator = self.caller(&request).await?.user;
        let request = request.into_inner();
        let (mut draft, faults) = package::draft(request.package.unwrap_or_default());
        draft.creator = creator;
        let created = self.service.create_package(&project, &draft, faults, request.dry_run).await;
        Ok(Response::new(package::message(created.map_err(|error| status(&error))?)))
    }

    async fn get_package(
        &self,
        request: Request<wire::GetPackageRequest>,
    ) -> Result<Response<wire::Package>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Read).await?;
        let wire::GetPackageRequest { name, version, .. } = request.into_inner();
        let found = self.service.get_package(&project, &name, &version).await;
        Ok(Response::new(package::message(found.map_err(|error| status(&error))?)))
    }

    async fn list_packages(
        &self,
        request: Request<wire::ListPackagesRequest>,
    ) -> Result<Response<wire::ListPackagesResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Read).await?;
        let request = request.into_inner();
        let asked = page_in(request.page, request.filter);
        let listed = self.service.list_packages(&project, &asked).await.map_err(|error| status(&error))?;
        let (packages, page) = page_out(listed, package::message);
        Ok(Response::new(wire::ListPackagesResponse { packages, page }))
    }

    async fn delete_package(
        &self,
        request: Request<wire::DeletePackageRequest>,
    ) -> Result<Response<wire::DeletePackageResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Change).await?;
        let wire::DeletePackageRequest { name, version, .. } = request.into_inner();
        let deleted = self.service.delete_package(&project, &name, &version).await;
        deleted.map_err(|error| status(&error))?;
        Ok(Response::new(wire::DeletePackageResponse {}))
    }
}
