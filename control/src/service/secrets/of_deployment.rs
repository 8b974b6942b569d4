use std::collections::BTreeSet;

use proto::ProjectId;

use super::super::{Error, Service};
use crate::domain::{SecretData, SecretName};

impl Service {
    /// What the secrets hold that a live deployment refers to: those its images are pulled with and those its
    /// environment takes values from. For its runtime, and nobody else.
    pub async fn deployment_secrets(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<Vec<(SecretName, SecretData)>, Error> {
        let deployment = self.find_live_deployment(project, name, "deployment").await?.record;
        // What those it depends on expose may stand in a secret, too.
        let viewed = self.view_deployment(deployment).await?;
        let of = &viewed.deployment.package;
        let package = self.get_package(project, of.name.as_str(), of.version.as_str()).await?;
        let plan = package.plans.iter().find(|plan| plan.name == of.plan);
        let seen = viewed.environment.iter().filter_map(|variable| variable.value_from.as_ref());
        let seen = seen.map(|from| from.secret.as_str());
        let named: BTreeSet<&str> = plan.iter().flat_map(|plan| plan.secrets()).chain(seen).collect();
        let mut held = Vec::with_capacity(named.len());
        for name in named {
            let secret = self.get_secret(project, name).await?;
            held.push((secret.name, self.secret_data(project, name).await?));
        }
        Ok(held)
    }
}
