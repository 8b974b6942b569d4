//! Users: who may do what where.

use std::collections::BTreeSet;

use proto::ProjectId;
use serde::{Deserialize, Serialize};

use super::guid::{Chance, NoChance, UserGuid};
use super::name::Email;
use super::role::Level;
use super::text::as_project;
use super::{OrganizationGuid, Project, Timestamp};

mod draft;

pub use draft::{MOST_MEMBERSHIPS, MembershipDraft, RolesDraft, UserDraft, WhereDraft};

/// What the user is called that every installation has from the start.
pub const BUILT_IN_EMAIL: &str = "admin";

/// A user, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Given by the control plane.
    pub guid: UserGuid,
    /// How people call them, and how they are found; unique in the installation.
    pub email: Email,
    /// What they may do where.
    pub roles: Roles,
    /// When they were made known.
    pub created_at: Timestamp,
    /// When their roles last changed.
    pub updated_at: Timestamp,
    /// Who made them known.
    #[serde(default)]
    pub creator: Option<UserGuid>,
}

/// What a user may do where.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Roles {
    /// In the whole installation.
    pub installation: Option<Level>,
    /// In organizations and projects; each place once.
    pub memberships: Vec<Membership>,
}

/// A role in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Where.
    pub place: Where,
    /// What they are there.
    pub level: Level,
}

/// A place one can have a role in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Where {
    /// An organization, and all its projects.
    Organization(OrganizationGuid),
    /// One project.
    Project(#[serde(with = "as_project")] ProjectId),
}

/// What there is once in an installation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Installation {
    /// Who runs it; never empty. Written with every role that makes or unmakes one of them, so that two
    /// who take the role from each other at the same moment cannot both succeed.
    pub admins: BTreeSet<UserGuid>,
}

impl Where {
    /// Whether a role there is a role in `project`.
    pub fn covers(&self, project: &Project) -> bool {
        match self {
            Self::Organization(guid) => *guid == project.organization,
            Self::Project(guid) => *guid == project.guid,
        }
    }
}

impl Roles {
    /// The highest they have in `project`.
    pub fn in_project(&self, project: &Project) -> Option<Level> {
        let there = self.memberships.iter().filter(|membership| membership.place.covers(project));
        there.map(|membership| membership.level).chain(self.installation).max()
    }

    /// The highest they have in the whole of the organization.
    pub fn in_organization(&self, organization: &OrganizationGuid) -> Option<Level> {
        let there = self.memberships.iter().filter(|membership| match &membership.place {
            Where::Organization(guid) => guid == organization,
            Where::Project(_) => false,
        });
        there.map(|membership| membership.level).chain(self.installation).max()
    }

    /// The highest they have anywhere.
    pub fn highest(&self) -> Option<Level> {
        self.memberships.iter().map(|membership| membership.level).chain(self.installation).max()
    }
}

impl User {
    /// A user called `email`, who may do what `roles` say.
    pub fn create(
        email: Email,
        roles: Roles,
        creator: Option<UserGuid>,
        now: Timestamp,
        chance: &dyn Chance,
    ) -> Result<Self, NoChance> {
        let guid = UserGuid::draw(chance)?;
        Ok(Self { guid, email, roles, created_at: now, updated_at: now, creator })
    }

    /// Whether they run the installation.
    pub fn runs_installation(&self) -> bool {
        self.roles.installation == Some(Level::Admin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::built_in_project;

    fn membership(place: Where, level: Level) -> Membership {
        Membership { place, level }
    }

    #[test]
    fn the_highest_role_counts() {
        let project = Project::built_in(Timestamp::from(std::time::UNIX_EPOCH)).unwrap();
        let organization = project.organization.clone();
        let other = OrganizationGuid::parse("org-aaaaaaaaaaaaaaaaaaaa").unwrap();
        let mut roles = Roles::default();
        assert_eq!((roles.in_project(&project), roles.highest()), (None, None));
        roles.memberships.push(membership(Where::Organization(other.clone()), Level::Admin));
        assert_eq!(roles.in_project(&project), None);
        roles.memberships.push(membership(Where::Organization(organization.clone()), Level::Viewer));
        roles.memberships.push(membership(Where::Project(built_in_project()), Level::Developer));
        assert_eq!(roles.in_project(&project), Some(Level::Developer));
        assert_eq!(roles.in_organization(&organization), Some(Level::Viewer));
        assert_eq!(
            (roles.in_organization(&other), roles.highest()),
            (Some(Level::Admin), Some(Level::Admin))
        );
        roles.installation = Some(Level::Admin);
        assert_eq!(roles.in_project(&project), Some(Level::Admin));
    }

    #[test]
    fn what_is_stored_is_read() {
        let place = Where::Project(built_in_project());
        let roles = Roles { installation: None, memberships: vec![membership(place, Level::Viewer)] };
        let text = serde_json::to_string(&roles).unwrap();
        assert_eq!(serde_json::from_str::<Roles>(&text).unwrap(), roles, "{text}");
    }
}
