//! Static routes: create, get, list, update, delete.

use proto::ProjectId;

use self::quota::Change;
use super::{Changed, Error, Kind, Listed, Loaded, PageAsked, Prepared, Service, keys, stored};
use crate::domain::record::{Claim, GuidIndex};
use crate::domain::static_route::StaticRouteDraft;
use crate::domain::{Faults, StaticRoute, StaticRouteLabel};
use crate::store::{Batch, Expect};

mod bind;
mod find;
mod quota;
mod view;

pub use bind::BindAsked;
pub(super) use bind::bound_elsewhere_message;
pub use view::ViewedStaticRoute;

impl Service {
    /// Claims the static route `draft` describes; `faults` are those its transport found.
    ///
    /// The claim stands under the label alone: whoever claims it, in whatever project, there is one.
    pub async fn create_static_route(
        &self,
        project: &ProjectId,
        draft: &StaticRouteDraft,
        faults: Faults,
        dry_run: bool,
    ) -> Result<StaticRoute, Error> {
        let _turn = self.turn_to_count(project).await?;
        let prepare = || self.prepare_static_route(project, draft, faults.clone(), dry_run);
        Ok(self.commit("the static route", prepare).await?.record)
    }

    async fn prepare_static_route(
        &self,
        project: &ProjectId,
        draft: &StaticRouteDraft,
        faults: Faults,
        dry_run: bool,
    ) -> Result<Prepared<StaticRoute>, Error> {
        let organization = self.organization_around(project).await?;
        let suffix = self.rules.organization_suffix.then_some(&organization.record.short_id);
        let judged = draft.judge(&self.rules.reserved, suffix, faults).map_err(Error::Invalid)?;
        let claim_key = keys::claim(&judged.label.as_label());
        if let Some(claim) = self.load::<Claim>(Kind::Index, &claim_key).await? {
            return Err(taken(project, &judged.label, &claim.record));
        }
        let mut batch = Batch::new();
        if let Some(called) = &judged.called {
            // One of that name from before names had an end: the name would mean both.
            if self.load_static_route(project, called).await?.is_some() {
                return Err(taken(project, called, &Claim::StaticRoute { project: project.clone() }));
            }
            batch = batch.check(keys::static_route(project, called), Expect::Absent);
        }
        let counted = self.count(&organization, Change::OneMore).await?;
        let route = judged.create(project.clone(), self.now(), self.chance.as_ref())?;
        let index = GuidIndex::StaticRoute { label: route.label.clone() };
        let claim = Claim::StaticRoute { project: project.clone() };
        let batch = counted
            .into_iter()
            .fold(batch, Batch::with)
            .put(claim_key, Expect::Absent, stored(Kind::Index, &claim)?)
            .put(
                keys::static_route(project, &route.label),
                Expect::Absent,
                stored(Kind::StaticRoute, &route)?,
            )
            .put(keys::guid(project, route.guid.as_str()), Expect::Absent, stored(Kind::Index, &index)?);
        Ok(Prepared::new(route, batch, dry_run))
    }

    /// The static route with this name, host name or guid.
    pub async fn get_static_route(&self, project: &ProjectId, name: &str) -> Result<StaticRoute, Error> {
        Ok(self.find_static_route(project, name).await?.record)
    }

    /// Static routes in the order of their names.
    pub async fn list_static_routes(
        &self,
        project: &ProjectId,
        asked: &PageAsked,
    ) -> Result<Listed<StaticRoute>, Error> {
        self.list_records(Kind::StaticRoute, &keys::static_routes(project), asked, |_| true).await
    }

    /// Replaces labels and source ranges of the static route with this name, host name or guid; `faults`
    /// are those its transport found. What it serves stays; its name does, too.
    pub async fn update_static_route(
        &self,
        project: &ProjectId,
        name: &str,
        draft: &StaticRouteDraft,
        faults: Faults,
    ) -> Result<Changed<StaticRoute>, Error> {
        let prepare = || self.prepare_static_route_change(project, name, draft, faults.clone());
        self.commit("the static route", prepare).await
    }

    async fn prepare_static_route_change(
        &self,
        project: &ProjectId,
        name: &str,
        draft: &StaticRouteDraft,
        mut faults: Faults,
    ) -> Result<Prepared<StaticRoute>, Error> {
        if name.is_empty() {
            faults.add("metadata.name", "static_route_name", "say which static route is to be changed");
            return Err(Error::Invalid(faults));
        }
        let Loaded { record: mut route, version } = self.find_static_route(project, name).await?;
        if !draft.name.is_empty() {
            let named = self.find_static_route(project, &draft.name).await;
            if !named.is_ok_and(|named| named.record.guid == route.guid) {
                let message = format!(
                    "static route {} cannot be renamed, to {:?} or otherwise: leave its name as it is, or \
                     create another one",
                    route.name(),
                    draft.name
                );
                faults.add("metadata.name", "static_route_name_fixed", message);
            }
        }
        let change = draft.judge_change(faults).map_err(Error::Invalid)?;
        let key = keys::static_route(project, &route.label);
        let batch = match route.change(change, self.now()) {
            true => Batch::new().put(key, Expect::At(version), stored(Kind::StaticRoute, &route)?),
            false => Batch::new().check(key, Expect::At(version)),
        };
        Ok(Prepared::new(route, batch, false))
    }

    /// Gives up a static route that is not bound.
    pub async fn delete_static_route(&self, project: &ProjectId, name: &str) -> Result<(), Error> {
        let _turn = self.turn_to_count(project).await?;
        self.commit("the static route", || self.prepare_delete_static_route(project, name)).await?;
        Ok(())
    }

    async fn prepare_delete_static_route(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<Prepared<()>, Error> {
        let Loaded { record: route, version } = self.find_static_route(project, name).await?;
        if let Some(bound) = &route.bound_to {
            let message = format!(
                "static route {} is bound to endpoint {} of deployment {} ({}); unbind it first",
                route.label, bound.endpoint, bound.deployment_name, bound.deployment
            );
            return Err(Error::refused("name", "static_route_bound", message));
        }
        let organization = self.organization_around(project).await?;
        let counted = self.count(&organization, Change::OneLess).await?;
        // The claim and the index are written with the record and never without it.
        let batch = counted
            .into_iter()
            .fold(Batch::new(), Batch::with)
            .delete(keys::static_route(project, &route.label), Expect::At(version))
            .delete(keys::claim(&route.label.as_label()), Expect::Any)
            .delete(keys::guid(project, route.guid.as_str()), Expect::Any);
        Ok(Prepared::new((), batch, false))
    }
}

/// The label has an owner. Whose, is told to the owner only.
fn taken(project: &ProjectId, label: &StaticRouteLabel, claim: &Claim) -> Error {
    let message = match claim {
        Claim::StaticRoute { project: owner } if owner == project => {
            format!("static route {label} exists already in this project")
        }
        Claim::StaticRoute { .. } | Claim::RandomRoute { .. } | Claim::Released { .. } => {
            format!("{label} is taken; names are unique across the platform: choose another one")
        }
    };
    Error::AlreadyExists(Faults::one("metadata.name", "static_route_taken", message))
}
