//! Deployments: a package put to work.

use std::collections::BTreeMap;

use proto::{Backend, BackendAddr, ProjectId};
use serde::{Deserialize, Serialize};

use super::label::{RandomLabel, StaticRouteLabel};
use super::name::{
    ComponentName, DeploymentName, EndpointName, ExecutableName, PackageName, PlanName, VariableName, Version,
};
use super::package::EndpointKind;
use super::text::{as_project, as_text};
use super::{DeploymentGuid, LeaseId, Timestamp};

mod draft;
mod lifecycle;
mod report;
#[cfg(test)]
mod tests;

pub use draft::{BindingDraft, DeploymentDraft, EndpointBackendsDraft, JudgedDeployment, VolumeDraft};
pub use lifecycle::Held;
pub use report::{Report, ReportDraft};

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
    /// 1 at creation, one more with each update in place.
    pub generation: u64,
    /// What is deployed.
    pub package: PackageRef,
    /// What it was given beside the package's defaults.
    pub env_args: Vec<EnvVar>,
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
    /// Its value.
    pub value: String,
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

/// How far a deployment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Accepted; no runtime has taken it up.
    InProgress,
    /// A runtime prepares it.
    Provisioning,
    /// It has been set up.
    Succeeded,
    /// An update failed; what ran before may run still.
    FailedToUpdate,
    /// It has never run.
    FailedToStart,
    /// It is no more. Terminal.
    Stopped,
}

/// How a deployment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All of it runs.
    Running,
    /// Some of it is still to come.
    Pending,
    /// Some of it does not run.
    Error,
    /// Nobody knows.
    Unknown,
    /// It is no more.
    Stopped,
}

/// What a runtime says went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorCode {
    /// An image could not be pulled.
    #[serde(rename = "DEP_E153")]
    ImagePull,
    /// An executable exited too early.
    #[serde(rename = "DEP_E154")]
    ExitedEarly,
    /// An executable failed.
    #[serde(rename = "DEP_E155")]
    Failed,
    /// A parent is in error.
    #[serde(rename = "DEP_E156")]
    ParentInError,
}

impl ErrorCode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ImagePull, Self::ExitedEarly, Self::Failed, Self::ParentInError];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImagePull => "DEP_E153",
            Self::ExitedEarly => "DEP_E154",
            Self::Failed => "DEP_E155",
            Self::ParentInError => "DEP_E156",
        }
    }
}

impl Phase {
    /// As people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Provisioning => "Provisioning",
            Self::Succeeded => "Succeeded",
            Self::FailedToUpdate => "FailedToUpdate",
            Self::FailedToStart => "FailedToStart",
            Self::Stopped => "Stopped",
        }
    }
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

    /// Its external endpoints.
    pub fn external_endpoints(&self) -> impl Iterator<Item = &DeployedEndpoint> {
        self.endpoints.iter().filter(|endpoint| endpoint.kind.external().is_some())
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
