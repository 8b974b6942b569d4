//! Deployments: create.

use proto::ProjectId;

use super::super::static_routes::bound_elsewhere_message;
use super::super::{Changed, Error, Kind, Loaded, Prepared, Service, keys, stored};
use super::around::{Around, bounded};
use crate::domain::deployment::DeploymentDraft;
use crate::domain::record::{Claim, NameIndex};
use crate::domain::{Deployment, DeploymentName, Faults, RandomLabel};
use crate::store::{Batch, Expect, Op, Operation, Version};

impl Service {
    /// Creates the deployment `draft` describes, its random routes and its bindings, in one commit;
    /// `faults` are those its transport found.
    pub async fn create_deployment(
        &self,
        project: &ProjectId,
        draft: &DeploymentDraft,
        faults: Faults,
        dry_run: bool,
    ) -> Result<Changed<Deployment>, Error> {
        self.commit("the deployment", || self.prepare_deployment(project, draft, faults.clone(), dry_run))
            .await
    }

    async fn prepare_deployment(
        &self,
        project: &ProjectId,
        draft: &DeploymentDraft,
        faults: Faults,
        dry_run: bool,
    ) -> Result<Prepared<Deployment>, Error> {
        let draft = &*self.with_route_labels(project, draft).await?;
        let mut around = self.look_around(project, draft, None).await?;
        let name = self.look_at_name(project, draft, &mut around).await?;
        refuse_bound(&mut around);
        let parents = around.parents();
        let judged = draft.judge(&around.known(&parents, None), &self.rules, faults);
        let (judged, mut invalid) = match judged {
            Ok(judged) => (Some(judged), Faults::new()),
            Err(faults) => (None, faults),
        };
        invalid.extend(std::mem::take(&mut around.invalid));
        Error::of(invalid, std::mem::take(&mut around.taken), std::mem::take(&mut around.refused))?;
        let (Some(judged), Some(package)) = (judged, &around.package) else {
            return Err(Error::not_found(Kind::Package, &draft.package_name));
        };
        let deployment = judged.create(project.clone(), self.now(), self.chance.as_ref())?;
        let batch = self.write_new(&deployment, package.version, name, &around)?;
        Ok(Prepared::new(deployment, bounded(around.rely_on(batch))?, dry_run))
    }

    async fn look_at_name(
        &self,
        project: &ProjectId,
        draft: &DeploymentDraft,
        around: &mut Around,
    ) -> Result<Option<Loaded<NameIndex>>, Error> {
        let Ok(name) = DeploymentName::parse(&draft.name) else {
            return Ok(None);
        };
        let index: Option<Loaded<NameIndex>> =
            self.load(Kind::Index, &keys::deployment_name(project, &name)).await?;
        if let Some(live) = index.as_ref().and_then(|index| index.record.live.as_ref()) {
            let message = format!(
                "deployment {name} is live in this project ({live}); stop it first, or choose another name"
            );
            around.taken.add("metadata.name", "deployment_exists", message);
        }
        Ok(index)
    }

    fn write_new(
        &self,
        deployment: &Deployment,
        package: Version,
        name: Option<Loaded<NameIndex>>,
        around: &Around,
    ) -> Result<Batch, Error> {
        let (project, guid) = (&deployment.project, &deployment.guid);
        let used = &deployment.package;
        let expect = name.as_ref().map_or(Expect::Absent, |name| Expect::At(name.version));
        let last_stopped = name.and_then(|name| name.record.last_stopped);
        let index = NameIndex { live: Some(guid.clone()), last_stopped };
        let mut batch = Batch::new()
            .put(keys::deployment(project, guid), Expect::Absent, stored(Kind::Deployment, deployment)?)
            .put(keys::deployment_name(project, &deployment.name), expect, stored(Kind::Index, &index)?)
            .check(keys::package(project, &used.name, &used.version), Expect::At(package))
            .put(keys::package_use(project, &used.name, &used.version, guid), Expect::Absent, Vec::new());
        let random = deployment.endpoints.iter().filter_map(|endpoint| endpoint.random.as_ref());
        for claim in claims(deployment, random)? {
            batch = batch.with(claim);
        }
        for (_, Loaded { record: route, version }) in &around.routes {
            let binding = deployment.static_routes.iter().find(|binding| binding.label == route.label);
            if let Some(bound_to) = binding.and_then(|binding| deployment.bound_to(&binding.endpoint)) {
                let mut route = route.clone();
                route.bind(bound_to, deployment.created_at);
                let key = keys::static_route(project, &route.label);
                batch = batch.put(key, Expect::At(*version), stored(Kind::StaticRoute, &route)?);
            }
        }
        Ok(batch)
    }
}

/// Claims `labels`, which nobody has, for `deployment`.
pub(super) fn claims<'l>(
    deployment: &Deployment,
    labels: impl IntoIterator<Item = &'l RandomLabel>,
) -> Result<Vec<Operation>, Error> {
    let claim = stored(Kind::Index, &Claim::RandomRoute { deployment: deployment.guid.clone() })?;
    let claim = |label: &RandomLabel| Operation {
        key: keys::claim(&label.as_label()),
        expect: Expect::Absent,
        op: Op::Put(claim.clone().into()),
    };
    Ok(labels.into_iter().map(claim).collect())
}

/// What is created takes no route from others.
fn refuse_bound(around: &mut Around) {
    for (i, route) in &around.routes {
        if let Some(bound) = &route.record.bound_to {
            let field = format!("spec.static_routes[{i}].static_route");
            let message = bound_elsewhere_message(&route.record, bound);
            around.refused.add(field, "static_route_bound", message);
        }
    }
}
