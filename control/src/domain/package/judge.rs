//! The rules on packages.

use std::collections::{HashMap, HashSet};

use super::draft::{ComponentDraft, PackageDraft, PlanDraft};
use super::executable::RunBy;
use super::variables::judge_variables;
use super::{
    Component, DEFAULT_PLAN, DeviceDraft, DeviceRuntime, Endpoint, Executable, MOST_EXTERNAL_ENDPOINTS,
    MOST_SECRETS, Package, Parameter, Plan, Runtime,
};
use crate::domain::fault::{At, Faults};
use crate::domain::guid::{Chance, NoChance, PackageGuid, PlanId};
use crate::domain::labels::judge_labels;
use crate::domain::name::{ComponentName, PackageName, PlanName, Version};
use crate::domain::{Timestamp, UserGuid};
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
    creator: Option<UserGuid>,
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
            creator: self.creator,
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
            creator: self.creator.clone(),
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
        self.judge_secrets(at, faults);
        let external = components.iter().flat_map(|c: &Component| &c.endpoints);
        let external = external.filter(|endpoint| endpoint.kind.external().is_some()).count();
        if external > MOST_EXTERNAL_ENDPOINTS {
            let message =
                format!("has {external} external endpoints; at most {MOST_EXTERNAL_ENDPOINTS} are possible");
            faults.add(at, "too_many_external_endpoints", message);
        }
        Some((name?, components))
    }

    /// Whatever commits a package or a deployment of it relies on every secret it names.
    fn judge_secrets(&self, at: &At<'_>, faults: &mut Faults) {
        let executables = self.components.iter().flat_map(|component| &component.executables);
        let images = executables.filter_map(|executable| executable.kind.as_ref()?.pull_secret());
        let parameters = self.components.iter().flat_map(|component| &component.parameters);
        let values = parameters.filter_map(|parameter| Some(parameter.value_from.as_ref()?.0.as_str()));
        let secrets = images.chain(values).collect::<HashSet<_>>().len();
        if secrets > MOST_SECRETS {
            let message = format!("refers to {secrets} secrets; at most {MOST_SECRETS} are possible");
            faults.add(at, "too_many_secrets", message);
        }
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
        let on_device = self.device.runtime.or_else(|| self.fit_runtime());
        let by = RunBy::new(self.runtime, on_device);
        let mut executables: Vec<Executable> = Vec::new();
        for (i, executable) in self.executables.iter().enumerate() {
            let at = executables_at.index(i);
            once(executable_names, &executable.name, &at.field("name"), "executable_name_twice", faults);
            executables.extend(executable.judge(by, &at, faults));
        }
        let parameters = self.judge_parameters(&at.field("parameters"), faults);
        let endpoints = self.judge_endpoints(endpoint_names, &at.field("endpoints"), faults);
        let ros = self.ros.judge(&at.field("ros"), faults);
        self.judge_place(at, faults);
        Some(Component {
            name: name?,
            runtime: self.runtime,
            executables,
            parameters,
            endpoints,
            replicas: self.replicas.max(1),
            device: (self.runtime == Runtime::Device).then(|| self.device.or_usual(on_device)),
            ros,
            host_pid: self.host_pid,
        })
    }

    fn fit_runtime(&self) -> Option<DeviceRuntime> {
        DeviceRuntime::fit_for(self.executables.iter().filter_map(|executable| executable.kind.as_ref()))
    }

    /// What is for the cloud alone, and what for devices alone.
    fn judge_place(&self, at: &At<'_>, faults: &mut Faults) {
        match self.runtime {
            Runtime::Cloud => {
                if self.device != DeviceDraft::default() {
                    let message = "only components of devices have these; leave them out, or let it run on \
                                   a device";
                    faults.add(at.field("device"), "device_on_cloud", message);
                }
                if self.host_pid {
                    let message = "only on devices executables see their host's processes; leave it out";
                    faults.add(at.field("host_pid"), "host_pid_on_cloud", message);
                }
                if self.replicas > MOST_REPLICAS {
                    let message =
                        format!("{} are too many; at most {MOST_REPLICAS} are possible", self.replicas);
                    faults.add(at.field("replicas"), "replicas", message);
                }
            }
            Runtime::Device => {
                if self.replicas > 1 {
                    let message = "a device runs one; only components of the cloud have more";
                    faults.add(at.field("replicas"), "replicas_on_device", message);
                }
            }
        }
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
