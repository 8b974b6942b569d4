use proto::manifest::{Object, render};
use proto::wire;
use tonic::{Code, Status};

use super::create::{located, refusal};
use super::diff::{Change, changes};
use super::manifests::Declared;
use super::order::names;
use super::{Outcome, Run, Served, identity, in_project, is_stopped, label, same};
use crate::failure::Failure;
use crate::output::quoted;

/// The message's field for the static routes of a deployment.
const STATIC_ROUTES: &str = "spec.static_routes";

/// Sees to it that what is there becomes what is declared. `refused` is why it could not be created.
pub(super) async fn update(run: &Run<'_>, declared: &Declared, refused: &Status) -> Result<Outcome, Failure> {
    match &declared.document.object {
        Object::Package(package) => compare_package(run, declared, package, refused).await,
        Object::StaticRoute(route) => update_static_route(run, declared, route, refused).await,
        Object::Deployment(deployment) => update_deployment(run, declared, deployment, refused).await,
        Object::Secret(secret) => update_secret(run, declared, secret, refused).await,
        // There is nothing in a manifest by which a project could change.
        Object::Project(_) => Ok(Outcome::Unchanged),
    }
}

/// What a secret holds is never shown, so that it cannot be compared: what is declared is written, unless
/// the manifest is one that was shown, which holds nothing.
async fn update_secret(
    run: &Run<'_>,
    declared: &Declared,
    secret: &wire::Secret,
    refused: &Status,
) -> Result<Outcome, Failure> {
    let name = declared.document.object.name().to_owned();
    let request = wire::GetSecretRequest { name, project: run.project_of(declared) };
    let there = run.client.secrets().get_secret(request).await;
    let there = there.map_err(|_| refusal(declared, refused))?.into_inner();
    let (there, wanted) = (same::secret(&there), same::secret(secret));
    let mut changes = changes(&render::secret(&there), &render::secret(&wanted));
    match (same::holds_nothing(secret), changes.is_empty()) {
        (true, true) => return Ok(Outcome::Unchanged),
        (true, false) => {
            let told = located(declared, "data", "holds no values, so that it cannot become what it says");
            return Err(Failure::refused(told).hint("put the password or the values in, to replace it whole"));
        }
        (false, _) => changes.push(Change::hidden("spec")),
    }
    if run.dry_run {
        return Ok(Outcome::Updated(changes, Served::default()));
    }
    let metadata = in_project(secret.metadata.as_ref(), run.client);
    let request = wire::UpdateSecretRequest { secret: Some(wire::Secret { metadata, ..secret.clone() }) };
    let updated = run.client.secrets().update_secret(request).await;
    updated.map_err(|status| refusal(declared, &status))?;
    Ok(Outcome::Updated(changes, Served::default()))
}

async fn compare_package(
    run: &Run<'_>,
    declared: &Declared,
    package: &wire::Package,
    refused: &Status,
) -> Result<Outcome, Failure> {
    let (name, version) = identity(&declared.document.object);
    let (name, version) = (name.to_owned(), version.to_owned());
    let request = wire::GetPackageRequest { name, version, project: run.project_of(declared) };
    let there = run.client.packages().get_package(request).await;
    let there = there.map_err(|_| refusal(declared, refused))?.into_inner();
    let (there, wanted) = (same::package(&there), same::package(package));
    if there == wanted {
        return Ok(Outcome::Unchanged);
    }
    let place = declared.document.place;
    let label = label(&declared.document.object);
    let mut told = format!("{}:{}: {label} exists and is different", declared.file, place.line);
    for change in changes(&render::package(&there), &render::package(&wanted)) {
        told += &format!("\n    {change}");
    }
    Err(Failure::refused(told).hint("a package never changes: give the new one another version"))
}

async fn update_static_route(
    run: &Run<'_>,
    declared: &Declared,
    route: &wire::StaticRoute,
    refused: &Status,
) -> Result<Outcome, Failure> {
    let (name, _) = identity(&declared.document.object);
    let request = wire::GetStaticRouteRequest { name: name.to_owned(), project: run.project_of(declared) };
    // One of another project is not ours to see: then the refusal says all there is to say.
    let there = run.client.static_routes().get_static_route(request).await;
    let there = there.map_err(|_| refusal(declared, refused))?.into_inner();
    let (there, wanted) = (same::static_route(&there), same::static_route(route));
    if there == wanted {
        return Ok(Outcome::Unchanged);
    }
    let changes = changes(&render::static_route(&there), &render::static_route(&wanted));
    if run.dry_run {
        return Ok(Outcome::Updated(changes, Served::default()));
    }
    let metadata = in_project(route.metadata.as_ref(), run.client);
    let static_route = Some(wire::StaticRoute { metadata, ..route.clone() });
    let request = wire::UpdateStaticRouteRequest { static_route, wait: run.waiting() };
    let updated = run.client.static_routes().update_static_route(request).await;
    let updated = updated.map_err(|status| refusal(declared, &status))?.into_inner();
    Ok(Outcome::Updated(changes, Served { deployment: None, receipt: updated.receipt }))
}

async fn update_deployment(
    run: &Run<'_>,
    declared: &Declared,
    deployment: &wire::Deployment,
    refused: &Status,
) -> Result<Outcome, Failure> {
    let (name, _) = identity(&declared.document.object);
    let request = wire::GetDeploymentRequest { name: name.to_owned(), project: run.project_of(declared) };
    let there = run.client.deployments().get_deployment(request).await;
    let there = there.map_err(|_| refusal(declared, refused))?.into_inner();
    let gives_routes = declared.document.gives(STATIC_ROUTES);
    let (was, wanted) = same::deployments(&there, deployment, gives_routes);
    if was == wanted {
        return Ok(Outcome::Unchanged);
    }
    let changes = changes(&render::deployment(&was), &render::deployment(&wanted));
    let mut sent = deployment.clone();
    sent.metadata = in_project(deployment.metadata.as_ref(), run.client);
    sent.status = None;
    if let Some(spec) = &mut sent.spec {
        spec.static_routes = routes_to_keep(run, declared, spec, &there);
    }
    let request = wire::UpdateDeploymentRequest {
        deployment: Some(sent),
        dry_run: run.dry_run,
        wait: run.waiting().filter(|_| !run.dry_run),
    };
    let updated = run.client.deployments().update_deployment(request).await;
    let updated = updated.map_err(|status| not_updated(declared, &was, &wanted, &status))?.into_inner();
    let deployment = updated.deployment.map(Box::new);
    Ok(Outcome::Updated(changes, Served { deployment, receipt: updated.receipt }))
}

/// The static routes an update asks for: those declared; all it has, when the manifest does not speak of them,
/// for then they are bound by other means. A route that another deployment of this run takes stays until it is taken, so
/// that it never serves nothing.
fn routes_to_keep(
    run: &Run<'_>,
    declared: &Declared,
    spec: &wire::DeploymentSpec,
    there: &wire::Deployment,
) -> Vec<wire::StaticRouteBinding> {
    let gives_routes = declared.document.gives(STATIC_ROUTES);
    let mut wanted = spec.static_routes.clone();
    let has = there.spec.as_ref().map(|spec| spec.static_routes.as_slice()).unwrap_or_default();
    let others = run.declared.iter().filter(|other| !std::ptr::eq(*other, declared));
    let others: Vec<_> = others.filter(|other| !is_stopped(&other.document.object)).collect();
    let taken = |route: &str| {
        others.iter().any(|other| match &other.document.object {
            Object::Deployment(deployment) => {
                let spec = deployment.spec.iter();
                spec.flat_map(|spec| &spec.static_routes).any(|binding| names(binding, route))
            }
            _ => false,
        })
    };
    let keep = |binding: &&wire::StaticRouteBinding| {
        let declared = spec.static_routes.iter().any(|it| names(it, &binding.static_route));
        !declared && (!gives_routes || taken(&binding.static_route))
    };
    wanted.extend(has.iter().filter(keep).cloned());
    wanted
}

/// Why an update was refused, and what helps.
fn not_updated(
    declared: &Declared,
    was: &wire::Deployment,
    wanted: &wire::Deployment,
    status: &Status,
) -> Failure {
    let failure = refusal(declared, status);
    if !matches!(status.code(), Code::FailedPrecondition | Code::InvalidArgument) {
        return failure;
    }
    let name = quoted(identity(&declared.document.object).0);
    let package = |deployment: &wire::Deployment| {
        let spec = deployment.spec.clone().unwrap_or_default();
        (spec.package_name, spec.plan)
    };
    let phase = was.status.as_ref().map(wire::DeploymentStatus::phase);
    match phase {
        _ if package(was) != package(wanted) => {
            failure.hint(format_args!("to replace it: epr delete deployment {name}, then apply again"))
        }
        Some(wire::Phase::InProgress | wire::Phase::Provisioning) => {
            failure.hint(format_args!("epr wait deployment {name} --for=succeeded, then apply again"))
        }
        _ => failure,
    }
}

impl Run<'_> {
    /// The project a declared object is in.
    pub(super) fn project_of(&self, declared: &Declared) -> String {
        let metadata = in_project(declared.document.object.metadata(), self.client);
        metadata.map(|metadata| metadata.project).unwrap_or_default()
    }
}
