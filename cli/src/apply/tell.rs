use proto::wire;

use super::{Applied, Outcome, Served, label};
use crate::bind;
use crate::output::{Out, printable, remark};

/// Tells of what was applied, and counts it.
#[derive(Default)]
pub(super) struct Told {
    created: usize,
    updated: usize,
    unchanged: usize,
}

impl Told {
    pub(super) fn tell(&mut self, out: &mut Out, applied: &Applied<'_>) {
        let paint = out.paint();
        let name = label(&applied.declared.document.object);
        let would = if applied.dry_run { "would be " } else { "" };
        match &applied.outcome {
            Ok(Outcome::Created(served)) => {
                self.created += 1;
                out.line(format_args!("{name} {}", paint.green(format_args!("{would}created"))));
                tell_served(out, served, applied.dry_run);
            }
            Ok(Outcome::Updated(changes, served)) => {
                self.updated += 1;
                out.line(format_args!("{name} {}", paint.yellow(format_args!("{would}updated"))));
                for change in changes {
                    let line = change.to_string();
                    let line = printable(&line);
                    let painted = match change.sign() {
                        '+' => paint.green(line),
                        '-' => paint.red(line),
                        _ => paint.yellow(line),
                    };
                    out.line(format_args!("  {painted}"));
                }
                tell_served(out, served, applied.dry_run);
            }
            Ok(Outcome::Unchanged) => {
                self.unchanged += 1;
                out.line(format_args!("{name} {}", paint.dim("unchanged")));
            }
            Ok(Outcome::Stopped) => {
                out.line(format_args!("{name} {}", paint.dim("left out: it was stopped (status.phase)")));
            }
            Ok(Outcome::NotJudged(needed)) => {
                let why = format_args!("not judged: {needed} is not there yet");
                out.line(format_args!("{name} {}", paint.dim(why)));
            }
            Ok(Outcome::Skipped(needed)) => {
                let why = format_args!("skipped: {needed} is not there");
                out.line(format_args!("{name} {}", paint.yellow(why)));
            }
            Ok(Outcome::Kept(failure)) | Err(failure) => {
                out.flush();
                remark(failure);
            }
        }
    }

    /// What a dry run comes to.
    pub(super) fn sum_up(&self, out: &mut Out) {
        out.flush();
        let Self { created, updated, unchanged } = self;
        remark(format_args!(
            "{created} to be created, {updated} to be updated, {unchanged} unchanged; nothing was done"
        ));
    }
}

/// Where it is served, and who does not serve it yet.
fn tell_served(out: &mut Out, served: &Served, dry_run: bool) {
    if dry_run {
        return;
    }
    if let Some(deployment) = &served.deployment {
        tell_urls(out, deployment);
    }
    out.flush();
    served.receipt.iter().for_each(bind::tell_lagging);
}

fn tell_urls(out: &mut Out, deployment: &wire::Deployment) {
    let endpoints = deployment.status.iter().flat_map(|status| &status.endpoints);
    let external: Vec<_> = endpoints.filter(|endpoint| !endpoint.url.is_empty()).collect();
    let width = external.iter().map(|endpoint| endpoint.name.len()).max().unwrap_or_default();
    for endpoint in external {
        out.line(format_args!("  {:width$}  {}", endpoint.name, endpoint.url));
    }
}
