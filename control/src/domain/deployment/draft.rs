//! A deployment as someone wrote it, and the rules on it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    DeployedEndpoint, EnvVar, MOST_STATIC_ROUTES, PackageRef, StaticRouteBinding, StoredBackend, Volume,
};
use crate::domain::environment::variables_of;
use crate::domain::fault::{At, Faults};
use crate::domain::labels::judge_labels;
use crate::domain::name::{DeploymentName, ExecutableName, PackageName, VariableName, Version};
use crate::domain::package::{Plan, pick_external};
use crate::domain::rules::Rules;
use crate::domain::{Package, StaticRouteLabel};

/// What someone wants to create.
#[derive(Debug, Clone, Default)]
pub struct DeploymentDraft {
    /// Its name.
    pub name: String,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// Which package.
    pub package_name: String,
    /// Which version of it.
    pub package_version: String,
    /// Name or id of the plan; may be empty when there is only one.
    pub plan: String,
    /// Overrides of parameters, and further environment.
    pub env_args: Vec<(String, String)>,
    /// Static routes that are to lead to it.
    pub static_routes: Vec<BindingDraft>,
    /// What its executables mount.
    pub volumes: Vec<VolumeDraft>,
    /// Backends that are simply there.
    pub backends: Vec<EndpointBackendsDraft>,
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
}

/// Backends of one endpoint, as someone wrote them.
#[derive(Debug, Clone, Default)]
pub struct EndpointBackendsDraft {
    /// The endpoint.
    pub endpoint: String,
    /// Addresses, each with whether it may be chosen.
    pub backends: Vec<(String, bool)>,
}

/// A deployment that breaks no rule, before it is given its guid and random routes.
#[derive(Debug, Clone)]
pub struct JudgedDeployment {
    pub(super) name: DeploymentName,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) package: PackageRef,
    pub(super) env_args: Vec<EnvVar>,
    pub(super) parameters: Vec<EnvVar>,
    pub(super) volumes: Vec<Volume>,
    pub(super) endpoints: Vec<DeployedEndpoint>,
    pub(super) static_routes: Vec<StaticRouteBinding>,
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
}

/// Where things stand in a deployment's input.
const SPEC: At<'static> = At::named("spec");

impl DeploymentDraft {
    /// The package it asks for, if that can be named.
    pub fn package(&self) -> Option<(PackageName, Version)> {
        PackageName::parse(&self.package_name).ok().zip(Version::parse(&self.package_version).ok())
    }

    /// The deployment it describes, or every fault of it, added to those found before. `package` is the
    /// one it asks for, if there is such a one: without it, what depends on it cannot be judged.
    pub fn judge(
        &self,
        package: Option<&Package>,
        rules: &Rules,
        mut faults: Faults,
    ) -> Result<JudgedDeployment, Faults> {
        let metadata = At::named("metadata");
        let name = faults.take(metadata.field("name"), DeploymentName::parse(&self.name));
        judge_labels(&self.labels, &metadata.field("labels"), &mut faults);
        let env_args = self.judge_env_args(&mut faults);
        let volumes = self.judge_volumes(&mut faults);
        let routes = self.judge_static_routes(rules, &mut faults);
        let plan = self.judge_plan(package, &mut faults);
        let Some((package, plan)) = package.zip(plan) else {
            return Err(faults);
        };
        let parameters = judge_parameters(plan, &env_args, &mut faults);
        self.judge_volumes_in(plan, &mut faults);
        let mut endpoints = endpoints_of(plan);
        let static_routes = self.judge_bindings(routes, &endpoints, &mut faults);
        let backends = SPEC.field("backends");
        for (index, fixed) in judge_backends(&self.backends, &endpoints, rules, &backends, &mut faults) {
            if let Some(endpoint) = endpoints.get_mut(index) {
                endpoint.fixed = fixed;
            }
        }
        let package = PackageRef {
            name: package.name.clone(),
            version: package.version.clone(),
            plan: plan.name.clone(),
        };
        let judged = name.map(|name| JudgedDeployment {
            name,
            labels: self.labels.clone(),
            package,
            env_args,
            parameters,
            volumes,
            endpoints,
            static_routes,
        });
        faults.none_or(judged)
    }

    fn judge_plan<'p>(&self, package: Option<&'p Package>, faults: &mut Faults) -> Option<&'p Plan> {
        let name = faults.take(SPEC.field("package_name"), PackageName::parse(&self.package_name));
        let version = faults.take(SPEC.field("package_version"), Version::parse(&self.package_version));
        let (name, version) = name.zip(version)?;
        let Some(package) = package else {
            let message = format!("there is no package {name} {version} in this project; create it first");
            faults.add(SPEC.field("package_name"), "package_unknown", message);
            return None;
        };
        let plan = package.plan(&self.plan);
        if plan.is_none() {
            let plans: Vec<_> = package.plans.iter().map(|plan| plan.name.as_str()).collect();
            let message =
                format!("{:?} is no plan of {name} {version}; it has {}", self.plan, plans.join(", "));
            faults.add(SPEC.field("plan"), "plan_unknown", message);
        }
        plan
    }

    fn judge_env_args(&self, faults: &mut Faults) -> Vec<EnvVar> {
        let list = SPEC.field("env_args");
        let mut seen = HashSet::new();
        let mut env_args = Vec::new();
        for (i, (name, value)) in self.env_args.iter().enumerate() {
            let at = list.index(i);
            if !seen.insert(name) {
                let message = format!("{name} is given twice; keep one of them");
                faults.add(at.field("name"), "env_arg_twice", message);
            }
            if value.contains('\0') {
                faults.add(at.field("value"), "variable_value", "must not contain a NUL character");
            }
            let name = faults.take(at.field("name"), VariableName::parse(name));
            env_args.extend(name.map(|name| EnvVar { name, value: value.clone() }));
        }
        env_args
    }

    fn judge_volumes(&self, faults: &mut Faults) -> Vec<Volume> {
        let list = SPEC.field("volumes");
        let mut mounted = HashSet::new();
        let mut volumes = Vec::new();
        for (i, volume) in self.volumes.iter().enumerate() {
            let at = list.index(i);
            if !volume.mount_path.starts_with('/') || volume.mount_path.contains('\0') {
                let message = format!("{:?} is no absolute path, like /data", volume.mount_path);
                faults.add(at.field("mount_path"), "mount_path", message);
            } else if !mounted.insert((&volume.executable, &volume.mount_path)) {
                let message =
                    format!("{} mounts something at {} already", volume.executable, volume.mount_path);
                faults.add(at.field("mount_path"), "mount_path_twice", message);
            }
            if volume.disk.is_empty() {
                faults.add(at.field("disk"), "disk_required", "is empty; name the disk");
            }
            let executable = faults.take(at.field("executable"), ExecutableName::parse(&volume.executable));
            volumes.extend(executable.map(|executable| Volume {
                executable,
                mount_path: volume.mount_path.clone(),
                disk: volume.disk.clone(),
                sub_path: volume.sub_path.clone(),
            }));
        }
        volumes
    }

    /// Volumes of a component are at most its whole cores: told at the first one too many.
    fn judge_volumes_in(&self, plan: &Plan, faults: &mut Faults) {
        let list = SPEC.field("volumes");
        let mut counts: HashMap<&str, u32> = HashMap::new();
        for (i, volume) in self.volumes.iter().enumerate() {
            let at = list.index(i);
            let Some(component) = plan.component_of(&volume.executable) else {
                if ExecutableName::parse(&volume.executable).is_ok() {
                    let message = format!("{:?} is no executable of plan {}", volume.executable, plan.name);
                    faults.add(at.field("executable"), "executable_unknown", message);
                }
                continue;
            };
            let count = counts.entry(component.name.as_str()).or_default();
            *count += 1;
            let most = component.most_volumes();
            if *count == most + 1 {
                let message = format!(
                    "component {} may have {most} volumes and no more: as many as its executables have whole \
                     cores together; give them more cpu or leave volumes out",
                    component.name
                );
                faults.add(at, "volumes_exceed_cpu", message);
            }
        }
    }

    /// The labels of the static routes asked for, in order; none where one is wrong.
    fn judge_static_routes(&self, rules: &Rules, faults: &mut Faults) -> Vec<Option<StaticRouteLabel>> {
        let list = SPEC.field("static_routes");
        if self.static_routes.len() > MOST_STATIC_ROUTES {
            let message =
                format!("there are {}; at most {MOST_STATIC_ROUTES} are possible", self.static_routes.len());
            faults.add(list, "too_many_static_routes", message);
        }
        let mut seen = HashSet::new();
        let mut labels = Vec::new();
        for (i, binding) in self.static_routes.iter().enumerate() {
            let at = list.index(i);
            let found = StaticRouteLabel::find(&binding.static_route, &rules.domains);
            let label = faults.take(at.field("static_route"), found);
            if let Some(label) = &label
                && !seen.insert(label.clone())
            {
                let message = format!("{label} stands here twice; a static route leads to one endpoint");
                faults.add(at.field("static_route"), "static_route_twice", message);
            }
            labels.push(label);
        }
        labels
    }

    fn judge_bindings(
        &self,
        labels: Vec<Option<StaticRouteLabel>>,
        endpoints: &[DeployedEndpoint],
        faults: &mut Faults,
    ) -> Vec<StaticRouteBinding> {
        let list = SPEC.field("static_routes");
        let mut bindings = Vec::new();
        for ((i, label), binding) in labels.into_iter().enumerate().zip(&self.static_routes) {
            let picked = pick_external(endpoints, |e| (&e.name, &e.kind), &binding.endpoint);
            let endpoint = faults.take(list.index(i).field("endpoint"), picked);
            if let Some((label, endpoint)) = label.zip(endpoint) {
                bindings.push(StaticRouteBinding { label, endpoint: endpoint.name.clone() });
            }
        }
        bindings
    }
}

fn endpoints_of(plan: &Plan) -> Vec<DeployedEndpoint> {
    let endpoints = plan.endpoints().map(|(component, endpoint)| DeployedEndpoint {
        name: endpoint.name.clone(),
        component: component.name.clone(),
        kind: endpoint.kind.clone(),
        random: None,
        fixed: Vec::new(),
        reported: None,
    });
    endpoints.collect()
}

/// The value each parameter has: what was given, else its default, else a fault.
fn judge_parameters(plan: &Plan, env_args: &[EnvVar], faults: &mut Faults) -> Vec<EnvVar> {
    let list = SPEC.field("env_args");
    let endpoints: Vec<_> = plan.endpoints().map(|(_, endpoint)| &endpoint.name).collect();
    for (i, given) in env_args.iter().enumerate() {
        let owner = endpoints.iter().find(|name| variables_of(name).iter().any(|v| v == given.name.as_str()));
        if let Some(endpoint) = owner {
            let message =
                format!("{} carries the address of the endpoint {endpoint}; leave it out", given.name);
            faults.add(list.index(i).field("name"), "variable_of_endpoint", message);
        }
    }
    let mut values: Vec<EnvVar> = Vec::new();
    for parameter in plan.components.iter().flat_map(|component| &component.parameters) {
        if values.iter().any(|value| value.name == parameter.name) {
            continue;
        }
        let given = env_args.iter().find(|given| given.name == parameter.name);
        match given.map(|given| &given.value).or(parameter.default.as_ref()) {
            Some(value) => values.push(EnvVar { name: parameter.name.clone(), value: value.clone() }),
            None => {
                let message = format!("{} has no default in the package; give it a value", parameter.name);
                faults.add(list, "parameter_required", message);
            }
        }
    }
    values
}

/// The backends that were written for each endpoint, by the endpoint's index.
pub(super) fn judge_backends(
    drafts: &[EndpointBackendsDraft],
    endpoints: &[DeployedEndpoint],
    rules: &Rules,
    at: &At<'_>,
    faults: &mut Faults,
) -> Vec<(usize, Vec<StoredBackend>)> {
    let mut judged: Vec<(usize, Vec<StoredBackend>)> = Vec::new();
    for (i, draft) in drafts.iter().enumerate() {
        let at = at.index(i);
        let picked = pick_external(endpoints, |e| (&e.name, &e.kind), &draft.endpoint);
        let endpoint = faults.take(at.field("endpoint"), picked);
        let backends = judge_addresses(&draft.backends, rules, &at.field("backends"), faults);
        let index = endpoint.and_then(|found| endpoints.iter().position(|e| e.name == found.name));
        let Some(index) = index else {
            continue;
        };
        if judged.iter().any(|(seen, _)| *seen == index) {
            let message = format!("{} stands here twice; put its backends in one list", draft.endpoint);
            faults.add(at.field("endpoint"), "endpoint_twice", message);
        }
        judged.push((index, backends));
    }
    judged
}

fn judge_addresses(
    backends: &[(String, bool)],
    rules: &Rules,
    at: &At<'_>,
    faults: &mut Faults,
) -> Vec<StoredBackend> {
    let most = rules.backends_per_endpoint;
    if backends.len() > most {
        let message = format!("there are {}; at most {most} are possible", backends.len());
        faults.add(at, "too_many_backends", message);
    }
    let mut judged: Vec<StoredBackend> = Vec::new();
    for (i, (text, healthy)) in backends.iter().enumerate() {
        let at = at.index(i);
        let parsed = text.parse::<proto::BackendAddr>();
        let parsed = parsed.map_err(|error| crate::domain::Broken::new("backend_address", error.to_string()));
        let allowed = parsed.and_then(|address| rules.networks.judge(address));
        let Some(address) = faults.take(at.field("address"), allowed) else {
            continue;
        };
        if judged.iter().any(|seen| seen.address == address) {
            let message = format!("{address} stands here twice; name each backend once");
            faults.add(at.field("address"), "backend_twice", message);
        }
        judged.push(StoredBackend { address, healthy: *healthy });
    }
    judged
}
