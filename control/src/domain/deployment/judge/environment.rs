use std::collections::{HashMap, HashSet};

use super::super::EnvVar;
use super::super::draft::EnvArgDraft;
use super::SPEC;
use crate::domain::environment::variables_of;
use crate::domain::fault::{At, Faults};
use crate::domain::package::{Parameter, Plan};
use crate::domain::{EndpointName, SecretKey, VariableName};

/// A variable that was given, and its place in the list: others may stand before it that are none.
pub(super) type Given = (usize, EnvVar);

pub(super) fn judge_env_args(drafts: &[EnvArgDraft], faults: &mut Faults) -> Vec<Given> {
    let list = SPEC.field("env_args");
    let mut seen = HashSet::new();
    let mut exposed = HashSet::new();
    let mut judged = Vec::new();
    for (i, draft) in drafts.iter().enumerate() {
        let at = list.index(i);
        if !seen.insert(&draft.name) {
            let message = format!("{} is given twice; keep one of them", draft.name);
            faults.add(at.field("name"), "env_arg_twice", message);
        }
        if !draft.exposed_as.is_empty() && !exposed.insert(&draft.exposed_as) {
            let message =
                format!("{} is what another one is exposed as; choose another name", draft.exposed_as);
            faults.add(at.field("exposed_as"), "exposed_twice", message);
        }
        judged.extend(draft.judge(&at, faults).map(|variable| (i, variable)));
    }
    judged
}

impl EnvArgDraft {
    fn judge(&self, at: &At<'_>, faults: &mut Faults) -> Option<EnvVar> {
        if self.value.contains('\0') {
            faults.add(at.field("value"), "variable_value", "must not contain a NUL character");
        }
        let exposed_as = match self.exposed_as.as_str() {
            "" => None,
            text => faults.take(at.field("exposed_as"), VariableName::parse(text)),
        };
        let value_from = self.value_from.as_ref().and_then(|(secret, key)| {
            if !self.value.is_empty() {
                let message = "its value stands here and in a secret; leave one of them out";
                faults.add(at.field("value"), "value_twice", message);
            }
            if exposed_as.is_some() {
                secret_exposed(&at.field("exposed_as"), faults);
            }
            SecretKey::judge(secret, key, &at.field("value_from"), faults)
        });
        let name = faults.take(at.field("name"), VariableName::parse(&self.name))?;
        Some(EnvVar { name, value: self.value.clone(), value_from, exposed_as })
    }
}

fn secret_exposed(at: &At<'_>, faults: &mut Faults) {
    let message = "its value stands in a secret, which other deployments do not get to see; give it a value of \
                   its own, or do not expose it";
    faults.add(at, "secret_exposed", message);
}

/// The value each parameter has: what was given, else what the package says, else a fault.
pub(super) fn judge_parameters(plan: &Plan, env_args: &[Given], faults: &mut Faults) -> Vec<EnvVar> {
    judge_names(plan, env_args, faults);
    let list = SPEC.field("env_args");
    let mut values: Vec<EnvVar> = Vec::new();
    for parameter in plan.components.iter().flat_map(|component| &component.parameters) {
        if let Some(known) = values.iter_mut().find(|value| value.name == parameter.name) {
            // Another component has a parameter of that name: it is one variable, with one value.
            if known.value_from.is_none() && known.exposed_as.is_none() {
                known.exposed_as.clone_from(&parameter.exposed_as);
            }
            continue;
        }
        let Some((index, arg)) = env_args.iter().find(|(_, given)| given.name == parameter.name) else {
            values.extend(value_of(parameter, &list, faults));
            continue;
        };
        let mut value = arg.clone();
        if value.exposed_as.is_none() && parameter.exposed_as.is_some() {
            if value.value_from.is_some() {
                secret_exposed(&list.index(*index).field("value_from"), faults);
            }
            value.exposed_as.clone_from(&parameter.exposed_as);
        }
        values.push(value);
    }
    judge_exposed(&values, env_args, faults);
    values
}

/// The value of a parameter that was given none.
fn value_of(parameter: &Parameter, list: &At<'_>, faults: &mut Faults) -> Option<EnvVar> {
    let (name, exposed_as) = (parameter.name.clone(), parameter.exposed_as.clone());
    match (&parameter.default, &parameter.value_from) {
        (Some(value), _) => Some(EnvVar { exposed_as, ..EnvVar::plain(name, value) }),
        (None, Some(from)) => Some(EnvVar { value_from: Some(from.clone()), ..EnvVar::plain(name, "") }),
        (None, None) => {
            let message = format!("{name} has no default in the package; give it a value");
            faults.add(list, "parameter_required", message);
            None
        }
    }
}

/// Nothing else may be called as the variables that tell where endpoints are.
fn judge_names(plan: &Plan, env_args: &[Given], faults: &mut Faults) {
    let list = SPEC.field("env_args");
    let owners: HashMap<String, &EndpointName> = plan
        .endpoints()
        .flat_map(|(_, endpoint)| variables_of(&endpoint.name).map(|variable| (variable, &endpoint.name)))
        .collect();
    for (i, given) in env_args {
        let at = list.index(*i);
        if let Some(endpoint) = owners.get(given.name.as_str()) {
            let message =
                format!("{} carries the address of the endpoint {endpoint}; leave it out", given.name);
            faults.add(at.field("name"), "variable_of_endpoint", message);
        }
        if let Some((exposed, endpoint)) =
            given.exposed_as.as_ref().and_then(|exposed| Some((exposed, owners.get(exposed.as_str())?)))
        {
            let message = format!(
                "{exposed} tells dependent deployments where the endpoint {endpoint} is; choose another name"
            );
            faults.add(at.field("exposed_as"), "variable_collision", message);
        }
    }
}

/// Among themselves the variables given, as the parameters, expose no name twice; here they meet.
fn judge_exposed(parameters: &[EnvVar], env_args: &[Given], faults: &mut Faults) {
    let list = SPEC.field("env_args");
    for (i, given) in env_args {
        let Some(exposed) = &given.exposed_as else {
            continue;
        };
        let other = parameters
            .iter()
            .find(|parameter| parameter.name != given.name && parameter.exposed_as.as_ref() == Some(exposed));
        if let Some(other) = other.filter(|other| !env_args.iter().any(|(_, arg)| arg == *other)) {
            let message =
                format!("{exposed} is what the parameter {} is exposed as; choose another name", other.name);
            faults.add(list.index(*i).field("exposed_as"), "exposed_twice", message);
        }
    }
}
