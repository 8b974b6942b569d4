//! The rules on deployments as someone wrote them.

use super::dependency::{Own, judge_collisions, judge_dependencies};
use super::draft::{DeploymentDraft, JudgedDeployment, Known};
use super::executables::{ExecutableState, ExecutableStatus};
use super::{DeployedEndpoint, PackageRef};
use crate::domain::fault::{At, Faults};
use crate::domain::labels::judge_labels;
use crate::domain::name::{DeploymentName, PackageName, Version};
use crate::domain::package::{Package, Plan};
use crate::domain::rules::Rules;

mod backends;
mod environment;
mod static_routes;
mod volumes;

pub(super) use backends::judge_backends;

/// Where things stand in a deployment's input.
const SPEC: At<'static> = At::named("spec");

impl DeploymentDraft {
    /// The deployment it describes, or every fault of it, added to those found before.
    pub fn judge(
        &self,
        known: &Known<'_>,
        rules: &Rules,
        mut faults: Faults,
    ) -> Result<JudgedDeployment, Faults> {
        let name = self.judge_name(known, &mut faults);
        judge_labels(&self.labels, &At::named("metadata").field("labels"), &mut faults);
        let env_args = environment::judge_env_args(&self.env_args, &mut faults);
        let volumes = volumes::judge_volumes(&self.volumes, &mut faults);
        let routes = static_routes::judge_labels(&self.static_routes, rules, &mut faults);
        let depends_at = SPEC.field("depends");
        let depends = judge_dependencies(&self.depends, known.parents, &depends_at, &mut faults);
        self.settings.judge(&SPEC, &mut faults);
        let Some((package, plan)) = self.judge_plan(known, &mut faults) else {
            return Err(faults);
        };
        let parameters = environment::judge_parameters(plan, &env_args, &mut faults);
        volumes::judge_volumes_in(&self.volumes, plan, &mut faults);
        self.settings.judge_in(plan, &SPEC, &mut faults);
        let mut endpoints = endpoints_of(plan);
        let static_routes =
            static_routes::judge_bindings(&self.static_routes, routes, &endpoints, &mut faults);
        let backends = SPEC.field("backends");
        for (index, fixed) in judge_backends(&self.backends, &endpoints, rules, &backends, &mut faults) {
            if let Some(endpoint) = endpoints.get_mut(index) {
                endpoint.fixed = fixed;
            }
        }
        let env_args: Vec<_> = env_args.into_iter().map(|(_, variable)| variable).collect();
        let own = Own { endpoints: &endpoints, parameters: &parameters, env_args: &env_args };
        judge_collisions(&own, known.parents, &depends_at, &mut faults);
        let (name_of, version) = (package.name.clone(), package.version.clone());
        let judged = name.map(|name| JudgedDeployment {
            name,
            labels: self.labels.clone(),
            creator: self.creator.clone(),
            package: PackageRef { name: name_of, version, plan: plan.name.clone() },
            env_args,
            parameters,
            depends,
            settings: self.settings.clone(),
            volumes,
            endpoints,
            static_routes,
            executables: ExecutableStatus::of_plan(plan, ExecutableState::Pending),
        });
        faults.none_or(judged)
    }

    /// The name it is to have, which an update need not tell and cannot change.
    fn judge_name(&self, known: &Known<'_>, faults: &mut Faults) -> Option<DeploymentName> {
        let at = At::named("metadata");
        let Some(before) = known.before else {
            return faults.take(at.field("name"), DeploymentName::parse(&self.name));
        };
        if !self.name.is_empty() && self.name != before.name.as_str() {
            let message = format!("the deployment is called {}; names cannot be changed", before.name);
            faults.add(at.field("name"), "name_fixed", message);
        }
        Some(before.name.clone())
    }

    fn judge_plan<'p>(&self, known: &Known<'p>, faults: &mut Faults) -> Option<(&'p Package, &'p Plan)> {
        let name = faults.take(SPEC.field("package_name"), PackageName::parse(&self.package_name));
        let version = faults.take(SPEC.field("package_version"), Version::parse(&self.package_version));
        let (name, version) = name.zip(version)?;
        if let Some(had) = known.before.map(|before| &before.package.name)
            && *had != name
        {
            let message = format!(
                "the deployment is one of package {had}; an update may change its version, not the package"
            );
            faults.add(SPEC.field("package_name"), "package_fixed", message);
        }
        let Some(package) = known.package else {
            let message = format!("there is no package {name} {version} in this project; create it first");
            faults.add(SPEC.field("package_name"), "package_unknown", message);
            return None;
        };
        let wanted = self.plan(known.before);
        let Some(plan) = package.plan(wanted) else {
            let plans: Vec<_> = package.plans.iter().map(|plan| plan.name.as_str()).collect();
            let message = format!("{wanted:?} is no plan of {name} {version}; it has {}", plans.join(", "));
            faults.add(SPEC.field("plan"), "plan_unknown", message);
            return None;
        };
        if let Some(had) = known.before.map(|before| &before.package.plan)
            && *had != plan.name
        {
            let message = format!("the deployment is one of plan {had}; an update cannot change the plan");
            faults.add(SPEC.field("plan"), "plan_fixed", message);
        }
        Some((package, plan))
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
