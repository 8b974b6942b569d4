//! Which roles a caller may hand out.

use super::super::{Error, Service, keys};
use super::sight::Reach;
use crate::domain::user::{
    MOST_MEMBERSHIPS, Membership, MembershipDraft, Roles, RolesDraft, Where, WhereDraft,
};
use crate::domain::{Caller, Faults};

impl Service {
    /// The roles `draft` describes, as far as `reach` goes; its faults are added to `faults`.
    pub(super) async fn judge_roles(
        &self,
        caller: &Caller,
        reach: &Reach,
        draft: &RolesDraft,
        faults: &mut Faults,
    ) -> Result<Roles, Error> {
        if draft.installation.is_some() && !reach.is_everywhere() {
            return Err(Error::Forbidden(
                "to give a role in the whole installation takes an admin of the whole installation".into(),
            ));
        }
        if draft.memberships.len() > MOST_MEMBERSHIPS {
            let message =
                format!("there are {}; at most {MOST_MEMBERSHIPS} are possible", draft.memberships.len());
            faults.add("memberships", "too_many_memberships", message);
            return Ok(Roles::default());
        }
        let mut memberships: Vec<Membership> = Vec::new();
        for asked in &draft.memberships {
            let Some(place) = self.find_place(caller, asked, faults).await? else {
                continue;
            };
            if !reach.covers(&place) {
                return Err(Error::Forbidden(format!(
                    "{}: to give a role there takes an admin of it",
                    asked.field
                )));
            }
            if memberships.iter().any(|there| there.place == place) {
                let message = "this place is named twice; one role is enough, the highest counts";
                faults.add(&asked.field, "membership_repeated", message);
                continue;
            }
            memberships.push(Membership { place, level: asked.level });
        }
        Ok(Roles { installation: draft.installation, memberships })
    }

    async fn find_place(
        &self,
        caller: &Caller,
        asked: &MembershipDraft,
        faults: &mut Faults,
    ) -> Result<Option<Where>, Error> {
        let (found, field, rule) = match &asked.place {
            WhereDraft::Organization(name) => {
                let found = self.seen_organization(caller, name).await;
                (
                    found.map(|found| Where::Organization(found.record.guid)),
                    "organization",
                    "organization_unknown",
                )
            }
            WhereDraft::Project(name) => {
                let found = self.seen_project(caller, name).await;
                (found.map(|found| Where::Project(found.record.guid)), "project", "project_unknown")
            }
        };
        match found {
            Ok(place) => Ok(Some(place)),
            Err(error @ Error::NotFound { .. }) => {
                faults.add(format_args!("{}.{field}", asked.field), rule, error.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether `place` is one of those that a token opens, or within one; a token bound to none opens all.
    pub(super) async fn is_within(&self, within: Option<&[Where]>, place: &Where) -> Result<bool, Error> {
        let Some(within) = within.filter(|within| !within.contains(place)) else {
            return Ok(true);
        };
        let Where::Project(guid) = place else {
            return Ok(false);
        };
        let project = self.load_project(guid).await?;
        Ok(project.is_some_and(|project| within.iter().any(|opened| opened.covers(&project.record))))
    }

    /// Whether a place has not been deleted.
    pub(super) async fn is_there(&self, place: &Where) -> Result<bool, Error> {
        let key = match place {
            Where::Organization(guid) => keys::organization(guid),
            Where::Project(guid) => keys::project(guid),
        };
        Ok(self.store.get(&key).await?.is_some())
    }
}
