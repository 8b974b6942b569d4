//! Projects: delete.
//!
//! A project is closed first: every commit that writes into a project relies on its not being closed.
//! Then what it holds is looked for; then everything goes, in as many commits as it takes, each relying on
//! its still being closed by this deletion; then the project itself. The mark stays for ever, so that
//! what was under way for long finds no project either. After a crash the deletion is asked for again.

use proto::ProjectId;

use super::super::gather::Gathered;
use super::super::{Error, Kind, Service, keys};
use super::projects::may_manage;
use crate::domain::record::encode;
use crate::domain::{Caller, Deployment, Package, Project, Secret, StaticRoute, built_in_project};
use crate::store::{Batch, CommitError, Expect, MAX_OPERATIONS, Version};

impl Service {
    /// Deletes a project that holds nothing live, and everything that is left in it.
    pub async fn delete_project(&self, caller: &Caller, name: &str) -> Result<(), Error> {
        let found = self.seen_project(caller, name).await?;
        let project = found.record;
        let organization = self.load_organization(&project.organization).await?.record;
        may_manage(caller, &organization.guid, &organization.name, "delete projects")?;
        if name.is_empty() {
            let message = "say which project is to be deleted";
            return Err(Error::Invalid(crate::domain::Faults::one("name", "name", message)));
        }
        if project.guid == built_in_project() {
            let message = "the project every installation begins with stays";
            return Err(Error::refused("name", "built_in", message));
        }
        self.refuse_if_holds(&project).await?;
        let closed = self.close(caller, &project.guid, found.version).await?;
        if let Err(held) = self.refuse_if_holds(&project).await {
            // Should another deletion have closed it again meanwhile, it is for that one to open it.
            let open = Batch::new().delete(keys::project_closed(&project.guid), Expect::At(closed));
            match self.store.commit(open).await {
                Ok(_) | Err(CommitError::Conflict { .. }) => return Err(held),
                Err(error) => return Err(error.into()),
            }
        }
        self.remove_all(&project.guid, closed).await?;
        let end = Batch::new()
            .check(keys::project_closed(&project.guid), Expect::At(closed))
            .delete(keys::project_name(&project.name, &project.organization), Expect::Any)
            .delete(keys::project(&project.guid), Expect::Any);
        self.store.commit(end).await?;
        tracing::info!(project = %project.guid, name = %project.name, by = %caller.name, "deleted a project");
        Ok(())
    }

    async fn close(&self, caller: &Caller, project: &ProjectId, version: Version) -> Result<Version, Error> {
        let mark = encode(Kind::Index.as_str(), &self.now())?;
        let batch = Batch::new()
            .put(keys::project_closed(project), Expect::Any, mark)
            .check(keys::project(project), Expect::At(version));
        let batch = self.standing(caller, batch).await?;
        Ok(Version(self.store.commit(batch).await?.number))
    }

    async fn remove_all(&self, project: &ProjectId, closed: Version) -> Result<(), Error> {
        loop {
            let page = self.store.list(&keys::held_by(project), None, MAX_OPERATIONS - 1).await?;
            if page.entries.is_empty() {
                return Ok(());
            }
            let still = Batch::new().check(keys::project_closed(project), Expect::At(closed));
            let batch =
                page.entries.into_iter().fold(still, |batch, entry| batch.delete(entry.key, Expect::Any));
            self.store.commit(batch).await?;
        }
    }

    async fn refuse_if_holds(&self, project: &Project) -> Result<(), Error> {
        let guid = &project.guid;
        let mut held = Gathered::new();
        let live =
            |deployment: Deployment| deployment.is_live().then(|| format!("deployment {}", deployment.name));
        self.gather(Kind::Deployment, &keys::deployments(guid), &mut held, live).await?;
        let route = |route: StaticRoute| Some(format!("static route {}", route.label));
        self.gather(Kind::StaticRoute, &keys::static_routes(guid), &mut held, route).await?;
        let package = |package: Package| Some(format!("package {} {}", package.name, package.version));
        self.gather(Kind::Package, &keys::packages(guid), &mut held, package).await?;
        let secret = |secret: Secret| Some(format!("secret {}", secret.name));
        self.gather(Kind::Secret, &keys::secrets(guid), &mut held, secret).await?;
        let Some(held) = held.told() else {
            return Ok(());
        };
        let message = format!("project {} holds {held}; stop and delete what it holds first", project.name);
        Err(Error::refused("name", "project_in_use", message))
    }
}
