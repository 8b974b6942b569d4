//! A deployment as someone wrote it, and what it is judged by.

use std::collections::BTreeMap;

use super::executables::ExecutableStatus;
use super::{
    Dependency, DependencyDraft, DeployedEndpoint, Deployment, EnvVar, PackageRef, Settings,
    StaticRouteBinding, Volume,
};
use crate::domain::name::{DeploymentName, PackageName, Version};
use crate::domain::{Package, UserGuid};

/// What someone wants to create, or to have in place of what is there.
#[derive(Debug, Clone, Default)]
pub struct DeploymentDraft {
    /// Its name.
    pub name: String,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// Who asks.
    pub creator: Option<UserGuid>,
    /// Which package.
    pub package_name: String,
    /// Which version of it.
    pub package_version: String,
    /// Name or id of the plan; may be empty when there is only one.
    pub plan: String,
    /// Overrides of parameters, and further environment.
    pub env_args: Vec<EnvArgDraft>,
    /// Static routes that are to lead to it.
    pub static_routes: Vec<BindingDraft>,
    /// What its executables mount.
    pub volumes: Vec<VolumeDraft>,
    /// Backends that are simply there.
    pub backends: Vec<EndpointBackendsDraft>,
    /// The deployments it depends on.
    pub depends: Vec<DependencyDraft>,
    /// What its runtime is told beside.
    pub settings: Settings,
}

/// A variable as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct EnvArgDraft {
    /// The variable.
    pub name: String,
    /// Its value; empty when a secret holds it.
    pub value: String,
    /// Name of the secret and the key in it that its value is taken from.
    pub value_from: Option<(String, String)>,
    /// The name under which dependent deployments see it; empty when they do not.
    pub exposed_as: String,
}

/// A static route and an endpoint, as someone wrote them.
#[derive(Debug, Clone, Default)]
pub struct BindingDraft {
    /// Name or host name of the static route.
    pub static_route: String,
    /// May be empty when there is only one external endpoint.
    pub endpoint: String,
}

/// A volume as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct VolumeDraft {
    /// Who mounts it.
    pub executable: String,
    /// Where.
    pub mount_path: String,
    /// Which disk.
    pub disk: String,
    /// Which directory of it.
    pub sub_path: String,
    /// Number of the user who owns it. Devices only, as the two that follow.
    pub uid: Option<u32>,
    /// Number of the group that owns it.
    pub gid: Option<u32>,
    /// The digits of its mode: 755.
    pub perm: Option<u32>,
}

/// Backends of one endpoint, as someone wrote them.
#[derive(Debug, Clone, Default)]
pub struct EndpointBackendsDraft {
    /// The endpoint.
    pub endpoint: String,
    /// Addresses, each with whether it may be chosen.
    pub backends: Vec<(String, bool)>,
}

/// What a draft is judged by, as far as it is there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The package it asks for. Without it, what depends on it cannot be judged.
    pub package: Option<&'a Package>,
    /// The deployments it depends on, one for each it names.
    pub parents: &'a [Option<&'a Deployment>],
    /// The deployment it is to change; none when it is to be created.
    pub before: Option<&'a Deployment>,
}

/// A deployment that breaks no rule, before it is given its guid and random routes.
#[derive(Debug, Clone)]
pub struct JudgedDeployment {
    pub(super) name: DeploymentName,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) creator: Option<UserGuid>,
    pub(super) package: PackageRef,
    pub(super) env_args: Vec<EnvVar>,
    pub(super) parameters: Vec<EnvVar>,
    pub(super) depends: Vec<Dependency>,
    pub(super) settings: Settings,
    pub(super) volumes: Vec<Volume>,
    pub(super) endpoints: Vec<DeployedEndpoint>,
    pub(super) static_routes: Vec<StaticRouteBinding>,
    pub(super) executables: Vec<ExecutableStatus>,
}

impl JudgedDeployment {
    /// Its name.
    pub fn name(&self) -> &DeploymentName {
        &self.name
    }

    /// The static routes that are to lead to it, in the order they were written.
    pub fn static_routes(&self) -> &[StaticRouteBinding] {
        &self.static_routes
    }

    /// Whether each of its external endpoints, of which there is one at least, has backends that are
    /// simply there: then nothing needs to be set up before it is served.
    pub(super) fn is_simply_there(&self) -> bool {
        let mut external =
            self.endpoints.iter().filter(|endpoint| endpoint.kind.external().is_some()).peekable();
        external.peek().is_some() && external.all(|endpoint| !endpoint.fixed.is_empty())
    }
}

impl DeploymentDraft {
    /// The package it asks for, if that can be named.
    pub fn package(&self) -> Option<(PackageName, Version)> {
        PackageName::parse(&self.package_name).ok().zip(Version::parse(&self.package_version).ok())
    }

    /// The plan it asks for: in an update, what it does not say stays.
    pub fn plan<'a>(&'a self, before: Option<&'a Deployment>) -> &'a str {
        match before {
            Some(before) if self.plan.is_empty() => before.package.plan.as_str(),
            _ => &self.plan,
        }
    }
}
