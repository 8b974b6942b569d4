//! Where records stand. What the parts mean is said in [`crate::domain::record`].

use proto::{BackendAddr, ProjectId};

use crate::domain::name::{Email, OrganizationName, ProjectName, SecretName};
use crate::domain::organization::ShortId;
use crate::domain::record::{
    BACKEND_ADDRESS, DEPENDENCIES, DEPLOYMENT, DEPLOYMENT_NAME, GUID, INSTALLATION, LABEL, LEASE,
    ORGANIZATION, ORGANIZATION_NAME, ORGANIZATION_SHORT, PACKAGE, PACKAGE_USE, PROJECT, PROJECT_CLOSED,
    PROJECT_NAME, PROJECT_RECORD, RELEASED, ROUTE_COUNT, SECRET, STATIC_ROUTE, TOKEN, TOKEN_NAME, USER,
    USER_EMAIL,
};
use crate::domain::token::TokenRecord;
use crate::domain::user::Where;
use crate::domain::{
    DeploymentGuid, DeploymentName, Label, LeaseId, OrganizationGuid, PackageName, RandomLabel,
    StaticRouteLabel, Timestamp, UserGuid, Version,
};
use crate::store::{Key, Prefix};

/// One version of a package.
pub fn package(project: &ProjectId, name: &PackageName, version: &Version) -> Key {
    Key::of([PROJECT, project.as_str(), PACKAGE, name.as_str(), version.as_str()])
}

/// Every version of every package.
pub fn packages(project: &ProjectId) -> Prefix {
    Prefix::of([PROJECT, project.as_str(), PACKAGE])
}

/// Every version of a package.
pub fn versions(project: &ProjectId, name: &PackageName) -> Prefix {
    Prefix::of([PROJECT, project.as_str(), PACKAGE, name.as_str()])
}

/// That a live deployment uses a package.
pub fn package_use(
    project: &ProjectId,
    name: &PackageName,
    version: &Version,
    deployment: &DeploymentGuid,
) -> Key {
    Key::of([PROJECT, project.as_str(), PACKAGE_USE, name.as_str(), version.as_str(), deployment.as_str()])
}

/// The live deployments that use a package.
pub fn package_uses(project: &ProjectId, name: &PackageName, version: &Version) -> Prefix {
    Prefix::of([PROJECT, project.as_str(), PACKAGE_USE, name.as_str(), version.as_str()])
}

/// A deployment.
pub fn deployment(project: &ProjectId, guid: &DeploymentGuid) -> Key {
    Key::of([PROJECT, project.as_str(), DEPLOYMENT, guid.as_str()])
}

/// Every deployment.
pub fn deployments(project: &ProjectId) -> Prefix {
    Prefix::of([PROJECT, project.as_str(), DEPLOYMENT])
}

/// Which deployments have or had a name.
pub fn deployment_name(project: &ProjectId, name: &DeploymentName) -> Key {
    Key::of([PROJECT, project.as_str(), DEPLOYMENT_NAME, name.as_str()])
}

/// Which deployment last began to depend on another that was there before it.
pub fn dependencies(project: &ProjectId) -> Key {
    Key::of([PROJECT, project.as_str(), DEPENDENCIES])
}

/// A static route.
pub fn static_route(project: &ProjectId, label: &StaticRouteLabel) -> Key {
    Key::of([PROJECT, project.as_str(), STATIC_ROUTE, label.as_str()])
}

/// Every static route.
pub fn static_routes(project: &ProjectId) -> Prefix {
    Prefix::of([PROJECT, project.as_str(), STATIC_ROUTE])
}

/// A secret.
pub fn secret(project: &ProjectId, name: &SecretName) -> Key {
    Key::of([PROJECT, project.as_str(), SECRET, name.as_str()])
}

/// Every secret.
pub fn secrets(project: &ProjectId) -> Prefix {
    Prefix::of([PROJECT, project.as_str(), SECRET])
}

/// A lease.
pub fn lease(project: &ProjectId, id: &LeaseId) -> Key {
    Key::of([PROJECT, project.as_str(), LEASE, id.as_str()])
}

/// What has a guid.
pub fn guid(project: &ProjectId, guid: &str) -> Key {
    Key::of([PROJECT, project.as_str(), GUID, guid])
}

/// Who owns a label, across the platform.
pub fn claim(label: &Label) -> Key {
    Key::of([LABEL, label.as_str()])
}

/// Random labels given up at a time, `first` the first of them.
pub fn released(at: Timestamp, first: &RandomLabel) -> Key {
    Key::of([RELEASED, &at.sortable(), first.as_str()])
}

/// All random labels given up of late, the oldest first.
pub fn all_released() -> Prefix {
    Prefix::of([RELEASED])
}

/// Which project an address belongs to.
pub fn backend_address(address: BackendAddr) -> Key {
    Key::of([BACKEND_ADDRESS, &address.to_string()])
}

/// How many static routes an organization has.
pub fn route_count(organization: &OrganizationGuid) -> Key {
    Key::of([ROUTE_COUNT, organization.as_str()])
}

/// A project.
pub fn project(guid: &ProjectId) -> Key {
    Key::of([PROJECT_RECORD, guid.as_str()])
}

/// Every project.
pub fn projects() -> Prefix {
    Prefix::of([PROJECT_RECORD])
}

/// Everything a project holds.
pub fn held_by(project: &ProjectId) -> Prefix {
    Prefix::of([PROJECT, project.as_str()])
}

/// Which project has a name in an organization.
pub fn project_name(name: &ProjectName, organization: &OrganizationGuid) -> Key {
    Key::of([PROJECT_NAME, name.as_str(), organization.as_str()])
}

/// The projects of a name, one in each organization.
pub fn projects_named(name: &ProjectName) -> Prefix {
    Prefix::of([PROJECT_NAME, name.as_str()])
}

/// That nothing is to be written into a project any more.
pub fn project_closed(guid: &ProjectId) -> Key {
    Key::of([PROJECT_CLOSED, guid.as_str()])
}

/// An organization.
pub fn organization(guid: &OrganizationGuid) -> Key {
    Key::of([ORGANIZATION, guid.as_str()])
}

/// Every organization.
pub fn organizations() -> Prefix {
    Prefix::of([ORGANIZATION])
}

/// Which organization has a name.
pub fn organization_name(name: &OrganizationName) -> Key {
    Key::of([ORGANIZATION_NAME, name.as_str()])
}

/// Which organization has a short id.
pub fn organization_short(id: &ShortId) -> Key {
    Key::of([ORGANIZATION_SHORT, id.as_str()])
}

/// A user.
pub fn user(guid: &UserGuid) -> Key {
    Key::of([USER, guid.as_str()])
}

/// Every user.
pub fn users() -> Prefix {
    Prefix::of([USER])
}

/// Which user is called so.
pub fn user_email(email: &Email) -> Key {
    Key::of([USER_EMAIL, email.as_str()])
}

/// A token, by its hash.
pub fn token(hash: &str) -> Key {
    Key::of([TOKEN, hash])
}

/// Every token.
pub fn tokens() -> Prefix {
    Prefix::of([TOKEN])
}

/// Which token its owner calls so. The owner of a machine's is the one project it opens: what others call
/// theirs is neither told there nor in the way.
pub fn token_name(token: &TokenRecord) -> Key {
    let owner = match (&token.user, token.within.as_deref()) {
        (Some(user), _) => user.as_str(),
        (None, Some([Where::Project(project)])) => project.as_str(),
        (None, _) => "-",
    };
    Key::of([TOKEN_NAME, owner, &token.name])
}

/// The names of a user's tokens.
pub fn token_names(owner: &UserGuid) -> Prefix {
    Prefix::of([TOKEN_NAME, owner.as_str()])
}

/// What there is once.
pub fn installation() -> Key {
    Key::of([INSTALLATION])
}
