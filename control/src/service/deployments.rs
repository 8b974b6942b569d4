//! Deployments: get, list, stop. How they are created, changed and shown stands in files of its own.

use proto::ProjectId;

use super::{Changed, Error, Kind, Listed, Loaded, PageAsked, Prepared, Service, keys, stored};
use crate::domain::deployment::Phase;
use crate::domain::record::NameIndex;
use crate::domain::{Deployment, DeploymentGuid, DeploymentName, StaticRouteLabel, Timestamp};
use crate::store::{Batch, Expect, Op, Operation};

mod around;
mod create;
mod cycles;
mod update;
mod view;

impl Service {
    /// The deployment with this guid, else the live one with this name, else the last stopped one.
    pub async fn get_deployment(&self, project: &ProjectId, name: &str) -> Result<Deployment, Error> {
        Ok(self.find_deployment(project, name).await?.record)
    }

    /// Deployments in the order of their guids; of those phases only, unless none is named.
    pub async fn list_deployments(
        &self,
        project: &ProjectId,
        asked: &PageAsked,
        phases: &[Phase],
    ) -> Result<Listed<Deployment>, Error> {
        let keep = |deployment: &Deployment| phases.is_empty() || phases.contains(&deployment.phase);
        self.list_records(Kind::Deployment, &keys::deployments(project), asked, keep).await
    }

    /// Stops a deployment: its random routes, its name and its static routes are free in one commit. One
    /// that is stopped already stays as it is.
    pub async fn stop_deployment(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<Changed<Deployment>, Error> {
        self.commit("the deployment", || self.prepare_stop(project, name)).await
    }

    async fn prepare_stop(&self, project: &ProjectId, name: &str) -> Result<Prepared<Deployment>, Error> {
        let has_name = self.who_has_name(project, name).await?;
        let mut found = self.find_deployment(project, name).await?;
        if !found.record.is_live() {
            // Nor has another one been created under its name, which would have been meant.
            let key = keys::deployment(project, &found.record.guid);
            let relied_on = Batch::new().check(key, Expect::At(found.version));
            let relied_on = has_name.into_iter().fold(relied_on, Batch::with);
            return Ok(Prepared::new(found.record, relied_on, false));
        }
        let now = self.now();
        let held = found.record.stop(now);
        let deployment = &found.record;
        let package = &deployment.package;
        let mut batch = Batch::new()
            .with(self.put_deployment(&found)?)
            .with(self.free_name(project, deployment).await?)
            .delete(
                keys::package_use(project, &package.name, &package.version, &deployment.guid),
                Expect::Any,
            );
        batch = self.bury(&held.random, now)?.into_iter().fold(batch, Batch::with);
        for label in &held.static_routes {
            let release = self.release(project, &deployment.guid, label, now).await?;
            batch = release.into_iter().fold(batch, Batch::with);
        }
        Ok(Prepared::new(found.record, batch, false))
    }

    /// That those who have or had `name` are as they are now.
    async fn who_has_name(&self, project: &ProjectId, name: &str) -> Result<Option<Operation>, Error> {
        let Ok(name) = DeploymentName::parse(name) else {
            return Ok(None);
        };
        let key = keys::deployment_name(project, &name);
        let version = self.store.get(&key).await?.map(|found| found.version);
        let expect = version.map_or(Expect::Absent, Expect::At);
        Ok(Some(Operation { key, expect, op: Op::Check }))
    }

    async fn free_name(&self, project: &ProjectId, deployment: &Deployment) -> Result<Operation, Error> {
        let key = keys::deployment_name(project, &deployment.name);
        let index = self.load::<NameIndex>(Kind::Index, &key).await?;
        let expect = index.as_ref().map_or(Expect::Absent, |index| Expect::At(index.version));
        let live = index.and_then(|index| index.record.live).filter(|live| *live != deployment.guid);
        let freed = NameIndex { live, last_stopped: Some(deployment.guid.clone()) };
        Ok(Operation { key, expect, op: Op::Put(stored(Kind::Index, &freed)?.into()) })
    }

    /// Unbinds `label` if it does lead to the deployment `guid`.
    async fn release(
        &self,
        project: &ProjectId,
        guid: &DeploymentGuid,
        label: &StaticRouteLabel,
        now: Timestamp,
    ) -> Result<Option<Operation>, Error> {
        let Some(Loaded { record: mut route, version }) = self.load_static_route(project, label).await?
        else {
            return Ok(None);
        };
        if route.bound_to.as_ref().is_none_or(|bound| bound.deployment != *guid) {
            return Ok(None);
        }
        route.unbind(now);
        let op = Op::Put(stored(Kind::StaticRoute, &route)?.into());
        Ok(Some(Operation { key: keys::static_route(project, label), expect: Expect::At(version), op }))
    }

    /// Writes a deployment that was loaded.
    pub(super) fn put_deployment(&self, loaded: &Loaded<Deployment>) -> Result<Operation, Error> {
        let key = keys::deployment(&loaded.record.project, &loaded.record.guid);
        let op = Op::Put(stored(Kind::Deployment, &loaded.record)?.into());
        Ok(Operation { key, expect: Expect::At(loaded.version), op })
    }

    pub(super) async fn find_deployment(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<Loaded<Deployment>, Error> {
        let not_found = || Error::not_found(Kind::Deployment, name);
        if let Ok(guid) = DeploymentGuid::parse(name)
            && let Some(found) = self.load(Kind::Deployment, &keys::deployment(project, &guid)).await?
        {
            return Ok(found);
        }
        let Ok(parsed) = DeploymentName::parse(name) else {
            return Err(not_found());
        };
        let index = self.load::<NameIndex>(Kind::Index, &keys::deployment_name(project, &parsed)).await?;
        let guid = index.and_then(|index| index.record.live.or(index.record.last_stopped));
        let guid = guid.ok_or_else(not_found)?;
        self.load(Kind::Deployment, &keys::deployment(project, &guid)).await?.ok_or_else(not_found)
    }

    /// As [`Service::find_deployment`]; one that is stopped is refused under `field`.
    pub(super) async fn find_live_deployment(
        &self,
        project: &ProjectId,
        name: &str,
        field: &str,
    ) -> Result<Loaded<Deployment>, Error> {
        let found = self.find_deployment(project, name).await?;
        if found.record.is_live() {
            return Ok(found);
        }
        let (name, guid) = (&found.record.name, &found.record.guid);
        let message = format!("deployment {name} ({guid}) is stopped, for good; create it anew");
        Err(Error::refused(field, "deployment_stopped", message))
    }
}
