//! `epr apply`: creates what manifests declare, and updates what is there and differs.

mod create;
mod diff;
mod order;
mod same;
mod tell;
mod update;

/// Finding and reading manifests.
pub(crate) mod manifests;

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt as _, stream};
use proto::manifest::Object;
use proto::wire;

use crate::args::{ApplyArgs, Kind};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::Out;
use diff::Change;
use manifests::Declared;

pub(crate) use create::{found, located};
pub(crate) use order::needs;

/// Objects that do not build on one another are applied so many at once.
const AT_ONCE: usize = 6;

pub(crate) async fn run(args: ApplyArgs) -> Result<(), Failure> {
    let declared = manifests::read_all(&args.filenames)?;
    if declared.is_empty() {
        return Err(Failure::refused("the manifests declare nothing"));
    }
    let contradictions = manifests::contradictions(&declared);
    if !contradictions.is_empty() {
        contradictions.iter().for_each(crate::output::remark);
        return Err(manifests::nothing_done(contradictions.len()));
    }
    let client = Client::of(&args.server).await?;
    let mut out = Out::new();
    let mut told = tell::Told::default();
    let applied = Box::pin(all(&client, &declared, args.dry_run, |one| {
        told.tell(&mut out, one);
        out.flush();
    }));
    let failed = applied.await;
    if args.dry_run {
        told.sum_up(&mut out);
    }
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

/// How an object came out of applying it.
pub(crate) enum Outcome {
    /// It is new.
    Created(Served),
    /// It was there, and differed so.
    Updated(Vec<Change>, Served),
    /// It was there, and the same.
    Unchanged,
    /// It was there and differs, and stays as it is: why.
    Kept(Failure),
    /// A dry run cannot say: this, which it builds on, would be created only now.
    NotJudged(String),
    /// It was not tried: its manifest says that it had been stopped.
    Stopped,
    /// It was not tried: this, which it builds on, could not be created.
    Skipped(String),
}

/// What a call answered of who serves what.
#[derive(Default)]
pub(crate) struct Served {
    deployment: Option<Box<wire::Deployment>>,
    receipt: Option<wire::Receipt>,
}

/// What holds for a whole run.
struct Run<'d> {
    client: &'d Client,
    /// Judge, change nothing.
    dry_run: bool,
    /// Whether to return only when the connected proxies serve it. Who applies wants to use it; but one
    /// proxy that lags holds up one object, not each.
    wait: AtomicBool,
    declared: &'d [Declared],
    /// Of a dry run: what would be there by now.
    announced: Vec<&'d Object>,
    /// What is not there although others may build on it.
    missing: Vec<&'d Object>,
}

impl Applied<'_> {
    /// Why it was not applied.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        match &self.outcome {
            Ok(Outcome::Kept(failure)) | Err(failure) => Some(failure),
            Ok(_) => None,
        }
    }
}

impl Run<'_> {
    fn waiting(&self) -> Option<wire::WaitForProxies> {
        self.wait.load(Ordering::Relaxed).then(wire::WaitForProxies::default)
    }

    async fn apply<'o>(&self, one: &'o Declared) -> Applied<'o> {
        let object = &one.document.object;
        let among = |objects: &[&Object]| objects.iter().find(|it| needs(object, it)).map(|it| label(it));
        let outcome = match (among(&self.missing), among(&self.announced)) {
            _ if is_stopped(object) => Ok(Outcome::Stopped),
            (Some(missing), _) => Ok(Outcome::Skipped(missing)),
            (None, Some(announced)) => Ok(Outcome::NotJudged(announced)),
            (None, None) => Box::pin(create::create(self, one)).await,
        };
        let lags = |served: &Served| served.receipt.as_ref().is_some_and(|it| !it.lagging.is_empty());
        if let Ok(Outcome::Created(served) | Outcome::Updated(_, served)) = &outcome
            && lags(served)
        {
            self.wait.store(false, Ordering::Relaxed);
        }
        Applied { declared: one, outcome, dry_run: self.dry_run }
    }
}

/// Applies everything, what others build on first, telling of each; returns how many failed.
pub(crate) async fn all(
    client: &Client,
    declared: &[Declared],
    dry_run: bool,
    mut tell: impl FnMut(&Applied<'_>),
) -> usize {
    let wait = AtomicBool::new(true);
    let (announced, missing) = (Vec::new(), Vec::new());
    let mut run = Run { client, dry_run, wait, declared, announced, missing };
    let mut failed = 0;
    for level in order::levels(declared) {
        let mut done = Vec::with_capacity(level.len());
        {
            let mut results = stream::iter(level.iter().map(|one| run.apply(one))).buffered(AT_ONCE);
            while let Some(applied) = results.next().await {
                tell(&applied);
                done.push(applied);
            }
        }
        for applied in &done {
            let object = &applied.declared.document.object;
            match &applied.outcome {
                Ok(Outcome::Created(_)) if dry_run => run.announced.push(object),
                Ok(Outcome::Kept(_)) => failed += 1,
                Ok(Outcome::Skipped(_)) | Err(_) => {
                    failed += 1;
                    run.missing.push(object);
                }
                Ok(_) => {}
            }
        }
    }
    failed
}

/// Whether its manifest says that the deployment had been stopped when it was shown.
pub(crate) fn is_stopped(object: &Object) -> bool {
    let Object::Deployment(deployment) = object else { return false };
    deployment.status.as_ref().is_some_and(|status| status.phase() == wire::Phase::Stopped)
}

/// What kind of thing an object declares.
pub(crate) fn kind(object: &Object) -> Kind {
    match object {
        Object::Package(_) => Kind::Packages,
        Object::StaticRoute(_) => Kind::StaticRoutes,
        Object::Deployment(_) => Kind::Deployments,
        Object::Secret(_) => Kind::Secrets,
        Object::Project(_) => Kind::Projects,
    }
}

/// Name and version of an object; only packages have a version.
pub(crate) fn identity(object: &Object) -> (&str, &str) {
    let version = match object {
        Object::Package(package) => package.version.as_str(),
        _ => "",
    };
    (object.name(), version)
}

/// The metadata of what is sent: a project that the manifest does not name is the command line's.
fn in_project(metadata: Option<&wire::Metadata>, client: &Client) -> Option<wire::Metadata> {
    let mut metadata = metadata.cloned().unwrap_or_default();
    if metadata.project.is_empty() {
        metadata.project = client.project();
    }
    Some(metadata)
}

/// An object as commands call it: `package/hello@1.0.0`.
pub(crate) fn label(object: &Object) -> String {
    let (name, version) = identity(object);
    let tag = kind(object).tag();
    if version.is_empty() { format!("{tag}/{name}") } else { format!("{tag}/{name}@{version}") }
}
