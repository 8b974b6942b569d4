use proto::wire;
use proto::wire::identity_service_server::IdentityService;
use tonic::{Request, Response, Status};

use super::Parts;
use super::status::status;
use crate::convert::{identity, page_in, page_out};
use crate::domain::{Faults, Organization};

impl Parts {
    async fn organization_message(&self, organization: Organization) -> Result<wire::Organization, Status> {
        let used = self.service.static_routes_used(&organization.guid).await;
        Ok(identity::organization(organization, used.map_err(|error| status(&error))?))
    }
}

#[tonic::async_trait]
impl IdentityService for Parts {
    async fn who_am_i(
        &self,
        request: Request<wire::WhoAmIRequest>,
    ) -> Result<Response<wire::WhoAmIResponse>, Status> {
        let who = self.service.who_am_i(&self.caller(&request).await?, 0).await;
        Ok(Response::new(identity::who(who.map_err(|error| status(&error))?)))
    }

    async fn create_organization(
        &self,
        request: Request<wire::CreateOrganizationRequest>,
    ) -> Result<Response<wire::Organization>, Status> {
        let caller = self.caller(&request).await?;
        let organization = request.into_inner().organization.unwrap_or_default();
        let (draft, faults) = identity::organization_draft(organization, caller.user.clone());
        let created = self.service.create_organization(&caller, &draft, faults).await;
        let created = created.map_err(|error| status(&error))?;
        Ok(Response::new(self.organization_message(created).await?))
    }

    async fn get_organization(
        &self,
        request: Request<wire::GetOrganizationRequest>,
    ) -> Result<Response<wire::Organization>, Status> {
        let caller = self.caller(&request).await?;
        let found = self.service.get_organization(&caller, &request.get_ref().name).await;
        let found = found.map_err(|error| status(&error))?;
        Ok(Response::new(self.organization_message(found).await?))
    }

    async fn list_organizations(
        &self,
        request: Request<wire::ListOrganizationsRequest>,
    ) -> Result<Response<wire::ListOrganizationsResponse>, Status> {
        let caller = self.caller(&request).await?;
        let asked = page_in(request.into_inner().page, None);
        let listed = self.service.list_organizations(&caller, &asked).await;
        let (found, page) = page_out(listed.map_err(|error| status(&error))?, |found| found);
        let mut organizations = Vec::with_capacity(found.len());
        for organization in found {
            organizations.push(self.organization_message(organization).await?);
        }
        Ok(Response::new(wire::ListOrganizationsResponse { organizations, page }))
    }

    async fn update_organization(
        &self,
        request: Request<wire::UpdateOrganizationRequest>,
    ) -> Result<Response<wire::Organization>, Status> {
        let caller = self.caller(&request).await?;
        let organization = request.into_inner().organization.unwrap_or_default();
        let (draft, faults) = identity::organization_draft(organization, None);
        let changed = self.service.update_organization(&caller, &draft, faults).await;
        let changed = changed.map_err(|error| status(&error))?;
        Ok(Response::new(self.organization_message(changed).await?))
    }

    async fn delete_organization(
        &self,
        request: Request<wire::DeleteOrganizationRequest>,
    ) -> Result<Response<wire::DeleteOrganizationResponse>, Status> {
        let caller = self.caller(&request).await?;
        let deleted = self.service.delete_organization(&caller, &request.get_ref().name).await;
        deleted.map_err(|error| status(&error))?;
        Ok(Response::new(wire::DeleteOrganizationResponse {}))
    }

    async fn create_project(
        &self,
        request: Request<wire::CreateProjectRequest>,
    ) -> Result<Response<wire::Project>, Status> {
        let caller = self.caller(&request).await?;
        let project = request.into_inner().project.unwrap_or_default();
        let draft = identity::project_draft(project, caller.user.clone());
        let created = self.service.create_project(&caller, &draft, Faults::new()).await;
        Ok(Response::new(identity::project(created.map_err(|error| status(&error))?)))
    }

    async fn get_project(
        &self,
        request: Request<wire::GetProjectRequest>,
    ) -> Result<Response<wire::Project>, Status> {
        let caller = self.caller(&request).await?;
        let found = self.service.get_project(&caller, &request.get_ref().name).await;
        Ok(Response::new(identity::project(found.map_err(|error| status(&error))?)))
    }

    async fn list_projects(
        &self,
        request: Request<wire::ListProjectsRequest>,
    ) -> Result<Response<wire::ListProjectsResponse>, Status> {
        let caller = self.caller(&request).await?;
        let wire::ListProjectsRequest { page, organization, filter } = request.into_inner();
        let listed = self.service.list_projects(&caller, &page_in(page, filter), &organization).await;
        let (projects, page) = page_out(listed.map_err(|error| status(&error))?, identity::project);
        Ok(Response::new(wire::ListProjectsResponse { projects, page }))
    }

    async fn delete_project(
        &self,
        request: Request<wire::DeleteProjectRequest>,
    ) -> Result<Response<wire::DeleteProjectResponse>, Status> {
        let caller = self.caller(&request).await?;
        let deleted = self.service.delete_project(&caller, &request.get_ref().name).await;
        deleted.map_err(|error| status(&error))?;
        Ok(Response::new(wire::DeleteProjectResponse {}))
    }

    async fn create_user(
        &self,
        request: Request<wire::CreateUserRequest>,
    ) -> Result<Response<wire::User>, Status> {
        let caller = self.caller(&request).await?;
        let user = request.into_inner().user.unwrap_or_default();
        let (draft, faults) = identity::user_draft(user, caller.user.clone());
        let created = self.service.create_user(&caller, &draft, faults).await;
        Ok(Response::new(identity::user(created.map_err(|error| status(&error))?)))
    }

    async fn get_user(&self, request: Request<wire::GetUserRequest>) -> Result<Response<wire::User>, Status> {
        let caller = self.caller(&request).await?;
        let found = self.service.get_user(&caller, &request.get_ref().email).await;
        Ok(Response::new(identity::user(found.map_err(|error| status(&error))?)))
    }

    async fn list_users(
        &self,
        request: Request<wire::ListUsersRequest>,
    ) -> Result<Response<wire::ListUsersResponse>, Status> {
        let caller = self.caller(&request).await?;
        let asked = page_in(request.into_inner().page, None);
        let listed = self.service.list_users(&caller, &asked).await;
        let (users, page) = page_out(listed.map_err(|error| status(&error))?, identity::user);
        Ok(Response::new(wire::ListUsersResponse { users, page }))
    }

    async fn set_user_roles(
        &self,
        request: Request<wire::SetUserRolesRequest>,
    ) -> Result<Response<wire::User>, Status> {
        let caller = self.caller(&request).await?;
        let wire::SetUserRolesRequest { email, role, memberships } = request.into_inner();
        let (draft, faults) = identity::roles_draft(role, memberships);
        let changed = self.service.set_user_roles(&caller, &email, &draft, faults).await;
        Ok(Response::new(identity::user(changed.map_err(|error| status(&error))?)))
    }

    async fn delete_user(
        &self,
        request: Request<wire::DeleteUserRequest>,
    ) -> Result<Response<wire::DeleteUserResponse>, Status> {
        let caller = self.caller(&request).await?;
        let deleted = self.service.delete_user(&caller, &request.get_ref().email).await;
        deleted.map_err(|error| status(&error))?;
        Ok(Response::new(wire::DeleteUserResponse {}))
    }

    async fn create_token(
        &self,
        request: Request<wire::CreateTokenRequest>,
    ) -> Result<Response<wire::CreateTokenResponse>, Status> {
        let caller = self.caller(&request).await?;
        let (draft, faults) = identity::token_draft(request.into_inner());
        let made = self.service.create_token(&caller, &draft, faults).await;
        let (token, secret) = made.map_err(|error| status(&error))?;
        let (token, secret) = (Some(identity::token(token)), secret.secret().to_owned());
        Ok(Response::new(wire::CreateTokenResponse { token, secret }))
    }

    async fn list_tokens(
        &self,
        request: Request<wire::ListTokensRequest>,
    ) -> Result<Response<wire::ListTokensResponse>, Status> {
        let caller = self.caller(&request).await?;
        let wire::ListTokensRequest { page, user } = request.into_inner();
        let listed = self.service.list_tokens(&caller, &page_in(page, None), &user).await;
        let (tokens, page) = page_out(listed.map_err(|error| status(&error))?, identity::token);
        Ok(Response::new(wire::ListTokensResponse { tokens, page }))
    }

    async fn delete_token(
        &self,
        request: Request<wire::DeleteTokenRequest>,
    ) -> Result<Response<wire::DeleteTokenResponse>, Status> {
        let caller = self.caller(&request).await?;
        let deleted = self.service.delete_token(&caller, &request.get_ref().id).await;
        deleted.map_err(|error| status(&error))?;
        Ok(Response::new(wire::DeleteTokenResponse {}))
    }
}
