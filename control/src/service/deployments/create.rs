//! Deployments: create.

use proto::ProjectId;

use super::super::static_routes::bound_elsewhere_message;
use super::super::{Changed, Error, Kind, Loaded, Prepared, Service, keys, stored};
use crate::domain::deployment::DeploymentDraft;
use crate::domain::record::{Claim, NameIndex};
use crate::domain::{Deployment, DeploymentName, Faults, Package, StaticRoute, StaticRouteLabel};
use crate::store::{Batch, Expect, Version};

/// What stands in the store against or for a new deployment.
#[derive(Default)]
struct Surroundings {
    package: Option<Loaded<Package>>,
    /// The static routes asked for, as far as they are there.
    routes: Vec<Loaded<StaticRoute>>,
    name: Option<Loaded<NameIndex>>,
    invalid: Faults,
    taken: Faults,
    refused: Faults,
}

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
        let around = self.look_around(project, draft).await?;
        let package = around.package.as_ref().map(|package| &package.record);
        let judged = draft.judge(package, &self.rules, faults);
        let (judged, mut invalid) = match judged {
            Ok(judged) => (Some(judged), Faults::new()),
            Err(faults) => (None, faults),
        };
        invalid.extend(around.invalid);
        Error::of(invalid, around.taken, around.refused)?;
        let (Some(judged), Some(package)) = (judged, around.package) else {
            return Err(Error::not_found(Kind::Package, &draft.package_name));
        };
        let deployment = judged.create(project.clone(), self.now(), self.chance.as_ref())?;
        let batch = self.write_new(&deployment, package.version, around.name, around.routes)?;
        Ok(Prepared::new(deployment, batch, dry_run))
    }

    /// Loads what the deployment depends on, and notes what stands against it.
    async fn look_around(&self, project: &ProjectId, draft: &DeploymentDraft) -> Result<Surroundings, Error> {
        let mut around = Surroundings::default();
        if let Some((name, version)) = draft.package() {
            around.package = self.load(Kind::Package, &keys::package(project, &name, &version)).await?;
            if around.package.as_ref().is_some_and(|package| package.record.being_deleted) {
                let message = format!("package {name} {version} is being deleted; wait, or delete it again");
                around.refused.add("spec.package_name", "package_being_deleted", message);
            }
        }
        if let Ok(name) = DeploymentName::parse(&draft.name) {
            around.name = self.load(Kind::Index, &keys::deployment_name(project, &name)).await?;
            if let Some(live) = around.name.as_ref().and_then(|index| index.record.live.as_ref()) {
                let message = format!(
                    "deployment {name} is live in this project ({live}); stop it first, or choose another name"
                );
                around.taken.add("metadata.name", "deployment_exists", message);
            }
        }
        for (i, binding) in draft.static_routes.iter().enumerate() {
            let Ok(label) = StaticRouteLabel::find(&binding.static_route, &self.rules.domains) else {
                continue;
            };
            let field = format!("spec.static_routes[{i}].static_route");
            match self.load_static_route(project, &label).await? {
                None => {
                    let message =
                        format!("there is no static route {label} in this project; create it first");
                    around.invalid.add(field, "static_route_unknown", message);
                }
                Some(route) => {
                    if let Some(bound) = &route.record.bound_to {
                        let message = bound_elsewhere_message(&route.record, bound);
                        around.refused.add(field, "static_route_bound", message);
                    }
                    around.routes.push(route);
                }
            }
        }
        Ok(around)
    }

    fn write_new(
        &self,
        deployment: &Deployment,
        package: Version,
        name: Option<Loaded<NameIndex>>,
        routes: Vec<Loaded<StaticRoute>>,
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
        let claim = stored(Kind::Index, &Claim::RandomRoute { deployment: guid.clone() })?;
        for random in deployment.endpoints.iter().filter_map(|endpoint| endpoint.random.as_ref()) {
            batch = batch.put(keys::claim(&random.as_label()), Expect::Absent, claim.clone());
        }
        for Loaded { record: mut route, version } in routes {
            let binding = deployment.static_routes.iter().find(|binding| binding.label == route.label);
            if let Some(bound_to) = binding.and_then(|binding| deployment.bound_to(&binding.endpoint)) {
                route.bind(bound_to, deployment.created_at);
                let key = keys::static_route(project, &route.label);
                batch = batch.put(key, Expect::At(version), stored(Kind::StaticRoute, &route)?);
            }
        }
        Ok(batch)
    }
}
