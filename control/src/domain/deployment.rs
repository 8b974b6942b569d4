//! Deployments: a package put to work.

use std::collections::BTreeMap;

use proto::{Backend, BackendAddr, ProjectId};
use serde::{Deserialize, Serialize};

use super::label::{RandomLabel, StaticRouteLabel};
use super::name::{
    ComponentName, DeploymentName, EndpointName, ExecutableName, PackageName, PlanName, VariableName, Version,
};
use super::package::{EndpointKind, RestartPolicy, Runtime};
use super::text::{as_project, as_text};
use super::{DeploymentGuid, LeaseId, SecretKey, Timestamp, UserGuid};

mod dependency;
mod draft;
mod events;
mod executables;
mod judge;
mod lifecycle;
mod report;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod update;
mod viewed;

pub use dependency::{Dependency, DependencyDraft, MOST_DEPENDENCIES, cycle_through};
pub use draft::{
    BindingDraft, DeploymentDraft, EndpointBackendsDraft, EnvArgDraft, JudgedDeployment, Known, VolumeDraft,
};
pub use events::Event;
pub use executables::{ExecutableReport, ExecutableState, ExecutableStatus};
pub use lifecycle::Held;
pub use report::{Report, ReportDraft};
pub use settings::{Features, RosNetwork};
pub use state::{ErrorCode, Phase, Status};
pub use update::{Moved, Updated};
pub use viewed::{DependencyStatus, ViewedDeployment};

/// Most static routes one deployment may hold: stopping it releases all of them in one commit.
pub const MOST_STATIC_ROUTES: usize = 60;

/// A deployment, as it is stored. It stays when it is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Given by the control plane.
    pub guid: DeploymentGuid,
    /// The project it belongs to.
    #[serde(with = "as_project")]
    pub project: ProjectId,
    /// Unique among the live deployments of the project.
    pub name: DeploymentName,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed: by its owner, its runtime, or a binding.
    pub updated_at: Timestamp,
    /// Who created it; none where the control plane did, or an earlier version of it.
    #[serde(default)]
    pub creator: Option<UserGuid>,
    /// 1 at creation, one more with each update in place.
    pub generation: u64,
    /// What is deployed.
    pub package: PackageRef,
    /// What it was given beside the package's defaults.
    pub env_args: Vec<EnvVar>,
    /// The deployments it depends on, in the order they were named.
    #[serde(default)]
    pub depends: Vec<Dependency>,
    /// What its runtime is told beside.
    #[serde(default)]
    pub settings: Settings,
    /// What its executables mount.
    pub volumes: Vec<Volume>,
    /// Its endpoints as the package declares them, in that order, with what it has of its own.
    pub endpoints: Vec<DeployedEndpoint>,
    /// The package's parameters with the value each has here.
    pub parameters: Vec<EnvVar>,
    /// The static routes that lead here, oldest binding first. The mirror of what those routes say:
    /// both are written in one commit, so that stopping finds them, and no binding slips by a stop.
    pub static_routes: Vec<StaticRouteBinding>,
    /// How far it has come.
    pub phase: Phase,
    /// How it does.
    pub status: Status,
    /// What its runtime says went wrong.
    pub error_codes: Vec<ErrorCode>,
    /// What its runtime says to people.
    pub message: String,
    /// The executables of its plan, as far as its runtime has told. Empty in records of earlier versions,
    /// until its runtime tells.
    #[serde(default)]
    pub executables: Vec<ExecutableStatus>,
    /// What happened to it lately, oldest first.
    #[serde(default)]
    pub events: Vec<Event>,
    /// When it was stopped.
    #[serde(default)]
    pub stopped_at: Option<Timestamp>,
}

/// What its runtime is told beside what is to run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Settings {
    /// Where the manifest says it runs; none when it does not say.
    pub runtime: Option<Runtime>,
    /// None: what the package says.
    pub restart: Option<RestartPolicy>,
    /// The device that runs its device components; empty when none was named.
    pub device: String,
    /// ROS networks it takes part in.
    pub ros_networks: Vec<RosNetwork>,
    /// What the platform's own services are told; none when nothing was said.
    pub features: Option<Features>,
    /// Empty when none was named.
    pub service_account: String,
    /// Empty when none was named.
    pub network_interface: String,
}

/// Which package, and which plan of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageRef {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// The plan.
    pub plan: PlanName,
}

/// A variable and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvVar {
    /// The variable.
    pub name: VariableName,
    /// Its value; empty when a secret holds it.
    pub value: String,
    /// The secret its value stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<SecretKey>,
    /// The name under which dependent deployments see it; none when they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed_as: Option<VariableName>,
}

/// A disk an executable mounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Who mounts it.
    pub executable: ExecutableName,
    /// Where.
    pub mount_path: String,
    /// Which disk.
    pub disk: String,
    /// Which directory of the disk; empty for the whole.
    pub sub_path: String,
    /// Number of the user who owns it. Devices only, as the two that follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Number of the group that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// The digits of its mode, as they are written: 755.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perm: Option<u32>,
}

/// An endpoint of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedEndpoint {
    /// As in the package.
    pub name: EndpointName,
    /// The component behind it.
    pub component: ComponentName,
    /// As in the package.
    pub kind: EndpointKind,
    /// External endpoints have one until the deployment is stopped.
    pub random: Option<RandomLabel>,
    /// Backends that are simply there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixed: Vec<StoredBackend>,
    /// Backends a runtime has reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Reported>,
}

/// What a runtime said of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// It holds while this lease does: unhealthy when lapsed, void when closed.
    pub lease: LeaseId,
    /// What was said.
    pub backends: Vec<StoredBackend>,
}

/// A backend, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBackend {
    /// Where it listens.
    #[serde(with = "as_text")]
    pub address: BackendAddr,
    /// Whether it may be chosen.
    pub healthy: bool,
}

/// A static route and the endpoint it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaticRouteBinding {
    /// The route.
    pub label: StaticRouteLabel,
    /// The endpoint.
    pub endpoint: EndpointName,
}

impl Deployment {
    /// Whether it has not been stopped.
    pub fn is_live(&self) -> bool {
        self.phase != Phase::Stopped
    }

    /// Its endpoint called `name`.
    pub fn endpoint(&self, name: &str) -> Option<&DeployedEndpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name.as_str() == name)
    }

    /// Names of the secrets it refers to, some perhaps several times: in its environment, not where images
    /// are pulled from.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let variables = self.parameters.iter().chain(&self.env_args);
        variables.filter_map(|variable| variable.value_from.as_ref()).map(|from| from.secret.as_str())
    }

    /// Its external endpoints.
    pub fn external_endpoints(&self) -> impl Iterator<Item = &DeployedEndpoint> {
        self.endpoints.iter().filter(|endpoint| endpoint.kind.external().is_some())
    }
}

impl EnvVar {
    /// A variable whose value is here for everyone to see, and for its deployment alone.
    pub fn plain(name: VariableName, value: impl Into<String>) -> Self {
        Self { name, value: value.into(), value_from: None, exposed_as: None }
    }
}

impl From<StoredBackend> for Backend {
    fn from(stored: StoredBackend) -> Self {
        Self { address: stored.address, healthy: stored.healthy }
    }
}

impl From<Backend> for StoredBackend {
    fn from(backend: Backend) -> Self {
        Self { address: backend.address, healthy: backend.healthy }
    }
}
