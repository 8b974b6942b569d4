//! Packages: what an application consists of. A package never changes once it is created.

use std::collections::BTreeMap;

use proto::ProjectId;
use serde::{Deserialize, Serialize};

use super::name::{ComponentName, PackageName, PlanName, Version};
use super::text::as_project;
use super::{Cpu, PackageGuid, PlanId, Timestamp, UserGuid};

mod device;
mod draft;
mod endpoint;
mod endpoint_draft;
mod executable;
mod judge;
mod parameter;
mod probe;
mod ros;
mod ros_draft;
mod secret_uses;
mod variables;

pub use device::{Architecture, DeviceDraft, DeviceRuntime, DeviceSettings, RestartPolicy};
pub use draft::{ComponentDraft, PackageDraft, PlanDraft};
pub(super) use endpoint::EdgeProtocolText;
pub use endpoint::{Endpoint, EndpointKind, Transport};
pub use endpoint_draft::{EndpointDraft, EndpointType, pick_external};
pub use executable::{Executable, ExecutableDraft, ExecutableKind, PullPolicy};
pub use judge::JudgedPackage;
pub use parameter::{Parameter, ParameterDraft};
pub use probe::{Check, CheckDraft, HttpHeader, LivenessProbe, ProbeDraft, ProbeTimes, Scheme};
pub use ros::{Ros, RosEndpoint, RosEndpointKind, RosName, RosQos, RosVersion, Seconds};
pub use ros_draft::{RosDraft, RosEndpointDraft};

/// The name of a plan that was given none.
pub const DEFAULT_PLAN: &str = "default";

/// Most external endpoints of a plan: each gets a random route, and all are claimed in one commit.
pub const MOST_EXTERNAL_ENDPOINTS: usize = 32;

/// Most secrets a plan may refer to: whatever commits it relies on each of them.
pub const MOST_SECRETS: usize = 24;

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
    /// Who created it; none where the control plane did, or an earlier version of it.
    #[serde(default)]
    pub creator: Option<UserGuid>,
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
    /// How a device runs it; none in the cloud, and where an earlier version stored it.
    #[serde(default)]
    pub device: Option<DeviceSettings>,
    /// What it says of ROS; none when it says nothing.
    #[serde(default)]
    pub ros: Option<Ros>,
    /// Whether its executables see the processes of their host.
    #[serde(default)]
    pub host_pid: bool,
}

/// Where a component runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// In the cloud.
    #[default]
    Cloud,
    /// On a device.
    Device,
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
    /// How a device runs it; none in the cloud.
    pub fn device(&self) -> Option<DeviceSettings> {
        let runtime = DeviceRuntime::fit_for(self.executables.iter().map(|executable| &executable.kind));
        let usual = (self.runtime == Runtime::Device).then(|| DeviceSettings::usual(runtime));
        self.device.or(usual)
    }

    /// Most volumes its executables may mount together: the whole cores they have together.
    pub fn most_volumes(&self) -> u32 {
        Cpu::whole_cores(self.executables.iter().map(|executable| executable.cpu))
    }
}
