//! The rules on what the variables of a plan are called.

use std::collections::HashMap;

use super::draft::ComponentDraft;
use super::judge::once;
use crate::domain::environment::variables_of;
use crate::domain::fault::{At, Faults};
use crate::domain::name::EndpointName;

/// An endpoint `X` is told to executables as `X`, `X_HOST` and `X_PORT`: nothing else may be called so,
/// and no two exposed parameters alike.
pub(super) fn judge_variables(components: &[ComponentDraft], at: &At<'_>, faults: &mut Faults) {
    let mut owners: HashMap<String, EndpointName> = HashMap::new();
    for (c, component) in components.iter().enumerate() {
        let component_at = at.index(c);
        let list = component_at.field("endpoints");
        for (e, endpoint) in component.endpoints.iter().enumerate() {
            if let Ok(name) = EndpointName::parse(&endpoint.name) {
                claim_variables(&name, &mut owners, &list.index(e).field("name"), faults);
            }
        }
    }
    let mut exposed = HashMap::new();
    for (c, component) in components.iter().enumerate() {
        let component_at = at.index(c);
        let list = component_at.field("parameters");
        for (p, parameter) in component.parameters.iter().enumerate() {
            let at = list.index(p);
            if let Some(endpoint) = owners.get(&parameter.name) {
                let message = format!(
                    "{} carries the address of the endpoint {endpoint}; choose another name",
                    parameter.name
                );
                faults.add(at.field("name"), "variable_collision", message);
            }
            if let Some(endpoint) = owners.get(&parameter.exposed_as) {
                let message = format!(
                    "{} tells dependent deployments where the endpoint {endpoint} is; choose another name",
                    parameter.exposed_as
                );
                faults.add(at.field("exposed_as"), "variable_collision", message);
            }
            if !parameter.exposed_as.is_empty() {
                once(&mut exposed, &parameter.exposed_as, &at.field("exposed_as"), "exposed_twice", faults);
            }
        }
    }
}

/// Two endpoints of one name are told elsewhere; told here are X and X_HOST side by side.
fn claim_variables(
    name: &EndpointName,
    owners: &mut HashMap<String, EndpointName>,
    at: &At<'_>,
    faults: &mut Faults,
) {
    for variable in variables_of(name) {
        match owners.get(&variable) {
            Some(owner) if owner != name => {
                let message = format!(
                    "the variable {variable} would carry the address of {owner} and of {name}; rename one of them"
                );
                faults.add(at, "variable_collision", message);
            }
            _ => {
                owners.insert(variable, name.clone());
            }
        }
    }
}
