//! Packages: what an application consists of. A package never changes once it is created.

use std::collections::BTreeMap;

use proto::{BackendProtocol, EdgeProtocol, ProjectId};
use serde::{Deserialize, Serialize};

use super::name::{
    ComponentName, EndpointName, ExecutableName, PackageName, PlanName, VariableName, Version,
};
use super::text::as_project;
use super::{Cpu, MemoryMib, PackageGuid, PlanId, Port, PortRange, Timestamp};

mod draft;
mod endpoint_draft;
mod judge;
mod variables;

pub use draft::{ComponentDraft, ExecutableDraft, PackageDraft, ParameterDraft, PlanDraft};
pub use endpoint_draft::{EndpointDraft, EndpointType, pick_external};
pub use judge::JudgedPackage;

/// The name of a plan that was given none.
pub const DEFAULT_PLAN: &str = "default";

/// Most external endpoints of a plan: each gets a random route, and all are claimed in one commit.
pub const MOST_EXTERNAL_ENDPOINTS: usize = 32;

/// One version of a package, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Given by the control plane.
    pub guid: PackageGuid,
    /// The project it belongs to.
    #[serde(with = "as_project")]
    pub project: ProjectId,
    /// With the version, its identity.
    pub name: PackageName,
    /// With the name, its identity.
    pub version: Version,
    /// For people.
    pub description: String,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Alternative configurations; never empty, names unique.
    pub plans: Vec<Plan>,
    /// Set for a moment while it is being deleted, so that no deployment can begin to use it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub being_deleted: bool,
}

/// One configuration of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Given by the control plane.
    pub id: PlanId,
    /// `default` when the package named none.
    pub name: PlanName,
    /// Never empty, names unique.
    pub components: Vec<Component>,
}

/// Executables that run in unison on one compute node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Unique in its plan.
    pub name: ComponentName,
    /// Where it runs.
    pub runtime: Runtime,
    /// Never empty, names unique in the plan.
    pub executables: Vec<Executable>,
    /// Environment of these executables, with or without a default.
    pub parameters: Vec<Parameter>,
    /// Empty on devices.
    pub endpoints: Vec<Endpoint>,
    /// How many of it run.
    pub replicas: u32,
}

/// Where a component runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// In the cloud.
    Cloud,
    /// On a device with the preinstalled runtime.
    Device,
}

/// One program of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executable {
    /// Unique in its plan.
    pub name: ExecutableName,
    /// What is run.
    pub kind: ExecutableKind,
    /// Cores it may use.
    pub cpu: Cpu,
    /// Memory it may use.
    pub memory: MemoryMib,
}

/// What an executable runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExecutableKind {
    /// An image from a registry.
    Docker {
        /// Reference of the image.
        image: String,
        /// Overrides the entrypoint when not empty.
        command: Vec<String>,
        /// Name of the pull secret of a private image.
        pull_secret: Option<String>,
    },
    /// What a build yields. Not on devices.
    Build {
        /// Name of the build.
        build: String,
        /// Overrides the entrypoint when not empty.
        command: Vec<String>,
    },
    /// A command of the preinstalled runtime. On devices only.
    Bash {
        /// What the shell is given.
        command: String,
    },
}

/// A configuration parameter, seen by the executables of its component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The variable that carries it.
    pub name: VariableName,
    /// For people.
    pub description: String,
    /// None: every deployment must give a value.
    pub default: Option<String>,
    /// The name under which dependent deployments see it; none when they do not.
    pub exposed_as: Option<VariableName>,
}

/// A place where a component can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Unique in its package.
    pub name: EndpointName,
    /// By whom and how.
    pub kind: EndpointKind,
}

/// By whom an endpoint can be reached, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointKind {
    /// From the internet, through the edge, on the protocol's own port.
    External {
        /// What clients speak.
        #[serde(with = "EdgeProtocolText")]
        protocol: EdgeProtocol,
        /// What the application speaks; of no meaning for Secure TCP.
        #[serde(with = "BackendProtocolText")]
        backend_protocol: BackendProtocol,
        /// Where the application listens.
        target_port: Port,
    },
    /// From dependent deployments, on one port.
    Internal {
        /// What it speaks.
        transport: Transport,
        /// Where others see it.
        port: Port,
        /// Where the application listens.
        target_port: Port,
    },
    /// From dependent deployments, on several ports, each the same inside and outside.
    InternalRange {
        /// What it speaks.
        transport: Transport,
        /// Where.
        ports: PortRange,
    },
}

/// What an internal endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// How [`EdgeProtocol`] is stored.
#[derive(Serialize, Deserialize)]
#[serde(remote = "EdgeProtocol", rename_all = "snake_case")]
pub(super) enum EdgeProtocolText {
    Http,
    Https,
    SecureTcp,
}

/// How [`BackendProtocol`] is stored.
#[derive(Serialize, Deserialize)]
#[serde(remote = "BackendProtocol", rename_all = "lowercase")]
enum BackendProtocolText {
    Http1,
    H2c,
}

impl Package {
    /// The plan called `wanted`, by name or id; the only one when `wanted` is empty.
    pub fn plan(&self, wanted: &str) -> Option<&Plan> {
        match (wanted, self.plans.as_slice()) {
            ("", [only]) => Some(only),
            ("", _) => None,
            _ => self.plans.iter().find(|plan| plan.name.as_str() == wanted || plan.id.as_str() == wanted),
        }
    }
}

impl Plan {
    /// Its endpoints, with the component each belongs to.
    pub fn endpoints(&self) -> impl Iterator<Item = (&Component, &Endpoint)> {
        self.components.iter().flat_map(|component| component.endpoints.iter().map(move |e| (component, e)))
    }

    /// The component `executable` is part of.
    pub fn component_of(&self, executable: &str) -> Option<&Component> {
        self.components.iter().find(|component| {
            component.executables.iter().any(|candidate| candidate.name.as_str() == executable)
        })
    }
}

impl Component {
    /// Most volumes its executables may mount together: the whole cores they have together.
    pub fn most_volumes(&self) -> u32 {
        Cpu::whole_cores(self.executables.iter().map(|executable| executable.cpu))
    }
}

impl EndpointKind {
    /// What clients speak at the edge; none for internal endpoints.
    pub fn external(&self) -> Option<EdgeProtocol> {
        match self {
            Self::External { protocol, .. } => Some(*protocol),
            Self::Internal { .. } | Self::InternalRange { .. } => None,
        }
    }
}
