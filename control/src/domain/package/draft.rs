//! A package as someone wrote it: nothing judged yet.

use std::collections::BTreeMap;

use super::{DeviceDraft, EndpointDraft, ExecutableDraft, ParameterDraft, RosDraft, Runtime};
use crate::domain::UserGuid;

/// What someone wants to create.
#[derive(Debug, Clone, Default)]
pub struct PackageDraft {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// For people.
    pub description: String,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// Its plans.
    pub plans: Vec<PlanDraft>,
    /// Who asks.
    pub creator: Option<UserGuid>,
}

/// A plan as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct PlanDraft {
    /// Empty means `default`.
    pub name: String,
    /// Its components.
    pub components: Vec<ComponentDraft>,
}

/// A component as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct ComponentDraft {
    /// Its name.
    pub name: String,
    /// Where it is to run.
    pub runtime: Runtime,
    /// Its executables.
    pub executables: Vec<ExecutableDraft>,
    /// Its parameters.
    pub parameters: Vec<ParameterDraft>,
    /// Its endpoints.
    pub endpoints: Vec<EndpointDraft>,
    /// 0 means 1.
    pub replicas: u32,
    /// How a device is to run it.
    pub device: DeviceDraft,
    /// What it says of ROS.
    pub ros: RosDraft,
    /// Whether its executables are to see the processes of their host.
    pub host_pid: bool,
}
