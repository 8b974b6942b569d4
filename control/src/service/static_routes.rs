//! Static routes: create, get, list, delete.

use proto::ProjectId;

use super::{Error, Kind, Listed, Loaded, PageAsked, Prepared, Service, keys, stored};
use crate::domain::record::{Claim, GuidIndex};
use crate::domain::static_route::{JudgedStaticRoute, StaticRouteDraft};
use crate::domain::{Faults, StaticRoute, StaticRouteGuid, StaticRouteLabel};
use crate::store::{Batch, Expect};

mod bind;

pub use bind::BindAsked;
pub(super) use bind::bound_elsewhere_message;

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
        let judged = draft.judge(&self.rules.reserved, faults).map_err(Error::Invalid)?;
        let created = self
            .commit("the static route", || self.prepare_static_route(project, judged.clone(), dry_run))
            .await?;
        Ok(created.record)
    }

    async fn prepare_static_route(
        &self,
        project: &ProjectId,
        judged: JudgedStaticRoute,
        dry_run: bool,
    ) -> Result<Prepared<StaticRoute>, Error> {
        let claim_key = keys::claim(&judged.label.as_label());
        if let Some(claim) = self.load::<Claim>(Kind::Index, &claim_key).await? {
            return Err(taken(project, &judged.label, &claim.record));
        }
        let route = judged.create(project.clone(), self.now(), self.chance.as_ref())?;
        let index = GuidIndex::StaticRoute { label: route.label.clone() };
        let claim = Claim::StaticRoute { project: project.clone() };
        let batch = Batch::new()
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

    /// Gives up a static route that is not bound.
    pub async fn delete_static_route(&self, project: &ProjectId, name: &str) -> Result<(), Error> {
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
        // The claim and the index are written with the record and never without it.
        let batch = Batch::new()
            .delete(keys::static_route(project, &route.label), Expect::At(version))
            .delete(keys::claim(&route.label.as_label()), Expect::Any)
            .delete(keys::guid(project, route.guid.as_str()), Expect::Any);
        Ok(Prepared::new((), batch, false))
    }

    pub(super) async fn find_static_route(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<Loaded<StaticRoute>, Error> {
        let not_found = || Error::not_found(Kind::StaticRoute, name);
        if let Ok(guid) = StaticRouteGuid::parse(name)
            && let Some(index) =
                self.load::<GuidIndex>(Kind::Index, &keys::guid(project, guid.as_str())).await?
            && let GuidIndex::StaticRoute { label } = index.record
        {
            return self.load_static_route(project, &label).await?.ok_or_else(not_found);
        }
        let Ok(label) = StaticRouteLabel::find(name, &self.rules.domains) else {
            return Err(not_found());
        };
        self.load_static_route(project, &label).await?.ok_or_else(not_found)
    }

    pub(super) async fn load_static_route(
        &self,
        project: &ProjectId,
        label: &StaticRouteLabel,
    ) -> Result<Option<Loaded<StaticRoute>>, Error> {
        self.load(Kind::StaticRoute, &keys::static_route(project, label)).await
    }
}

/// The label has an owner. Whose, is told to the owner only.
fn taken(project: &ProjectId, label: &StaticRouteLabel, claim: &Claim) -> Error {
    let message = match claim {
        Claim::StaticRoute { project: owner } if owner == project => {
            format!("static route {label} exists already in this project")
        }
        Claim::StaticRoute { .. } | Claim::RandomRoute { .. } => {
            format!("{label} is taken; names are unique across the platform: choose another one")
        }
    };
    Error::AlreadyExists(Faults::one("metadata.name", "static_route_taken", message))
}
