//! Which tokens a caller may make.
//!
//! Nobody makes one that opens more than what they may do themselves, or for longer than their own token
//! lasts. Whoever is an admin of some places only, and makes a token for a user of theirs, makes one that
//! opens these places and never others, whatever roles that user is given elsewhere later.

use std::collections::BTreeSet;
use std::time::Duration;

use proto::ProjectId;

use super::super::{Error, Service};
use super::sight::Reach;
use crate::domain::user::Where;
use crate::domain::{Access, Caller, Faults, Level, Role, User};

/// A token as someone wants it.
#[derive(Debug, Clone, Default)]
pub struct TokenDraft {
    /// What it is to be called.
    pub name: String,
    /// Email or guid of whose it is to be; empty means the caller's.
    pub user: String,
    /// What it is to let its holder do at most; none for as much as may be.
    pub role: Option<Role>,
    /// How long it is to last; none for as long as may be.
    pub lifetime: Option<Duration>,
    /// Where its holder is to act unless they say otherwise; empty means the caller's project.
    pub project: String,
}

/// Whose a token is, and what it opens.
pub(super) struct Owner {
    /// None for those of machines.
    pub(super) user: Option<User>,
    pub(super) role: Role,
    pub(super) within: Option<Vec<Where>>,
}

impl Service {
    pub(super) async fn judge_owner(
        &self,
        caller: &Caller,
        reach: &Reach,
        draft: &TokenDraft,
        faults: &mut Faults,
    ) -> Result<Option<Owner>, Error> {
        if let Some(role @ (Role::Proxy | Role::Runtime)) = draft.role {
            if !draft.user.is_empty() {
                let message = format!("a token of the role {role} belongs to no user; leave it out");
                faults.add("user", "token_of_machine", message);
            }
            let within = self.judge_machine(caller, role, &draft.project).await?;
            return Ok(Some(Owner { user: None, role, within }));
        }
        if draft.user.is_empty() && caller.user.is_none() {
            let message = "this token belongs to no user; say whose the new one is to be";
            faults.add("user", "token_owner", message);
            return Ok(None);
        }
        let user = self.seen_user(caller, reach, &draft.user).await?.record;
        if caller.user.as_ref() == Some(&user.guid) {
            let role = draft.role.unwrap_or(caller.role);
            if role.level() > caller.role.level() {
                let message =
                    format!("a token of the role {} cannot make one of the role {role}", caller.role);
                return Err(Error::Forbidden(message));
            }
            let within = caller.within().map(<[Where]>::to_vec);
            return Ok(Some(Owner { user: Some(user), role, within }));
        }
        if !reach.covers_all(&user.roles) {
            return Err(Error::Forbidden(format!(
                "to make a token for {} takes an admin of the whole installation, or of every place they have a role in",
                user.email
            )));
        }
        let within = (!reach.is_everywhere()).then(|| places_of(caller, reach));
        Ok(Some(Owner { user: Some(user), role: draft.role.unwrap_or(Role::Admin), within }))
    }

    /// The only places a machine's token is to open: proxies serve everything, a runtime may be kept to one
    /// project by whoever is an admin of it.
    async fn judge_machine(
        &self,
        caller: &Caller,
        role: Role,
        project: &str,
    ) -> Result<Option<Vec<Where>>, Error> {
        if role == Role::Runtime && !project.is_empty() {
            let project = self.project_for(caller, project, Access::Manage).await?;
            return Ok(Some(vec![Where::Project(project)]));
        }
        if caller.runs_installation() {
            return Ok(None);
        }
        let instead = if role == Role::Runtime { "; name a project to make one for that alone" } else { "" };
        Err(Error::Forbidden(format!(
            "to make a token of the role {role} takes an admin of the whole installation{instead}"
        )))
    }

    /// The project a new token acts in unless its holder says otherwise.
    pub(super) async fn judge_home(
        &self,
        caller: &Caller,
        draft: &TokenDraft,
        owner: Option<&Owner>,
        faults: &mut Faults,
    ) -> Result<Option<ProjectId>, Error> {
        if draft.project.is_empty() {
            return self.likely_home(caller, owner).await.map(Some);
        }
        match self.seen_project(caller, &draft.project).await {
            Ok(found) => Ok(Some(found.record.guid)),
            Err(error @ Error::NotFound { .. }) => {
                faults.add("project", "project_unknown", error.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The caller's project if the owner has a role in it, else the first in which they have one.
    async fn likely_home(&self, caller: &Caller, owner: Option<&Owner>) -> Result<ProjectId, Error> {
        let Some(user) = owner.and_then(|owner| owner.user.as_ref()) else {
            return Ok(caller.project.clone());
        };
        if let Some(own) = self.load_project(&caller.project).await?
            && user.roles.in_project(&own.record).is_some()
        {
            return Ok(caller.project.clone());
        }
        let mut first = None;
        self.each_project(|project| {
            if first.is_none() && user.roles.in_project(&project).is_some() {
                first = Some(project.guid);
            }
        })
        .await?;
        Ok(first.unwrap_or_else(|| caller.project.clone()))
    }
}

/// The places `caller` is an admin of, as they stand in their roles, or in what their own token is kept to.
fn places_of(caller: &Caller, reach: &Reach) -> Vec<Where> {
    let admin = caller.memberships().iter().filter(|membership| membership.level == Level::Admin);
    let opened = caller.within().unwrap_or_default().iter();
    let places: BTreeSet<&Where> = admin.map(|membership| &membership.place).chain(opened).collect();
    places.into_iter().filter(|place| reach.covers(place)).cloned().collect()
}
