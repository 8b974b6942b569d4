//! Where records stand. What the parts mean is said in [`crate::domain::record`].

use proto::ProjectId;

use crate::domain::record::{
    DEPLOYMENT, DEPLOYMENT_NAME, GUID, LABEL, LEASE, PACKAGE, PACKAGE_USE, PROJECT, STATIC_ROUTE,
};
use crate::domain::{DeploymentGuid, DeploymentName, Label, LeaseId, PackageName, StaticRouteLabel, Version};
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

/// A static route.
pub fn static_route(project: &ProjectId, label: &StaticRouteLabel) -> Key {
    Key::of([PROJECT, project.as_str(), STATIC_ROUTE, label.as_str()])
}

/// Every static route.
pub fn static_routes(project: &ProjectId) -> Prefix {
    Prefix::of([PROJECT, project.as_str(), STATIC_ROUTE])
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
