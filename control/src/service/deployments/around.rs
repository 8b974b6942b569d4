//! What stands in the store for or against a deployment that is to be created or changed.

use std::collections::HashSet;

use proto::{BackendAddr, ProjectId};

use super::super::{Error, Kind, Loaded, Service, keys};
use crate::domain::deployment::{DeploymentDraft, Known};
use crate::domain::{Deployment, Faults, Package, SecretName, SecretUse, StaticRoute, StaticRouteLabel};
use crate::store::{Batch, Expect, MAX_OPERATIONS, Operation};

/// What a deployment depends on, as far as it is there, and what stands against it.
#[derive(Default)]
pub(super) struct Around {
    pub(super) package: Option<Loaded<Package>>,
    /// The static routes asked for, as far as they are there, each with its place among them.
    pub(super) routes: Vec<(usize, Loaded<StaticRoute>)>,
    /// The deployments it is to depend on, one for each that it names.
    pub(super) parents: Vec<Option<Loaded<Deployment>>>,
    /// What its commit relies on, or writes, of secrets and backend addresses.
    pub(super) operations: Vec<Operation>,
    pub(super) invalid: Faults,
    pub(super) taken: Faults,
    pub(super) refused: Faults,
}

impl Service {
    /// Loads what the deployment depends on, and notes what stands against it; `before` is the one that
    /// is to be changed.
    pub(super) async fn look_around(
        &self,
        project: &ProjectId,
        draft: &DeploymentDraft,
        before: Option<&Deployment>,
    ) -> Result<Around, Error> {
        let mut around = Around::default();
        if let Some((name, version)) = draft.package() {
            around.package = self.load(Kind::Package, &keys::package(project, &name, &version)).await?;
            if around.package.as_ref().is_some_and(|package| package.record.being_deleted) {
                let message = format!("package {name} {version} is being deleted; wait, or delete it again");
                around.refused.add("spec.package_name", "package_being_deleted", message);
            }
        }
        self.look_at_routes(project, draft, &mut around).await?;
        self.look_at_parents(project, draft, before, &mut around).await?;
        let uses = secret_uses(draft, before, around.package.as_ref().map(|package| &package.record));
        let relied_on =
            self.rely_on_secrets(project, &uses, &mut around.invalid, &mut around.refused).await?;
        around.operations.extend(relied_on);
        let already: HashSet<BackendAddr> = before.map(fixed_addresses).unwrap_or_default();
        let field = "spec.backends";
        let claims =
            self.claim_backends(project, &draft.backends, field, &already, &mut around.refused).await?;
        around.operations.extend(claims);
        Ok(around)
    }

    async fn look_at_routes(
        &self,
        project: &ProjectId,
        draft: &DeploymentDraft,
        around: &mut Around,
    ) -> Result<(), Error> {
        for (i, binding) in draft.static_routes.iter().enumerate() {
            let Ok(label) = StaticRouteLabel::find(&binding.static_route, &self.rules.domains) else {
                continue;
            };
            match self.load_static_route(project, &label).await? {
                Some(route) => around.routes.push((i, route)),
                None => {
                    let field = format!("spec.static_routes[{i}].static_route");
                    let message =
                        format!("there is no static route {label} in this project; create it first");
                    around.invalid.add(field, "static_route_unknown", message);
                }
            }
        }
        Ok(())
    }

    async fn look_at_parents(
        &self,
        project: &ProjectId,
        draft: &DeploymentDraft,
        before: Option<&Deployment>,
        around: &mut Around,
    ) -> Result<(), Error> {
        for (i, wanted) in draft.depends.iter().enumerate() {
            let field = format!("spec.depends[{i}].deployment");
            let named = wanted.deployment.as_str();
            let is_itself = match before {
                Some(before) => named == before.name.as_str() || named == before.guid.as_str(),
                None => named == draft.name,
            };
            if is_itself {
                let message =
                    format!("{named:?} is this deployment; none can depend on itself: leave it out");
                around.invalid.add(field, "dependency_itself", message);
                around.parents.push(None);
                continue;
            }
            let found = match self.find_deployment(project, named).await {
                Ok(found) => Some(found),
                Err(Error::NotFound { .. }) => {
                    let message =
                        format!("there is no deployment {named:?} in this project; create it first");
                    around.invalid.add(&field, "dependency_unknown", message);
                    None
                }
                Err(error) => return Err(error),
            };
            if let Some(found) = &found {
                let held = before.is_some_and(|before| depends_on(before, &found.record));
                // What it depends on already may have been stopped since: that is told, not refused.
                if !held {
                    around.refused.take(field, found.record.judge_as_parent());
                }
            }
            around.parents.push(found);
        }
        Ok(())
    }
}

impl Around {
    /// What a draft is judged by.
    pub(super) fn known<'a>(
        &'a self,
        parents: &'a [Option<&'a Deployment>],
        before: Option<&'a Deployment>,
    ) -> Known<'a> {
        Known { package: self.package.as_ref().map(|package| &package.record), parents, before }
    }

    /// The records of the deployments it is to depend on.
    pub(super) fn parents(&self) -> Vec<Option<&Deployment>> {
        self.parents.iter().map(|parent| parent.as_ref().map(|found| &found.record)).collect()
    }

    /// Adds to `batch` what its commit relies on: that the parents are as they were judged, what is taken
    /// from secrets, and which project addresses belong to.
    pub(super) fn rely_on(&self, mut batch: Batch) -> Batch {
        for parent in self.parents.iter().flatten() {
            let key = keys::deployment(&parent.record.project, &parent.record.guid);
            // An update may move a route away from a parent, and writes it then.
            if !batch.operations().iter().any(|operation| operation.key == key) {
                batch = batch.check(key, Expect::At(parent.version));
            }
        }
        self.operations.iter().cloned().fold(batch, Batch::with)
    }
}

/// Refuses in words what would be more than one commit may hold. One place is for the check that its
/// project is not being deleted.
pub(super) fn bounded(batch: Batch) -> Result<Batch, Error> {
    let (count, most) = (batch.operations().len(), MAX_OPERATIONS - 1);
    if count <= most {
        return Ok(batch);
    }
    let message = format!(
        "this would write or rely on {count} records in one commit, which holds {most}: static routes, random \
         routes, deployments, secrets and backend addresses; bind fewer static routes at once, or name fewer of \
         the others, and leave the rest to further updates"
    );
    Err(Error::refused("spec", "too_many_changes", message))
}

fn depends_on(before: &Deployment, parent: &Deployment) -> bool {
    before.depends.iter().any(|on| on.deployment == parent.guid)
}

fn fixed_addresses(deployment: &Deployment) -> HashSet<BackendAddr> {
    deployment.endpoints.iter().flat_map(|endpoint| &endpoint.fixed).map(|fixed| fixed.address).collect()
}

/// What the deployment takes from secrets: by what it was given, and by its package's plan. Names that are
/// none are told elsewhere.
fn secret_uses(
    draft: &DeploymentDraft,
    before: Option<&Deployment>,
    package: Option<&Package>,
) -> Vec<SecretUse> {
    let mut uses = Vec::new();
    for (i, given) in draft.env_args.iter().enumerate() {
        if let Some((secret, key)) = &given.value_from
            && SecretName::parse(secret).is_ok()
            && !key.is_empty()
        {
            let field = format!("spec.env_args[{i}].value_from");
            uses.push(SecretUse { field, secret: secret.clone(), key: Some(key.clone()) });
        }
    }
    let plan = package.and_then(|package| package.plan(draft.plan(before)));
    for mut used in plan.iter().flat_map(|plan| plan.secret_uses(&crate::domain::At::ROOT)) {
        used.field = "spec.package_name".to_owned();
        if !uses.contains(&used) {
            uses.push(used);
        }
    }
    uses
}
