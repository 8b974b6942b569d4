//! Configuration parameters, and the rules on them.

use serde::{Deserialize, Serialize};

use crate::domain::{At, Faults, SecretKey, VariableName};

/// A configuration parameter, seen by the executables of its component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The variable that carries it.
    pub name: VariableName,
    /// For people.
    pub description: String,
    /// None: every deployment must give a value, unless a secret does.
    pub default: Option<String>,
    /// The name under which dependent deployments see it; none when they do not.
    pub exposed_as: Option<VariableName>,
    /// The secret its value stands in.
    #[serde(default)]
    pub value_from: Option<SecretKey>,
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
    /// Name of the secret and the key in it that its value is taken from.
    pub value_from: Option<(String, String)>,
}

impl ParameterDraft {
    /// The parameter it describes, with every fault noted.
    pub(super) fn judge(&self, at: &At<'_>, faults: &mut Faults) -> Option<Parameter> {
        let name = faults.take(at.field("name"), VariableName::parse(&self.name));
        let exposed_as = match self.exposed_as.as_str() {
            "" => None,
            text => faults.take(at.field("exposed_as"), VariableName::parse(text)),
        };
        if self.default.as_ref().is_some_and(|value| value.contains('\0')) {
            faults.add(at.field("default_value"), "variable_value", "must not contain a NUL character");
        }
        let value_from = self.value_from.as_ref().map(|(secret, key)| {
            self.judge_secret(at, faults);
            SecretKey::judge(secret, key, &at.field("value_from"), faults)
        });
        let (description, default) = (self.description.clone(), self.default.clone());
        Some(Parameter { name: name?, description, default, exposed_as, value_from: value_from.flatten() })
    }

    /// What a secret holds is for the executables of this component alone, and always there.
    fn judge_secret(&self, at: &At<'_>, faults: &mut Faults) {
        if !self.exposed_as.is_empty() {
            let message = "its value stands in a secret, which other deployments do not get to see; leave \
                           this out, or give it a value of its own";
            faults.add(at.field("exposed_as"), "secret_exposed", message);
        }
        if self.default.is_some() {
            let message = "its value stands in a secret; leave the default out";
            faults.add(at.field("default_value"), "secret_with_default", message);
        }
    }
}
