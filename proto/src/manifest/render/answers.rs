use serde_json::{Value, json};

use super::executable::For;
use super::{Kind, Object, Parts, deployment, identity, package, static_route};
use crate::manifest::API_VERSIONS;
use crate::manifest::render::writer::put;
use crate::wire;

/// Whose a resource is, as far as its message does not say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    /// Guid of the organization.
    pub organization_guid: String,
    /// What people call the organization.
    pub organization_name: String,
    /// What people call the project.
    pub project_name: String,
}

/// Writes answers to the real client: like manifests, but nothing that its models refuse, and the variables
/// and URLs it looks for where it looks for them.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'o> {
    owner: &'o Owner,
}

impl<'o> Answers<'o> {
    /// About resources of this owner.
    pub fn of(owner: &'o Owner) -> Self {
        Self { owner }
    }

    /// A package.
    pub fn package(&self, package: &wire::Package) -> Value {
        self.owned(package::parts(package, For::Client))
    }

    /// A deployment: with where its endpoints are among `envArgs`, and the URLs of its static routes.
    pub fn deployment(&self, deployment: &wire::Deployment) -> Value {
        self.owned(deployment::parts(deployment, For::Client))
    }

    /// A static route.
    pub fn static_route(&self, route: &wire::StaticRoute) -> Value {
        self.owned(static_route::parts(route, For::Client))
    }

    /// A secret, without what it holds.
    pub fn secret(&self, secret: &wire::Secret) -> Value {
        self.owned(identity::secret_parts(secret, For::Client))
    }

    /// A project. Its message says which organization it belongs to.
    pub fn project(&self, project: &wire::Project) -> Value {
        let mut parts = identity::project_parts(project, For::Client);
        put(&mut parts.metadata, "projectGUID", project.metadata.as_ref().map_or("", |it| &it.guid));
        parts.into_value()
    }

    /// Any resource.
    pub fn object(&self, object: &Object) -> Value {
        match object {
            Object::Package(package) => self.package(package),
            Object::Deployment(deployment) => self.deployment(deployment),
            Object::StaticRoute(route) => self.static_route(route),
            Object::Secret(secret) => self.secret(secret),
            Object::Project(project) => self.project(project),
        }
    }

    fn owned(&self, mut parts: Parts) -> Value {
        put(&mut parts.metadata, "organizationGUID", &self.owner.organization_guid);
        put(&mut parts.metadata, "organizationName", &self.owner.organization_name);
        put(&mut parts.metadata, "projectName", &self.owner.project_name);
        parts.into_value()
    }
}

/// A stretch of a listing. `next` is what the client sends to go on; none ends it.
pub fn list(kind: Kind, items: Vec<Value>, next: Option<u64>) -> Value {
    json!({
        "apiVersion": API_VERSIONS[0],
        "kind": format!("{kind}List"),
        "metadata": { "continue": next },
        "items": items,
    })
}
