//! `epr apply`: creates what manifests declare; what is already there and the same stays.

mod create;
mod same;

/// Finding and reading manifests.
pub(crate) mod manifests;

use proto::manifest::Object;

use crate::args::ApplyArgs;
use crate::bind;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Out, remark};
use create::{Created, How, Outcome};
use manifests::Declared;

pub(crate) async fn run(args: ApplyArgs) -> Result<(), Failure> {
    let declared = manifests::read_all(&args.filenames)?;
    if declared.is_empty() {
        return Err(Failure::refused("the manifests declare nothing"));
    }
    let contradictions = manifests::contradictions(&declared);
    if !contradictions.is_empty() {
        contradictions.iter().for_each(remark);
        return Err(manifests::nothing_done(contradictions.len()));
    }
    let client = Client::of(&args.server).await?;
    let mut out = Out::new();
    let applied = all(&client, &declared, args.dry_run, |one| {
        tell(&mut out, one);
        out.flush();
    });
    let failed = applied.await;
    out.finish()?;
    match failed {
        0 => Ok(()),
        _ => Err(Failure::refused(format_args!("{failed} of {} not applied", declared.len()))),
    }
}

/// What has become of one declared object.
pub(crate) struct Applied<'d> {
    declared: &'d Declared,
    outcome: Result<Outcome, Failure>,
    dry_run: bool,
}

impl Applied<'_> {
    /// Why it was not applied.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        match &self.outcome {
            Ok(Outcome::Different(failure)) | Err(failure) => Some(failure),
            Ok(_) => None,
        }
    }
}

/// Applies packages, then static routes, then deployments, telling of each; returns how many failed.
pub(crate) async fn all(
    client: &Client,
    declared: &[Declared],
    dry_run: bool,
    mut tell: impl FnMut(&Applied<'_>),
) -> usize {
    let mut order: Vec<_> = declared.iter().collect();
    order.sort_by_key(|one| match one.document.object {
        Object::Package(_) => 0,
        Object::StaticRoute(_) => 1,
        Object::Deployment(_) => 2,
    });
    let mut failed = 0;
    // Who applies wants to use it. But one proxy that lags holds up one object, not each.
    let mut how = How { dry_run, wait: true };
    // What is not there although others of this very run may build on it.
    let (mut announced, mut missing) = (Vec::new(), Vec::new());
    for one in order {
        let object = &one.document.object;
        let outcome = match (create::needed(object, &missing), create::needed(object, &announced)) {
            (Some(missing), _) => Ok(Outcome::Skipped(label(missing))),
            (None, Some(announced)) => Ok(Outcome::NotJudged(label(announced))),
            (None, None) => create::create(client, one, how).await,
        };
        match &outcome {
            Ok(Outcome::Created(_)) if dry_run => announced.push(object),
            Ok(Outcome::Created(Created::Deployment(created))) => {
                how.wait &= created.receipt.as_ref().is_none_or(|receipt| receipt.lagging.is_empty());
            }
            Ok(Outcome::Different(_)) => failed += 1,
            Ok(Outcome::Skipped(_)) | Err(_) => {
                failed += 1;
                missing.push(object);
            }
            Ok(_) => {}
        }
        tell(&Applied { declared: one, outcome, dry_run });
    }
    failed
}

fn tell(out: &mut Out, applied: &Applied<'_>) {
    let paint = out.paint();
    let name = label(&applied.declared.document.object);
    let would = if applied.dry_run { "would be " } else { "" };
    match &applied.outcome {
        Ok(Outcome::Created(created)) => {
            out.line(format_args!("{name} {}", paint.green(format_args!("{would}created"))));
            if let Created::Deployment(created) = created {
                tell_urls(out, created.deployment.as_ref());
                out.flush();
                created.receipt.iter().for_each(bind::tell_lagging);
            }
        }
        Ok(Outcome::Unchanged) => out.line(format_args!("{name} {}", paint.dim("unchanged"))),
        Ok(Outcome::Stopped) => {
            out.line(format_args!("{name} {}", paint.dim("left out: it was stopped (status.phase)")));
        }
        Ok(Outcome::NotJudged(needed)) => {
            out.line(format_args!(
                "{name} {}",
                paint.dim(format_args!("not judged: {needed} is not there yet"))
            ));
        }
        Ok(Outcome::Skipped(needed)) => {
            out.line(format_args!("{name} {}", paint.yellow(format_args!("skipped: {needed} is not there"))));
        }
        Ok(Outcome::Different(failure)) | Err(failure) => {
            out.flush();
            remark(failure);
        }
    }
}

fn tell_urls(out: &mut Out, deployment: Option<&proto::wire::Deployment>) {
    let endpoints = deployment
        .and_then(|deployment| deployment.status.as_ref())
        .into_iter()
        .flat_map(|status| &status.endpoints);
    let external: Vec<_> = endpoints.filter(|endpoint| !endpoint.url.is_empty()).collect();
    let width = external.iter().map(|endpoint| endpoint.name.len()).max().unwrap_or_default();
    for endpoint in external {
        out.line(format_args!("  {:width$}  {}", endpoint.name, endpoint.url));
    }
}

/// Whether its manifest says that the deployment had been stopped when it was shown.
pub(crate) fn is_stopped(object: &Object) -> bool {
    let Object::Deployment(deployment) = object else { return false };
    deployment.status.as_ref().is_some_and(|status| status.phase() == proto::wire::Phase::Stopped)
}

/// Name and version of an object; only packages have a version.
pub(crate) fn identity(object: &Object) -> (&str, &str) {
    let (metadata, version) = match object {
        Object::Package(package) => (&package.metadata, package.version.as_str()),
        Object::StaticRoute(route) => (&route.metadata, ""),
        Object::Deployment(deployment) => (&deployment.metadata, ""),
    };
    (metadata.as_ref().map(|metadata| metadata.name.as_str()).unwrap_or_default(), version)
}

/// An object as commands call it: `package/hello@1.0.0`.
pub(crate) fn label(object: &Object) -> String {
    let (name, version) = identity(object);
    match object {
        Object::Package(_) => format!("package/{name}@{version}"),
        Object::StaticRoute(_) => format!("static-route/{name}"),
        Object::Deployment(_) => format!("deployment/{name}"),
    }
}
