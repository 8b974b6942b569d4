//! Deployments: update in place.
//!
//! One commit writes the deployment, every static route that is bound, moved or released by it, and the
//! deployments that routes are taken from; so a route is never seen at two deployments, nor at none.

use std::collections::BTreeMap;

use proto::ProjectId;

use super::super::{Changed, Error, Kind, Loaded, Prepared, Service, keys, stored};
use super::around::{Around, bounded};
use super::create::claims;
use crate::domain::deployment::{DeploymentDraft, Moved, Updated};
use crate::domain::{Deployment, DeploymentGuid, Faults, StaticRoute, Timestamp};
use crate::store::{Batch, Expect};

impl Service {
    /// Puts what `draft` describes in place of the deployment called `name`, or with that guid: another
    /// generation of it, with the same random routes. Static routes that serve other deployments of the
    /// project are moved here; those that are left out are unbound. `faults` are those its transport found.
    pub async fn update_deployment(
        &self,
        project: &ProjectId,
        name: &str,
        draft: &DeploymentDraft,
        faults: Faults,
        dry_run: bool,
    ) -> Result<Changed<Deployment>, Error> {
        let prepare = || self.prepare_update(project, name, draft, faults.clone(), dry_run);
        self.commit("the deployment", prepare).await
    }

    async fn prepare_update(
        &self,
        project: &ProjectId,
        name: &str,
        draft: &DeploymentDraft,
        faults: Faults,
        dry_run: bool,
    ) -> Result<Prepared<Deployment>, Error> {
        if name.is_empty() {
            let mut faults = faults;
            faults.add("metadata.name", "name", "say which deployment is to be updated");
            return Err(Error::Invalid(faults));
        }
        let mut before = self.find_live_deployment(project, name, "metadata.name").await?;
        self.forget_closed_leases(&mut before.record).await?;
        let draft = &*self.with_route_labels(project, draft).await?;
        let mut around = self.look_around(project, draft, Some(&before.record)).await?;
        around.refused.take("metadata.name", before.record.judge_update());
        self.look_for_cycles(&before.record, &mut around).await?;
        let parents = around.parents();
        let judged = draft.judge(&around.known(&parents, Some(&before.record)), &self.rules, faults);
        let (judged, mut invalid) = match judged {
            Ok(judged) => (Some(judged), Faults::new()),
            Err(faults) => (None, faults),
        };
        invalid.extend(std::mem::take(&mut around.invalid));
        Error::of(invalid, std::mem::take(&mut around.taken), std::mem::take(&mut around.refused))?;
        let Some(judged) = judged else {
            return Err(Error::not_found(Kind::Package, &draft.package_name));
        };
        let now = self.now();
        let moved = moved_here(&before.record.guid, &around);
        let Loaded { record, version } = before;
        let package_before = record.package.clone();
        let Updated { deployment, claimed, released, unbound } =
            judged.update(record, &moved, now, self.chance.as_ref())?;
        let updated = Loaded { record: deployment, version };
        let deployment = &updated.record;
        let mut batch = Batch::new().with(self.put_deployment(&updated)?);
        batch = self.use_package(batch, deployment, &package_before, &around)?;
        batch = claims(deployment, &claimed)?.into_iter().fold(batch, Batch::with);
        batch = self.bury(&released, now)?.into_iter().fold(batch, Batch::with);
        batch = self.bind_here(batch, deployment, &around, now).await?;
        for label in &unbound {
            let release = self.release(project, &deployment.guid, label, now).await?;
            batch = release.into_iter().fold(batch, Batch::with);
        }
        Ok(Prepared::new(updated.record, bounded(around.rely_on(batch))?, dry_run))
    }

    /// Relies on the package it is one of now, and says so in place of the one before.
    fn use_package(
        &self,
        mut batch: Batch,
        deployment: &Deployment,
        before: &crate::domain::deployment::PackageRef,
        around: &Around,
    ) -> Result<Batch, Error> {
        let (project, guid, now) = (&deployment.project, &deployment.guid, &deployment.package);
        let Some(package) = &around.package else {
            return Err(Error::not_found(Kind::Package, now.name.as_str()));
        };
        batch = batch.check(keys::package(project, &now.name, &now.version), Expect::At(package.version));
        if *before == *now {
            return Ok(batch);
        }
        let use_of = |of: &crate::domain::deployment::PackageRef| {
            keys::package_use(project, &of.name, &of.version, guid)
        };
        Ok(batch.delete(use_of(before), Expect::Any).put(use_of(now), Expect::Any, Vec::new()))
    }

    /// Leads the static routes that were asked for here, and tells those they are taken from.
    async fn bind_here(
        &self,
        mut batch: Batch,
        deployment: &Deployment,
        around: &Around,
        now: Timestamp,
    ) -> Result<Batch, Error> {
        let project = &deployment.project;
        let mut left: BTreeMap<DeploymentGuid, Option<Loaded<Deployment>>> = BTreeMap::new();
        for (_, Loaded { record: route, version }) in &around.routes {
            let binding = deployment.static_routes.iter().find(|binding| binding.label == route.label);
            let bound_to = binding.and_then(|binding| deployment.bound_to(&binding.endpoint));
            let Some(bound_to) = bound_to.filter(|bound_to| route.bound_to.as_ref() != Some(bound_to)) else {
                continue;
            };
            if let Some(from) = taken_from(&deployment.guid, route) {
                if !left.contains_key(from) {
                    let found = self.load(Kind::Deployment, &keys::deployment(project, from)).await?;
                    left.insert(from.clone(), found);
                }
                if let Some(Some(from)) = left.get_mut(from) {
                    from.record.lose(&route.label, Some(&deployment.name), now);
                }
            }
            let mut route = route.clone();
            route.bind(bound_to, now);
            let key = keys::static_route(project, &route.label);
            batch = batch.put(key, Expect::At(*version), stored(Kind::StaticRoute, &route)?);
        }
        for (guid, left) in left {
            batch = match left {
                Some(left) => batch.with(self.put_deployment(&left)?),
                None => batch.check(keys::deployment(project, &guid), Expect::Absent),
            };
        }
        Ok(batch)
    }
}

/// The deployment other than this one that `route` serves.
fn taken_from<'r>(guid: &DeploymentGuid, route: &'r StaticRoute) -> Option<&'r DeploymentGuid> {
    route.bound_to.as_ref().map(|bound| &bound.deployment).filter(|from| *from != guid)
}

/// The static routes asked for that serve others, with the names of those.
fn moved_here(guid: &DeploymentGuid, around: &Around) -> Moved {
    let routes = around.routes.iter().map(|(_, route)| &route.record);
    let moved = routes.filter(|route| taken_from(guid, route).is_some());
    moved
        .filter_map(|route| Some((route.label.clone(), route.bound_to.as_ref()?.deployment_name.clone())))
        .collect()
}
