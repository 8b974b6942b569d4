//! Who the caller is.

use proto::ProjectId;

use super::super::{Error, Kind, Service, keys};
use crate::domain::{Caller, Level, Organization, Project, Role, User};

/// Who a caller is, and where they have a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoIs {
    /// None for tokens of machines.
    pub user: Option<User>,
    /// What the token lets them do at most.
    pub role: Role,
    /// What the token is called.
    pub token_name: String,
    /// Where their calls act that name no project.
    pub project: ProjectId,
    /// The organizations they have a role in, or in one of whose projects; with what they are in the whole
    /// of it.
    pub organizations: Vec<(Organization, Option<Level>)>,
    /// The projects they have a role in, with what they are there.
    pub projects: Vec<(Project, Level)>,
}

impl Service {
    /// Who the caller is. Their places are told as far as `most` of each kind go.
    pub async fn who_am_i(&self, caller: &Caller, most: usize) -> Result<WhoIs, Error> {
        let user = match &caller.user {
            Some(guid) => self.load::<User>(Kind::User, &keys::user(guid)).await?,
            None => None,
        };
        let user = match user {
            Some(found) => Some(self.shown_user(caller, &self.reach(caller).await?, found.record).await?),
            None => None,
        };
        let sight = self.sight(caller).await?;
        let mut organizations = Vec::new();
        for (guid, level) in sight.organizations.into_iter().take(most) {
            let found = self.load::<Organization>(Kind::Organization, &keys::organization(&guid)).await?;
            organizations.extend(found.map(|found| (found.record, level)));
        }
        let mut projects = Vec::new();
        for (guid, level) in sight.projects.into_iter().take(most) {
            projects.extend(self.load_project(&guid).await?.map(|found| (found.record, level)));
        }
        Ok(WhoIs {
            user,
            role: caller.role,
            token_name: caller.name.to_string(),
            project: caller.project.clone(),
            organizations,
            projects,
        })
    }
}
