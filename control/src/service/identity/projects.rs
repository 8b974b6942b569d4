//! Projects: create, get, list. How they end stands in its own file.

use std::collections::BTreeMap;

use super::super::{Error, Kind, Listed, PageAsked, Prepared, Service, keys, stored};
use crate::domain::project::{JudgedProject, ProjectDraft};
use crate::domain::{Caller, Faults, Level, OrganizationGuid, OrganizationName, Project};
use crate::store::{Batch, Expect};

/// A project as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenProject {
    /// As it is stored.
    pub project: Project,
    /// What its organization is called.
    pub organization_name: Option<OrganizationName>,
}

impl Service {
    /// Creates the project `draft` describes; `faults` are those its transport found.
    pub async fn create_project(
        &self,
        caller: &Caller,
        draft: &ProjectDraft,
        faults: Faults,
    ) -> Result<SeenProject, Error> {
        let organization = self.seen_organization(caller, &draft.organization).await?.record;
        may_manage(caller, &organization.guid, &organization.name, "create projects")?;
        let judged = draft.judge(faults).map_err(Error::Invalid)?;
        let prepare = || self.prepare_project(judged.clone(), &organization.guid);
        let project = self.commit_as(caller, "the project", prepare).await?.record;
        Ok(SeenProject { project, organization_name: Some(organization.name) })
    }

    async fn prepare_project(
        &self,
        judged: JudgedProject,
        organization: &OrganizationGuid,
    ) -> Result<Prepared<Project>, Error> {
        let owner = self.load_organization(organization).await?;
        if owner.record.being_deleted {
            let message = format!("organization {} is being deleted", owner.record.name);
            return Err(Error::refused("organization", "organization_being_deleted", message));
        }
        let name_key = keys::project_name(&judged.name, organization);
        if self.store.get(&name_key).await?.is_some() {
            let message = format!("organization {} has a project {} already", owner.record.name, judged.name);
            return Err(Error::AlreadyExists(Faults::one("metadata.name", "project_exists", message)));
        }
        let project = judged.create(organization.clone(), self.now(), self.chance.as_ref())?;
        let batch = Batch::new()
            .check(keys::organization(organization), Expect::At(owner.version))
            .put(name_key, Expect::Absent, stored(Kind::Index, &project.guid.to_string())?)
            .put(keys::project(&project.guid), Expect::Absent, stored(Kind::Project, &project)?);
        Ok(Prepared::new(project, batch, false))
    }

    /// The project with this name or guid, the caller's own when it is empty.
    pub async fn get_project(&self, caller: &Caller, name: &str) -> Result<SeenProject, Error> {
        let project = self.seen_project(caller, name).await?.record;
        let organization_name = self.name_of(&project.organization).await?;
        Ok(SeenProject { project, organization_name })
    }

    /// The projects in which the caller has a role, of one `organization` (name or guid) or, when that is
    /// empty, of any.
    pub async fn list_projects(
        &self,
        caller: &Caller,
        asked: &PageAsked,
        organization: &str,
    ) -> Result<Listed<SeenProject>, Error> {
        let only = match organization {
            "" => None,
            name => Some(self.seen_organization(caller, name).await?.record.guid),
        };
        let sees = |project: &Project| {
            caller.sees(project) && only.as_ref().is_none_or(|only| *only == project.organization)
        };
        let Listed { items, next } = self.list_records(Kind::Project, &keys::projects(), asked, sees).await?;
        let mut names = BTreeMap::new();
        let mut seen = Vec::with_capacity(items.len());
        for project in items {
            if !names.contains_key(&project.organization) {
                names.insert(project.organization.clone(), self.name_of(&project.organization).await?);
            }
            let organization_name = names.get(&project.organization).cloned().flatten();
            seen.push(SeenProject { project, organization_name });
        }
        Ok(Listed { items: seen, next })
    }

    async fn name_of(&self, guid: &OrganizationGuid) -> Result<Option<OrganizationName>, Error> {
        let found =
            self.load::<crate::domain::Organization>(Kind::Organization, &keys::organization(guid)).await?;
        Ok(found.map(|found| found.record.name))
    }
}

/// Refuses whoever is no admin of the organization.
pub(super) fn may_manage(
    caller: &Caller,
    guid: &OrganizationGuid,
    name: &OrganizationName,
    what: &str,
) -> Result<(), Error> {
    if caller.level_in_organization(guid) == Some(Level::Admin) {
        return Ok(());
    }
    Err(Error::Forbidden(format!("to {what} takes an admin of organization {name}")))
}
