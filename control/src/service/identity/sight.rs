//! What a caller may know of, and what they may hand out.

use std::collections::{BTreeMap, BTreeSet};

use proto::ProjectId;

use super::super::{Error, Kind, Service, keys};
use crate::domain::record::decode;
use crate::domain::user::{Roles, Where};
use crate::domain::{Caller, Level, OrganizationGuid, Project};

/// Projects read at once.
const PORTION: usize = 1_000;

/// Where a caller is an admin, and thus may hand out roles.
#[derive(Debug, Default)]
pub(super) struct Reach {
    everywhere: bool,
    organizations: BTreeSet<OrganizationGuid>,
    projects: BTreeSet<ProjectId>,
}

/// What a caller is in each organization and project they have a role in.
#[derive(Debug, Default)]
pub(super) struct Sight {
    /// With what they are in the whole of it, if anything.
    pub(super) organizations: BTreeMap<OrganizationGuid, Option<Level>>,
    pub(super) projects: BTreeMap<ProjectId, Level>,
}

impl Reach {
    pub(super) fn covers(&self, place: &Where) -> bool {
        self.everywhere
            || match place {
                Where::Organization(guid) => self.organizations.contains(guid),
                Where::Project(guid) => self.projects.contains(guid),
            }
    }

    /// Whether it covers every role in `roles`: who has a role elsewhere is not theirs to act for.
    pub(super) fn covers_all(&self, roles: &Roles) -> bool {
        self.everywhere
            || (roles.installation.is_none()
                && !roles.memberships.is_empty()
                && roles.memberships.iter().all(|membership| self.covers(&membership.place)))
    }

    /// Whether it covers any of the roles in `roles`.
    pub(super) fn covers_any(&self, roles: &Roles) -> bool {
        self.everywhere || roles.memberships.iter().any(|membership| self.covers(&membership.place))
    }

    pub(super) fn is_everywhere(&self) -> bool {
        self.everywhere
    }

    pub(super) fn is_nowhere(&self) -> bool {
        !self.everywhere && self.organizations.is_empty() && self.projects.is_empty()
    }
}

impl Service {
    /// Where `caller` is an admin.
    pub(super) async fn reach(&self, caller: &Caller) -> Result<Reach, Error> {
        let mut reach = Reach { everywhere: caller.runs_installation(), ..Reach::default() };
        let admin_somewhere = caller.memberships().iter().any(|membership| membership.level == Level::Admin);
        if reach.everywhere || !admin_somewhere {
            return Ok(reach);
        }
        for membership in caller.memberships() {
            if let Where::Organization(guid) = &membership.place
                && caller.level_in_organization(guid) == Some(Level::Admin)
            {
                reach.organizations.insert(guid.clone());
            }
        }
        self.each_project(|project| {
            if caller.level_in(&project) == Some(Level::Admin) {
                reach.projects.insert(project.guid);
            }
        })
        .await?;
        Ok(reach)
    }

    /// The places `caller` has a role in, one by one; for those with a role in the whole installation all of
    /// them.
    pub(super) async fn sight(&self, caller: &Caller) -> Result<Sight, Error> {
        let mut sight = Sight::default();
        for membership in caller.memberships() {
            if let Where::Organization(guid) = &membership.place
                && let Some(level) = caller.level_in_organization(guid)
            {
                sight.organizations.insert(guid.clone(), Some(level));
            }
        }
        self.each_project(|project| {
            if let Some(level) = caller.level_in(&project) {
                let whole = caller.level_in_organization(&project.organization);
                sight.organizations.entry(project.organization).or_insert(whole);
                sight.projects.insert(project.guid, level);
            }
        })
        .await?;
        Ok(sight)
    }

    pub(super) async fn each_project(&self, mut tell: impl FnMut(Project)) -> Result<(), Error> {
        let mut after = None;
        loop {
            let page = self.store.list(&keys::projects(), after.as_ref(), PORTION).await?;
            for entry in page.entries {
                tell(decode(Kind::Project.as_str(), &entry.value)?);
                after = Some(entry.key);
            }
            if !page.more {
                return Ok(());
            }
        }
    }
}
