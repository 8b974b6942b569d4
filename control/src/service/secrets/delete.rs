//! Secrets: delete.
//!
//! Whoever begins to use a secret relies on the version of its record. So the secret is marked first,
//! which those who come after see and those who are under way stumble over; then all that might use it is
//! looked through; then it goes, or the mark is taken off again. A mark left behind by a crash keeps new
//! users off until the deletion is asked for again.

use proto::ProjectId;

use super::super::gather::Gathered;
use super::super::{Error, Kind, Loaded, Prepared, Service, keys};
use super::put_secret;
use crate::domain::{Deployment, Package, Secret, SecretName};
use crate::store::{Batch, Expect};

impl Service {
    /// Deletes a secret that no package pulls with and no live deployment refers to.
    pub async fn delete_secret(&self, project: &ProjectId, name: &str) -> Result<(), Error> {
        let secret = self.find_secret(project, name).await?.record;
        self.refuse_if_secret_used(project, &secret.name).await?;
        self.commit("the secret", || self.prepare_secret_mark(project, &secret, true)).await?;
        if let Err(used) = self.refuse_if_secret_used(project, &secret.name).await {
            self.commit("the secret", || self.prepare_secret_mark(project, &secret, false)).await?;
            return Err(used);
        }
        self.commit("the secret", || self.prepare_secret_end(project, &secret)).await?;
        Ok(())
    }

    async fn prepare_secret_mark(
        &self,
        project: &ProjectId,
        secret: &Secret,
        being_deleted: bool,
    ) -> Result<Prepared<()>, Error> {
        let mut found = self.find_same_secret(project, secret).await?;
        found.record.being_deleted = being_deleted;
        Ok(Prepared::new((), Batch::new().with(put_secret(&found)?), false))
    }

    async fn prepare_secret_end(&self, project: &ProjectId, secret: &Secret) -> Result<Prepared<()>, Error> {
        let found = self.find_same_secret(project, secret).await?;
        if !found.record.being_deleted {
            // Another deletion found it used meanwhile.
            self.refuse_if_secret_used(project, &secret.name).await?;
            return Err(Error::Concurrent { what: "the secret", attempts: 1 });
        }
        let batch = Batch::new()
            .delete(keys::secret(project, &secret.name), Expect::At(found.version))
            .delete(keys::guid(project, secret.guid.as_str()), Expect::Any);
        Ok(Prepared::new((), batch, false))
    }

    async fn find_same_secret(&self, project: &ProjectId, secret: &Secret) -> Result<Loaded<Secret>, Error> {
        let found = self.load::<Secret>(Kind::Secret, &keys::secret(project, &secret.name)).await?;
        let same = found.filter(|found| found.record.guid == secret.guid);
        same.ok_or_else(|| Error::not_found(Kind::Secret, secret.name.as_str()))
    }

    async fn refuse_if_secret_used(&self, project: &ProjectId, name: &SecretName) -> Result<(), Error> {
        let mut users = Gathered::new();
        let package = |package: Package| {
            let uses = package.secrets().any(|used| used == name.as_str());
            uses.then(|| format!("package {} {}", package.name, package.version))
        };
        self.gather(Kind::Package, &keys::packages(project), &mut users, package).await?;
        let live = |live: Deployment| {
            let uses = live.is_live() && live.secrets().any(|used| used == name.as_str());
            uses.then(|| format!("deployment {} ({})", live.name, live.guid))
        };
        self.gather(Kind::Deployment, &keys::deployments(project), &mut users, live).await?;
        let Some(users) = users.told() else {
            return Ok(());
        };
        let message = format!("secret {name} is used by {users}; end their use first");
        Err(Error::refused("name", "secret_in_use", message))
    }
}
