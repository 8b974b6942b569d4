//! What a package takes from secrets.

use super::{ExecutableKind, Package, Plan};
use crate::domain::{At, SecretUse};

impl Package {
    /// Everything it takes from secrets, each with the field that says so.
    pub fn secret_uses(&self) -> Vec<SecretUse> {
        let at = At::named("plans");
        let plans = self.plans.iter().enumerate();
        plans.flat_map(|(i, plan)| plan.secret_uses(&at.index(i))).collect()
    }

    /// Names of the secrets it refers to, some perhaps several times.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.plans.iter().flat_map(Plan::secrets)
    }
}

impl Plan {
    /// Everything it takes from secrets; `at` is where the plan stands.
    pub fn secret_uses(&self, at: &At<'_>) -> Vec<SecretUse> {
        let mut uses = Vec::new();
        let components_at = at.field("components");
        for (c, component) in self.components.iter().enumerate() {
            let at = components_at.index(c);
            let (executables, parameters) = (at.field("executables"), at.field("parameters"));
            for (e, executable) in component.executables.iter().enumerate() {
                if let Some(secret) = executable.kind.pull_secret() {
                    let at = executables.index(e);
                    let field = at.field("docker").field("pull_secret").to_string();
                    uses.push(SecretUse { field, secret: secret.to_owned(), key: None });
                }
            }
            for (p, parameter) in component.parameters.iter().enumerate() {
                if let Some(from) = &parameter.value_from {
                    let field = parameters.index(p).field("value_from").to_string();
                    uses.push(from.used_at(field));
                }
            }
        }
        uses
    }

    /// Names of the secrets it refers to, some perhaps several times.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.components.iter().flat_map(|component| {
            let images = component.executables.iter().filter_map(|executable| executable.kind.pull_secret());
            let values = component.parameters.iter().filter_map(|parameter| parameter.value_from.as_ref());
            images.chain(values.map(|from| from.secret.as_str()))
        })
    }
}

impl ExecutableKind {
    /// Name of the secret its image is pulled with.
    pub fn pull_secret(&self) -> Option<&str> {
        match self {
            Self::Docker { pull_secret, .. } => pull_secret.as_deref(),
            Self::Build { .. } | Self::Bash { .. } => None,
        }
    }
}
