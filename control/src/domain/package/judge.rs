//! The rules on packages.

use std::collections::HashMap;

use super::draft::{ComponentDraft, ExecutableDraft, PackageDraft, ParameterDraft, PlanDraft};
use super::variables::judge_variables;
use super::{
    Component, DEFAULT_PLAN, Endpoint, Executable, ExecutableKind, MOST_EXTERNAL_ENDPOINTS, Package,
    Parameter, Plan, Runtime,
};
use crate::domain::fault::{At, Faults};
use crate::domain::guid::{Chance, NoChance, PackageGuid, PlanId};
use crate::domain::labels::judge_labels;
use crate::domain::name::{ComponentName, ExecutableName, PackageName, PlanName, VariableName, Version};
use crate::domain::{Cpu, MemoryMib, Timestamp};
use proto::ProjectId;

#[cfg(test)]
mod tests;

/// Most replicas of a component.
const MOST_REPLICAS: u32 = 1_000;

/// A package that breaks no rule, before it is given its guids.
#[derive(Debug, Clone)]
pub struct JudgedPackage {
    /// With the version, its identity.
    pub name: PackageName,
    /// With the name, its identity.
    pub version: Version,
    description: String,
    labels: std::collections::BTreeMap<String, String>,
    plans: Vec<(PlanName, Vec<Component>)>,
}

impl JudgedPackage {
    /// Gives it its guids.
    pub fn create(
        self,
        project: ProjectId,
        now: Timestamp,
        chance: &dyn Chance,
    ) -> Result<Package, NoChance> {
        let plans: Result<Vec<_>, _> = self
            .plans
            .into_iter()
            .map(|(name, components)| Ok(Plan { id: PlanId::draw(chance)?, name, components }))
            .collect();
        Ok(Package {
            guid: PackageGuid::draw(chance)?,
            project,
            name: self.name,
            version: self.version,
            description: self.description,
            labels: self.labels,
            created_at: now,
            plans: plans?,
            being_deleted: false,
        })
    }
}

impl PackageDraft {
    /// The package it describes, or every fault of it, added to those found before.
    pub fn judge(&self, mut faults: Faults) -> Result<JudgedPackage, Faults> {
        let root = At::ROOT;
        let metadata = root.field("metadata");
        let name = faults.take(metadata.field("name"), PackageName::parse(&self.name));
        judge_labels(&self.labels, &metadata.field("labels"), &mut faults);
        let version = faults.take(root.field("version"), Version::parse(&self.version));
        let at = root.field("plans");
        if self.plans.is_empty() {
            faults.add(at, "plans_required", "is empty; a package has at least one plan");
        }
        let mut names = Names::default();
        let mut plans = Vec::new();
        for (i, plan) in self.plans.iter().enumerate() {
            plans.extend(plan.judge(&mut names, &at.index(i), &mut faults));
        }
        let judged = name.zip(version).map(|(name, version)| JudgedPackage {
            name,
            version,
            description: self.description.clone(),
            labels: self.labels.clone(),
            plans,
        });
        faults.none_or(judged)
    }
}

/// Names seen so far, each with the path it was seen at.
#[derive(Default)]
struct Names {
    plans: HashMap<String, String>,
    endpoints: HashMap<String, String>,
}

/// Notes a name that was seen before.
pub(super) fn once(
    seen: &mut HashMap<String, String>,
    name: &str,
    at: &At<'_>,
    rule: &'static str,
    faults: &mut Faults,
) {
    if let Some(first) = seen.get(name) {
        faults.add(at, rule, format!("{name:?} is taken by {first}; choose another name"));
    } else {
        seen.insert(name.to_owned(), at.to_string());
    }
}

impl PlanDraft {
    fn judge(
        &self,
        names: &mut Names,
        at: &At<'_>,
        faults: &mut Faults,
    ) -> Option<(PlanName, Vec<Component>)> {
        let name = if self.name.is_empty() { DEFAULT_PLAN } else { self.name.as_str() };
        once(&mut names.plans, name, &at.field("name"), "plan_name_twice", faults);
        let name = faults.take(at.field("name"), PlanName::parse(name));
        let components_at = at.field("components");
        if self.components.is_empty() {
            faults.add(components_at, "components_required", "is empty; a plan has at least one component");
        }
        let (mut components, mut seen, mut executables) = (Vec::new(), HashMap::new(), HashMap::new());
        for (i, component) in self.components.iter().enumerate() {
            let at = components_at.index(i);
            once(&mut seen, &component.name, &at.field("name"), "component_name_twice", faults);
            components.extend(component.judge(&mut executables, &mut names.endpoints, &at, faults));
        }
        judge_variables(&self.components, &components_at, faults);
        let external = components.iter().flat_map(|c: &Component| &c.endpoints);
        let external = external.filter(|endpoint| endpoint.kind.external().is_some()).count();
        if external > MOST_EXTERNAL_ENDPOINTS {
            let message =
                format!("has {external} external endpoints; at most {MOST_EXTERNAL_ENDPOINTS} are possible");
            faults.add(at, "too_many_external_endpoints", message);
        }
        Some((name?, components))
    }
}

impl ComponentDraft {
    fn judge(
        &self,
        executable_names: &mut HashMap<String, String>,
        endpoint_names: &mut HashMap<String, String>,
        at: &At<'_>,
        faults: &mut Faults,
    ) -> Option<Component> {
        let name = faults.take(at.field("name"), ComponentName::parse(&self.name));
        let executables_at = at.field("executables");
        if self.executables.is_empty() {
            faults.add(
                executables_at,
                "executables_required",
                "is empty; a component has at least one executable",
            );
        }
        let mut executables = Vec::new();
        for (i, executable) in self.executables.iter().enumerate() {
            let at = executables_at.index(i);
            once(executable_names, &executable.name, &at.field("name"), "executable_name_twice", faults);
            executables.extend(executable.judge(self.runtime, &at, faults));
        }
        let parameters = self.judge_parameters(&at.field("parameters"), faults);
        let endpoints = self.judge_endpoints(endpoint_names, &at.field("endpoints"), faults);
        if self.replicas > MOST_REPLICAS {
            let message = format!("{} are too many; at most {MOST_REPLICAS} are possible", self.replicas);
            faults.add(at.field("replicas"), "replicas", message);
        }
        let replicas = self.replicas.max(1);
        Some(Component { name: name?, runtime: self.runtime, executables, parameters, endpoints, replicas })
    }

    fn judge_parameters(&self, at: &At<'_>, faults: &mut Faults) -> Vec<Parameter> {
        let mut seen = HashMap::new();
        let mut parameters = Vec::new();
        for (i, parameter) in self.parameters.iter().enumerate() {
            let at = at.index(i);
            once(&mut seen, &parameter.name, &at.field("name"), "parameter_name_twice", faults);
            parameters.extend(parameter.judge(&at, faults));
        }
        parameters
    }

    fn judge_endpoints(
        &self,
        names: &mut HashMap<String, String>,
        at: &At<'_>,
        faults: &mut Faults,
    ) -> Vec<Endpoint> {
        if self.runtime == Runtime::Device && !self.endpoints.is_empty() {
            let message = "only components in the cloud have endpoints; this one runs on a device";
            faults.add(at, "endpoint_on_device", message);
        }
        let mut endpoints = Vec::new();
        for (i, endpoint) in self.endpoints.iter().enumerate() {
            let at = at.index(i);
            once(names, &endpoint.name, &at.field("name"), "endpoint_name_twice", faults);
            endpoints.extend(endpoint.judge(&at, faults));
        }
        endpoints
    }
}

impl ExecutableDraft {
    fn judge(&self, runtime: Runtime, at: &At<'_>, faults: &mut Faults) -> Option<Executable> {
        let name = faults.take(at.field("name"), ExecutableName::parse(&self.name));
        let limits = at.field("limits");
        let cpu = faults.take(limits.field("cpu"), Cpu::parse(&self.cpu));
        let memory = faults.take(limits.field("memory_mib"), MemoryMib::parse(self.memory_mib));
        match &self.kind {
            None => {
                let message = "says not what to run; give docker, build or bash";
                faults.add(at, "executable_kind_required", message);
            }
            Some(kind) => judge_kind(kind, runtime, at, faults),
        }
        Some(Executable { name: name?, kind: self.kind.clone()?, cpu: cpu?, memory: memory? })
    }
}

fn judge_kind(kind: &ExecutableKind, runtime: Runtime, at: &At<'_>, faults: &mut Faults) {
    let blank = |text: &str| text.trim().is_empty();
    match kind {
        ExecutableKind::Docker { image, .. } => {
            if blank(image) || image.chars().any(|c| c.is_whitespace() || c.is_control()) {
                let message = format!("{image:?} is no reference of an image, like nginx:1.27");
                faults.add(at.field("docker").field("image"), "image", message);
            }
        }
        ExecutableKind::Build { build, .. } => {
            if blank(build) {
                faults.add(at.field("build").field("build"), "build_required", "is empty; name the build");
            }
            if runtime == Runtime::Device {
                let message =
                    "a build cannot run on a device with the preinstalled runtime; give bash or docker";
                faults.add(at.field("build"), "build_on_device", message);
            }
        }
        ExecutableKind::Bash { command } => {
            if blank(command) {
                faults.add(
                    at.field("bash").field("command"),
                    "command_required",
                    "is empty; say what to run",
                );
            }
            if runtime == Runtime::Cloud {
                let message =
                    "a bash command runs on the preinstalled runtime of a device only; give docker or build";
                faults.add(at.field("bash"), "bash_on_cloud", message);
            }
        }
    }
}

impl ParameterDraft {
    fn judge(&self, at: &At<'_>, faults: &mut Faults) -> Option<Parameter> {
        let name = faults.take(at.field("name"), VariableName::parse(&self.name));
        let exposed_as = match self.exposed_as.as_str() {
            "" => None,
            text => faults.take(at.field("exposed_as"), VariableName::parse(text)),
        };
        if self.default.as_ref().is_some_and(|value| value.contains('\0')) {
            faults.add(at.field("default_value"), "variable_value", "must not contain a NUL character");
        }
        let (description, default) = (self.description.clone(), self.default.clone());
        Some(Parameter { name: name?, description, default, exposed_as })
    }
}
