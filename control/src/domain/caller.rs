//! Who calls, and what they may do where.

use std::sync::Arc;

use proto::ProjectId;

use super::role::{Access, Level, Role};
use super::token::TokenRecord;
use super::user::{Membership, Roles, User, Where};
use super::{OrganizationGuid, Project, Timestamp, UserGuid};

/// Who calls: what a token says, and what its user may do at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's: bounds whatever its user may.
    pub role: Role,
    /// The project they act in unless they name another.
    pub project: ProjectId,
    /// What their token is called, for people.
    pub name: Arc<str>,
    /// The hash of their token, under which it is stored; none where nobody said.
    token: Option<Arc<str>>,
    /// Whose token it is; none for those of machines.
    pub user: Option<UserGuid>,
    /// What the user may do where.
    roles: Arc<Roles>,
    /// The only places the token opens; none for wherever its user may act.
    within: Option<Arc<[Where]>>,
    /// When the token ends.
    pub expires_at: Option<Timestamp>,
}

impl Caller {
    /// Who holds a token that says `record`, and belongs to `user`.
    pub fn new(record: TokenRecord, user: Option<User>) -> Self {
        // A token of a time without users acts for whoever runs the installation, as it did then.
        let legacy = || Roles { installation: record.role.level(), memberships: Vec::new() };
        Self {
            role: record.role,
            project: record.project,
            name: record.name.into(),
            token: None,
            user: record.user,
            roles: Arc::new(user.map_or_else(legacy, |user| user.roles)),
            within: record.within.map(Arc::from),
            expires_at: record.expires_at,
        }
    }

    /// The same, by the token with this hash.
    #[must_use]
    pub fn by_token(self, hash: &str) -> Self {
        Self { token: Some(hash.into()), ..self }
    }

    /// The hash of their token, if it was said.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether these are the roles their user has.
    pub fn has(&self, roles: &Roles) -> bool {
        *self.roles == *roles
    }

    /// Whether they may do in `project` what takes `access`.
    pub fn may(&self, access: Access, project: &Project) -> bool {
        match (access, self.role) {
            (Access::Open | Access::Anyone, _) => true,
            (Access::Feed, role) => role == Role::Proxy,
            (Access::Run, Role::Runtime) => self.is_within(project),
            _ => self.level_in(project).is_some_and(|level| level >= access.least()),
        }
    }

    /// Whether they may do anywhere what takes `access`. Reading is for all whose tokens read: who has no
    /// role anywhere finds nothing.
    pub fn may_somewhere(&self, access: Access) -> bool {
        let enough = match access {
            Access::Change | Access::Manage => true,
            Access::Run => self.role != Role::Runtime,
            Access::Open | Access::Anyone | Access::Feed | Access::Read => false,
        };
        access.admits(self.role) && (!enough || self.most().and_then(Role::level) >= Some(access.least()))
    }

    /// The highest role they have anywhere; none for users who have none.
    pub fn most(&self) -> Option<Role> {
        match self.role.level() {
            None => Some(self.role),
            Some(bound) => self.roles.highest().map(|level| level.min(bound).into()),
        }
    }

    /// Whether they may know of `project`.
    pub fn sees(&self, project: &Project) -> bool {
        self.may(Access::Read, project) || self.may(Access::Run, project)
    }

    /// What they are in `project`.
    pub fn level_in(&self, project: &Project) -> Option<Level> {
        let level = self.roles.in_project(project)?.min(self.role.level()?);
        self.is_within(project).then_some(level)
    }

    /// What they are in the organization as a whole.
    pub fn level_in_organization(&self, organization: &OrganizationGuid) -> Option<Level> {
        let level = self.roles.in_organization(organization)?.min(self.role.level()?);
        let within = |places: &Arc<[Where]>| {
            places.iter().any(|place| *place == Where::Organization(organization.clone()))
        };
        self.within.as_ref().is_none_or(within).then_some(level)
    }

    /// What they are in the whole installation.
    pub fn level_everywhere(&self) -> Option<Level> {
        let level = self.roles.installation?.min(self.role.level()?);
        self.within.is_none().then_some(level)
    }

    /// Whether they run the installation.
    pub fn runs_installation(&self) -> bool {
        self.level_everywhere() == Some(Level::Admin)
    }

    /// The places their user has a role in, whatever their token opens of it.
    pub fn memberships(&self) -> &[Membership] {
        &self.roles.memberships
    }

    /// The only places the token opens.
    pub fn within(&self) -> Option<&[Where]> {
        self.within.as_deref()
    }

    fn is_within(&self, project: &Project) -> bool {
        self.within.as_ref().is_none_or(|places| places.iter().any(|place| place.covers(project)))
    }
}
