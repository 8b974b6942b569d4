//! Organizations: create, get, list, change, delete.

use super::super::gather::Gathered;
use super::super::{Error, Kind, Listed, Loaded, PageAsked, Prepared, Service, keys, stored};
use crate::domain::organization::{JudgedOrganization, OrganizationDraft};
use crate::domain::{
    Caller, Faults, Organization, OrganizationGuid, OrganizationName, Project, built_in_organization,
};
use crate::store::{Batch, Expect};

/// Records counted at once.
const PORTION: usize = 1_000;

impl Service {
    /// Creates the organization `draft` describes; `faults` are those its transport found.
    pub async fn create_organization(
        &self,
        caller: &Caller,
        draft: &OrganizationDraft,
        faults: Faults,
    ) -> Result<Organization, Error> {
        may_run_installation(caller, "create organizations")?;
        let judged = draft.judge(faults).map_err(Error::Invalid)?;
        let created =
            self.commit_as(caller, "the organization", || self.prepare_organization(judged.clone())).await?;
        Ok(created.record)
    }

    async fn prepare_organization(
        &self,
        judged: JudgedOrganization,
    ) -> Result<Prepared<Organization>, Error> {
        let name_key = keys::organization_name(&judged.name);
        if self.store.get(&name_key).await?.is_some() {
            let message = format!("organization {} exists already", judged.name);
            return Err(Error::AlreadyExists(Faults::one("metadata.name", "organization_exists", message)));
        }
        let organization = judged.create(self.now(), self.chance.as_ref())?;
        let guid = stored(Kind::Index, &organization.guid)?;
        let batch = Batch::new()
            .put(
                keys::organization(&organization.guid),
                Expect::Absent,
                stored(Kind::Organization, &organization)?,
            )
            .put(name_key, Expect::Absent, guid.clone())
            // Should another have drawn the same one, it is drawn anew.
            .put(keys::organization_short(&organization.short_id), Expect::Absent, guid);
        Ok(Prepared::new(organization, batch, false))
    }

    /// The organization with this name or guid, the caller's own when it is empty.
    pub async fn get_organization(&self, caller: &Caller, name: &str) -> Result<Organization, Error> {
        Ok(self.seen_organization(caller, name).await?.record)
    }

    /// The organizations in which the caller has a role, or in one of whose projects.
    pub async fn list_organizations(
        &self,
        caller: &Caller,
        asked: &PageAsked,
    ) -> Result<Listed<Organization>, Error> {
        let sight = self.sight(caller).await?;
        let sees = |found: &Organization| {
            caller.level_everywhere().is_some() || sight.organizations.contains_key(&found.guid)
        };
        self.list_records(Kind::Organization, &keys::organizations(), asked, sees).await
    }

    /// Changes subscription and labels of the organization `draft` names; `faults` are those its transport
    /// found.
    pub async fn update_organization(
        &self,
        caller: &Caller,
        draft: &OrganizationDraft,
        mut faults: Faults,
    ) -> Result<Organization, Error> {
        may_run_installation(caller, "change what an organization pays for")?;
        if draft.name.is_empty() {
            faults.add("metadata.name", "name", "say which organization is to be changed");
        }
        draft.judge_rest(&mut faults);
        Error::of(faults, Faults::new(), Faults::new())?;
        let prepare = || async {
            let mut found = self.seen_organization(caller, &draft.name).await?;
            found.record.change(draft, self.now());
            let key = keys::organization(&found.record.guid);
            let value = stored(Kind::Organization, &found.record)?;
            Ok(Prepared::new(found.record, Batch::new().put(key, Expect::At(found.version), value), false))
        };
        Ok(self.commit_as(caller, "the organization", prepare).await?.record)
    }

    /// Deletes an organization that has no projects.
    ///
    /// It is marked first, which those who begin a project in it stumble over, for they rely on the
    /// version of its record; then its projects are looked for once more.
    pub async fn delete_organization(&self, caller: &Caller, name: &str) -> Result<(), Error> {
        may_run_installation(caller, "delete organizations")?;
        let found = self.seen_organization(caller, name).await?.record;
        if found.guid == built_in_organization() {
            let message = "the organization every installation begins with stays";
            return Err(Error::refused("name", "built_in", message));
        }
        self.refuse_if_has_projects(&found).await?;
        self.commit_as(caller, "the organization", || self.prepare_organization_mark(&found.guid, true))
            .await?;
        if let Err(used) = self.refuse_if_has_projects(&found).await {
            self.commit("the organization", || self.prepare_organization_mark(&found.guid, false)).await?;
            return Err(used);
        }
        self.commit("the organization", || self.prepare_organization_end(&found.guid)).await?;
        Ok(())
    }

    async fn prepare_organization_mark(
        &self,
        guid: &OrganizationGuid,
        being_deleted: bool,
    ) -> Result<Prepared<()>, Error> {
        let mut found = self.load_organization(guid).await?;
        found.record.being_deleted = being_deleted;
        let value = stored(Kind::Organization, &found.record)?;
        let batch = Batch::new().put(keys::organization(guid), Expect::At(found.version), value);
        Ok(Prepared::new((), batch, false))
    }

    async fn prepare_organization_end(&self, guid: &OrganizationGuid) -> Result<Prepared<()>, Error> {
        let found = self.load_organization(guid).await?;
        if !found.record.being_deleted {
            // Another deletion found projects meanwhile.
            return Err(Error::Concurrent { what: "the organization", attempts: 1 });
        }
        let batch = Batch::new()
            .delete(keys::organization(guid), Expect::At(found.version))
            .delete(keys::organization_name(&found.record.name), Expect::Any)
            .delete(keys::organization_short(&found.record.short_id), Expect::Any)
            .delete(keys::route_count(guid), Expect::Any);
        Ok(Prepared::new((), batch, false))
    }

    async fn refuse_if_has_projects(&self, organization: &Organization) -> Result<(), Error> {
        let mut projects = Gathered::new();
        let ours =
            |project: Project| (project.organization == organization.guid).then(|| project.name.to_string());
        self.gather(Kind::Project, &keys::projects(), &mut projects, ours).await?;
        let Some(projects) = projects.told() else {
            return Ok(());
        };
        let message =
            format!("organization {} has projects: {projects}; delete them first", organization.name);
        Err(Error::refused("name", "organization_in_use", message))
    }

    /// How many static routes the projects of an organization have together.
    pub async fn static_routes_used(&self, organization: &OrganizationGuid) -> Result<u32, Error> {
        let mut projects = Vec::new();
        self.each_project(|project| {
            if project.organization == *organization {
                projects.push(project.guid);
            }
        })
        .await?;
        let mut used = 0_u32;
        for project in projects {
            let (prefix, mut after) = (keys::static_routes(&project), None);
            loop {
                let page = self.store.list(&prefix, after.as_ref(), PORTION).await?;
                used = used.saturating_add(u32::try_from(page.entries.len()).unwrap_or(u32::MAX));
                after = page.entries.into_iter().last().map(|entry| entry.key);
                if !page.more {
                    break;
                }
            }
        }
        Ok(used)
    }

    pub(super) async fn load_organization(
        &self,
        guid: &OrganizationGuid,
    ) -> Result<Loaded<Organization>, Error> {
        let found = self.load(Kind::Organization, &keys::organization(guid)).await?;
        found.ok_or_else(|| Error::not_found(Kind::Organization, guid.as_str()))
    }

    /// The organization with this name or guid, the one of the caller's project when it is empty. One
    /// that the caller has no role in is not told from one that is not there.
    pub(super) async fn seen_organization(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Loaded<Organization>, Error> {
        let not_found = || Error::not_found(Kind::Organization, name);
        let guid = if name.is_empty() {
            self.seen_project(caller, "").await?.record.organization
        } else if let Ok(guid) = OrganizationGuid::parse(name) {
            guid
        } else {
            let name = OrganizationName::parse(name).map_err(|_| not_found())?;
            let index = self.load::<OrganizationGuid>(Kind::Index, &keys::organization_name(&name)).await?;
            index.ok_or_else(not_found)?.record
        };
        let seen = caller.level_in_organization(&guid).is_some()
            || self.sight(caller).await?.organizations.contains_key(&guid);
        if !seen {
            return Err(not_found());
        }
        let found = self.load(Kind::Organization, &keys::organization(&guid)).await?;
        found.ok_or_else(not_found)
    }
}

/// Refuses whoever does not run the installation.
pub(super) fn may_run_installation(caller: &Caller, what: &str) -> Result<(), Error> {
    if caller.runs_installation() {
        return Ok(());
    }
    Err(Error::Forbidden(format!("to {what} takes an admin of the whole installation")))
}
