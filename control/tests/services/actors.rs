//! Others than the admin: who calls with which token.

use proto::wire;
use proto::wire::deployment_service_client::DeploymentServiceClient;
use proto::wire::identity_service_client::IdentityServiceClient;
use proto::wire::package_service_client::PackageServiceClient;
use proto::wire::secret_service_client::SecretServiceClient;
use tonic::service::interceptor::InterceptedService;
use tonic::{Code, Status};

use crate::samples::hello;
use crate::stage::{Authorized, Bearer, Stage};

/// Whoever holds a token.
#[derive(Clone)]
pub(crate) struct Actor(Authorized);

impl Actor {
    pub(crate) fn channel(&self) -> Authorized {
        self.0.clone()
    }

    pub(crate) fn identity(&self) -> IdentityServiceClient<Authorized> {
        IdentityServiceClient::new(self.0.clone())
    }

    pub(crate) fn secrets(&self) -> SecretServiceClient<Authorized> {
        SecretServiceClient::new(self.0.clone())
    }

    pub(crate) fn packages(&self) -> PackageServiceClient<Authorized> {
        PackageServiceClient::new(self.0.clone())
    }

    pub(crate) fn deployments(&self) -> DeploymentServiceClient<Authorized> {
        DeploymentServiceClient::new(self.0.clone())
    }

    pub(crate) async fn create_organization(&self, name: &str) -> Result<wire::Organization, Status> {
        let organization = wire::Organization { metadata: metadata(name), ..Default::default() };
        let request = wire::CreateOrganizationRequest { organization: Some(organization) };
        self.identity().create_organization(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn create_project(
        &self,
        name: &str,
        organization: &str,
    ) -> Result<wire::Project, Status> {
        let project = wire::Project {
            metadata: metadata(name),
            organization: organization.into(),
            ..Default::default()
        };
        let request = wire::CreateProjectRequest { project: Some(project) };
        self.identity().create_project(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn delete_project(&self, name: &str) -> Result<(), Status> {
        let request = wire::DeleteProjectRequest { name: name.into() };
        self.identity().delete_project(request).await.map(|_| ())
    }

    /// The names of the projects they see.
    pub(crate) async fn projects(&self) -> Vec<String> {
        let listed = self.identity().list_projects(wire::ListProjectsRequest::default()).await.unwrap();
        let metadata = listed.into_inner().projects.into_iter().filter_map(|project| project.metadata);
        let mut names: Vec<_> = metadata.map(|metadata| metadata.name).collect();
        names.sort_unstable();
        names
    }

    pub(crate) async fn create_user(
        &self,
        email: &str,
        role: wire::Role,
        memberships: &[(&str, &str, wire::Role)],
    ) -> Result<wire::User, Status> {
        let user = wire::User {
            email: email.into(),
            role: role.into(),
            memberships: memberships_of(memberships),
            ..Default::default()
        };
        let request = wire::CreateUserRequest { user: Some(user) };
        self.identity().create_user(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn set_roles(
        &self,
        email: &str,
        role: wire::Role,
        memberships: &[(&str, &str, wire::Role)],
    ) -> Result<wire::User, Status> {
        let request = wire::SetUserRolesRequest {
            email: email.into(),
            role: role.into(),
            memberships: memberships_of(memberships),
        };
        self.identity().set_user_roles(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn delete_user(&self, email: &str) -> Result<(), Status> {
        let request = wire::DeleteUserRequest { email: email.into() };
        self.identity().delete_user(request).await.map(|_| ())
    }

    pub(crate) async fn create_token(
        &self,
        request: wire::CreateTokenRequest,
    ) -> Result<wire::CreateTokenResponse, Status> {
        self.identity().create_token(request).await.map(tonic::Response::into_inner)
    }

    /// Who they are, which takes any token that is not refused.
    pub(crate) async fn who(&self) -> Result<wire::WhoAmIResponse, Status> {
        self.identity().who_am_i(wire::WhoAmIRequest {}).await.map(tonic::Response::into_inner)
    }
}

impl Stage {
    pub(crate) fn admin(&self) -> Actor {
        self.file("admin.token")
    }

    /// Whoever holds the token in a file of the data directory.
    pub(crate) fn file(&self, name: &str) -> Actor {
        Actor(InterceptedService::new(self.channel.clone(), Bearer::from_file(&self.dir.path().join(name))))
    }

    pub(crate) fn holder_of(&self, token: &str) -> Actor {
        Actor(InterceptedService::new(self.channel.clone(), Bearer::token(token)))
    }

    pub(crate) fn nobody(&self) -> Actor {
        Actor(InterceptedService::new(self.channel.clone(), Bearer::nobody()))
    }

    /// The holder of a token that `maker` makes.
    pub(crate) async fn with_token(&self, maker: &Actor, request: wire::CreateTokenRequest) -> Actor {
        self.holder_of(&maker.create_token(request).await.unwrap().secret)
    }

    /// A user with these roles, made and given a token by the admin.
    pub(crate) async fn user(
        &self,
        email: &str,
        role: wire::Role,
        memberships: &[(&str, &str, wire::Role)],
    ) -> Actor {
        self.admin().create_user(email, role, memberships).await.unwrap();
        self.with_token(&self.admin(), token_for(email)).await
    }
}

/// A token for `user` that is bound by nothing but what they may do.
pub(crate) fn token_for(user: &str) -> wire::CreateTokenRequest {
    wire::CreateTokenRequest { name: "laptop".into(), user: user.into(), ..Default::default() }
}

pub(crate) fn metadata(name: &str) -> Option<wire::Metadata> {
    Some(wire::Metadata { name: name.into(), ..Default::default() })
}

/// Each as `("organization" or "project", which, role)`.
fn memberships_of(memberships: &[(&str, &str, wire::Role)]) -> Vec<wire::Membership> {
    let membership = |(kind, name, role): &(&str, &str, wire::Role)| wire::Membership {
        r#where: Some(match *kind {
            "organization" => wire::membership::Where::Organization((*name).into()),
            _ => wire::membership::Where::Project((*name).into()),
        }),
        role: (*role).into(),
    };
    memberships.iter().map(membership).collect()
}

/// `hello 1.0`, to be created in `project`.
pub(crate) fn package_in(project: &str) -> wire::CreatePackageRequest {
    let mut package = hello();
    package.metadata.as_mut().unwrap().project = project.into();
    wire::CreatePackageRequest { package: Some(package), dry_run: false }
}

/// What listing the packages of `project` meets.
pub(crate) async fn code_of_list(actor: &Actor, project: &str) -> Code {
    let request = wire::ListPackagesRequest { project: project.into(), ..Default::default() };
    actor.packages().list_packages(request).await.err().map_or(Code::Ok, |status| status.code())
}
