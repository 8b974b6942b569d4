//! A package as someone wrote it: nothing judged yet.

use std::collections::BTreeMap;

use super::endpoint_draft::EndpointDraft;
use super::{ExecutableKind, Runtime};

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
#[derive(Debug, Clone)]
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
}

/// An executable as someone wrote it.
#[derive(Debug, Clone)]
pub struct ExecutableDraft {
    /// Its name.
    pub name: String,
    /// What is to be run; none when nothing was said.
    pub kind: Option<ExecutableKind>,
    /// Cores as a decimal number; empty means the default.
    pub cpu: String,
    /// Mebibytes; 0 means the default.
    pub memory_mib: u32,
}

/// A parameter as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct ParameterDraft {
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// None: every deployment must give a value.
    pub default: Option<String>,
    /// Empty when it is not exposed.
    pub exposed_as: String,
}
