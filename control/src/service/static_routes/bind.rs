//! Static routes: bind, move, unbind.
//!
//! What a route serves is said in its own record; the deployments it leaves and reaches mirror it. All
//! of them are written in one commit, so that a deployment being stopped cannot gain a route unseen.

use proto::ProjectId;

use super::super::{Changed, Error, Kind, Loaded, Prepared, Service, keys, stored};
use crate::domain::deployment::Deployment;
use crate::domain::package::pick_external;
use crate::domain::static_route::BoundTo;
use crate::domain::{Broken, DeploymentName, Faults, StaticRoute, Timestamp};
use crate::store::{Batch, Expect};

/// Which route is to serve what.
#[derive(Debug, Clone, Default)]
pub struct BindAsked {
    /// Name, host name or guid of the static route.
    pub static_route: String,
    /// Name or guid of a live deployment.
    pub deployment: String,
    /// May be empty when the deployment has only one external endpoint.
    pub endpoint: String,
    /// Take it from what it serves now.
    pub move_it: bool,
}

impl Service {
    /// Binds a static route, or moves it.
    pub async fn bind_static_route(
        &self,
        project: &ProjectId,
        asked: &BindAsked,
    ) -> Result<Changed<StaticRoute>, Error> {
        self.commit("the static route", || self.prepare_bind(project, asked)).await
    }

    async fn prepare_bind(
        &self,
        project: &ProjectId,
        asked: &BindAsked,
    ) -> Result<Prepared<StaticRoute>, Error> {
        let Loaded { record: mut route, version } =
            self.find_static_route(project, &asked.static_route).await?;
        let mut to = self.find_live_deployment(project, &asked.deployment, "deployment").await?;
        let endpoint = pick_external(&to.record.endpoints, |e| (&e.name, &e.kind), &asked.endpoint);
        let endpoint = endpoint.map_err(|broken| invalid("endpoint", broken))?.name.clone();
        let key = keys::static_route(project, &route.label);
        let from = route.bound_to.clone();
        if let Some(from) = &from {
            if from.deployment == to.record.guid && from.endpoint == endpoint {
                let relied_on = Batch::new().check(key, Expect::At(version));
                return Ok(Prepared::new(route, relied_on, false));
            }
            if !asked.move_it {
                let message = bound_elsewhere_message(&route, from);
                return Err(Error::refused("name", "static_route_bound", message));
            }
        }
        let Some(bound_to) = to.record.bound_to(&endpoint) else {
            return Err(Error::not_found(Kind::Deployment, &asked.deployment));
        };
        let now = self.now();
        let target = to.record.guid.clone();
        let from = from.filter(|from| from.deployment != target);
        let lost_by = from.as_ref().map(|from| &from.deployment_name);
        to.record
            .gain(route.label.clone(), endpoint, lost_by, now)
            .map_err(|broken| Error::refused("deployment", broken.rule, broken.message))?;
        route.bind(bound_to, now);
        let mut batch = Batch::new()
            .put(key, Expect::At(version), stored(Kind::StaticRoute, &route)?)
            .with(self.put_deployment(&to)?);
        if let Some(from) = from {
            batch = self.leave(batch, project, &route, &from, Some(&to.record.name), now).await?;
        }
        Ok(Prepared::new(route, batch, false))
    }

    /// Leads a static route nowhere. One that leads nowhere already stays as it is.
    pub async fn unbind_static_route(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<Changed<StaticRoute>, Error> {
        self.commit("the static route", || self.prepare_unbind(project, name)).await
    }

    async fn prepare_unbind(&self, project: &ProjectId, name: &str) -> Result<Prepared<StaticRoute>, Error> {
        let Loaded { record: mut route, version } = self.find_static_route(project, name).await?;
        let key = keys::static_route(project, &route.label);
        let Some(from) = route.bound_to.clone() else {
            return Ok(Prepared::new(route, Batch::new().check(key, Expect::At(version)), false));
        };
        let now = self.now();
        route.unbind(now);
        let batch = Batch::new().put(key, Expect::At(version), stored(Kind::StaticRoute, &route)?);
        let batch = self.leave(batch, project, &route, &from, None, now).await?;
        Ok(Prepared::new(route, batch, false))
    }

    /// Adds to `batch` that the deployment in `from` does not have the route any more, because it goes `to`
    /// another one or nowhere.
    async fn leave(
        &self,
        batch: Batch,
        project: &ProjectId,
        route: &StaticRoute,
        from: &BoundTo,
        to: Option<&DeploymentName>,
        now: Timestamp,
    ) -> Result<Batch, Error> {
        let key = keys::deployment(project, &from.deployment);
        let Some(mut left) = self.load::<Deployment>(Kind::Deployment, &key).await? else {
            return Ok(batch.check(key, Expect::Absent));
        };
        left.record.lose(&route.label, to, now);
        Ok(batch.with(self.put_deployment(&left)?))
    }
}

/// Which deployment stands against a binding.
pub(in crate::service) fn bound_elsewhere_message(route: &StaticRoute, bound: &BoundTo) -> String {
    format!(
        "static route {} serves endpoint {} of deployment {} ({}); unbind it there, or move it here with a bind",
        route.label, bound.endpoint, bound.deployment_name, bound.deployment
    )
}

fn invalid(field: &str, broken: Broken) -> Error {
    Error::Invalid(Faults::one(field, broken.rule, broken.message))
}
