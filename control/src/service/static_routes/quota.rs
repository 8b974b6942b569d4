//! How many static routes an organization may have.
//!
//! Where there is a limit, their number stands in a record that every creation and deletion writes in its
//! own commit: of those who want the last one, one has it. Where there is none, nothing is counted, and
//! each change relies on that being so still. The number is counted anew when a limit is set.

use proto::ProjectId;
use tokio::sync::MutexGuard;

use super::super::{Error, Kind, Loaded, Service, keys, stored};
use crate::domain::Organization;
use crate::domain::record::RouteCount;
use crate::store::{Expect, Op, Operation};

/// What becomes of the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    OneMore,
    OneLess,
}

impl Service {
    /// The organization that `project` is of.
    pub(super) async fn organization_around(
        &self,
        project: &ProjectId,
    ) -> Result<Loaded<Organization>, Error> {
        let guid = self.organization_of(project).await?;
        let found = self.load(Kind::Organization, &keys::organization(&guid)).await?;
        found.ok_or_else(|| Error::not_found(Kind::Organization, guid.as_str()))
    }

    /// Waits for the turn to change the number of static routes around `project`, if that is counted.
    pub(super) async fn turn_to_count(
        &self,
        project: &ProjectId,
    ) -> Result<Option<MutexGuard<'_, ()>>, Error> {
        let organization = self.organization_around(project).await?.record;
        if organization.subscription.static_routes().is_none() {
            return Ok(None);
        }
        Ok(self.turns.take(organization.guid.as_str()).await)
    }

    /// What a commit that changes the number of static routes has to say of that; or why there can be no
    /// more.
    pub(super) async fn count(
        &self,
        organization: &Loaded<Organization>,
        change: Change,
    ) -> Result<Vec<Operation>, Error> {
        let Loaded { record: organization, version } = organization;
        let key = keys::route_count(&organization.guid);
        let counted = self.load::<RouteCount>(Kind::Index, &key).await?;
        let expect = counted.as_ref().map_or(Expect::Absent, |counted| Expect::At(counted.version));
        let relied_on = Operation {
            key: keys::organization(&organization.guid),
            expect: Expect::At(*version),
            op: Op::Check,
        };
        let Some(most) = organization.subscription.static_routes() else {
            // A number that is not kept up must not be there when a limit is set again.
            let forget = counted.map(|_| Operation { key, expect, op: Op::Delete });
            return Ok([relied_on].into_iter().chain(forget).collect());
        };
        let used = match counted {
            Some(counted) => counted.record.used,
            None => self.static_routes_used(&organization.guid).await?,
        };
        let used = match change {
            Change::OneMore if used >= most => return Err(no_more(organization, used, most)),
            Change::OneMore => used.saturating_add(1),
            Change::OneLess => used.saturating_sub(1),
        };
        let op = Op::Put(stored(Kind::Index, &RouteCount { used })?.into());
        Ok(vec![relied_on, Operation { key, expect, op }])
    }
}

fn no_more(organization: &Organization, used: u32, most: u32) -> Error {
    let message = format!(
        "organization {} has {used} static routes, and its subscription ({}) allows {most}; delete one that is \
         not needed, or have the subscription changed",
        organization.name,
        organization.subscription.as_str()
    );
    Error::refused("metadata.name", "static_route_limit", message)
}
