use proto::wire;
use proto::wire::secret_service_server::SecretService;
use tonic::{Request, Response, Status};

use super::status::status;
use super::{Parts, named};
use crate::auth::Access;
use crate::convert::{page_in, page_out, secret};
use crate::domain::Faults;

#[tonic::async_trait]
impl SecretService for Parts {
    async fn create_secret(
        &self,
        request: Request<wire::CreateSecretRequest>,
    ) -> Result<Response<wire::Secret>, Status> {
        let asked = request.get_ref().secret.as_ref().and_then(|secret| secret.metadata.as_ref());
        let project = self.project(&request, named(asked), Access::Change).await?;
        let creator = self.caller(&request).await?.user;
        let wire::CreateSecretRequest { secret, dry_run } = request.into_inner();
        let draft = secret::draft(secret.unwrap_or_default(), creator);
        let created = self.service.create_secret(&project, &draft, Faults::new(), dry_run).await;
        Ok(Response::new(secret::message(created.map_err(|error| status(&error))?)))
    }

    async fn get_secret(
        &self,
        request: Request<wire::GetSecretRequest>,
    ) -> Result<Response<wire::Secret>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Read).await?;
        let found = self.service.get_secret(&project, &request.get_ref().name).await;
        Ok(Response::new(secret::message(found.map_err(|error| status(&error))?)))
    }

    async fn list_secrets(
        &self,
        request: Request<wire::ListSecretsRequest>,
    ) -> Result<Response<wire::ListSecretsResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Read).await?;
        let request = request.into_inner();
        let asked = page_in(request.page, request.filter);
        let listed = self.service.list_secrets(&project, &asked).await.map_err(|error| status(&error))?;
        let (secrets, page) = page_out(listed, secret::message);
        Ok(Response::new(wire::ListSecretsResponse { secrets, page }))
    }

    async fn update_secret(
        &self,
        request: Request<wire::UpdateSecretRequest>,
    ) -> Result<Response<wire::Secret>, Status> {
        let asked = request.get_ref().secret.as_ref().and_then(|secret| secret.metadata.as_ref());
        let project = self.project(&request, named(asked), Access::Change).await?;
        let draft = secret::draft(request.into_inner().secret.unwrap_or_default(), None);
        let changed = self.service.update_secret(&project, &draft.name, &draft, Faults::new()).await;
        Ok(Response::new(secret::message(changed.map_err(|error| status(&error))?)))
    }

    async fn delete_secret(
        &self,
        request: Request<wire::DeleteSecretRequest>,
    ) -> Result<Response<wire::DeleteSecretResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Change).await?;
        let deleted = self.service.delete_secret(&project, &request.get_ref().name).await;
        deleted.map_err(|error| status(&error))?;
        Ok(Response::new(wire::DeleteSecretResponse {}))
    }
}
