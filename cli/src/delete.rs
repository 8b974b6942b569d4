use std::collections::HashSet;

use clap::ValueEnum as _;
use proto::manifest::Object;
use proto::wire;
use tonic::Code;

use crate::apply::{identity, is_stopped, manifests};
use crate::args::{DeleteArgs, Kind};
use crate::bind::tell_lagging;
use crate::client::Client;
use crate::failure::{self, Failure};
use crate::output::{Out, remark};

/// One thing to delete.
struct Doomed {
    kind: Kind,
    name: String,
    version: String,
}

pub(crate) async fn run(args: DeleteArgs) -> Result<(), Failure> {
    let declared = !args.filenames.is_empty();
    let doomed = match declared {
        true => declared_in(&args)?,
        false => named_in(&args.what)?,
    };
    let client = Client::of(&args.server).await?;
    let mut out = Out::new();
    let mut failed = 0;
    for one in &doomed {
        match one.delete(&client).await {
            Ok(done) => out.line(format_args!("{one} {done}")),
            // What a manifest declares may be gone already; what is named should be there.
            Err(status) if status.code() == Code::NotFound && declared => {
                out.line(format_args!("{one} not there"))
            }
            Err(status) => {
                let failure = Failure::of_call(format_args!("cannot delete {one}"), &status);
                if doomed.len() == 1 || failure::is_unreachable(&status) {
                    return Err(failure);
                }
                out.flush();
                failed += 1;
                remark(failure);
            }
        }
    }
    out.finish()?;
    match failed {
        0 => Ok(()),
        _ => Err(Failure::refused(format_args!("{failed} of {} not deleted", doomed.len()))),
    }
}

/// In the order in which nothing is in use any more: deployments, static routes, packages.
fn declared_in(args: &DeleteArgs) -> Result<Vec<Doomed>, Failure> {
    let objects = manifests::read_all(&args.filenames)?;
    let mut doomed: Vec<_> = objects
        .iter()
        .filter(|declared| !is_stopped(&declared.document.object))
        .map(|declared| {
            let kind = match declared.document.object {
                Object::Package(_) => Kind::Packages,
                Object::StaticRoute(_) => Kind::StaticRoutes,
                Object::Deployment(_) => Kind::Deployments,
            };
            let (name, version) = identity(&declared.document.object);
            Doomed { kind, name: name.to_owned(), version: version.to_owned() }
        })
        .collect();
    doomed.sort_by_key(|one| match one.kind {
        Kind::Deployments => 0,
        Kind::StaticRoutes => 1,
        _ => 2,
    });
    // What is declared twice is gone after the first time.
    let mut seen = HashSet::new();
    doomed.retain(|one| seen.insert(one.to_string()));
    Ok(doomed)
}

fn named_in(words: &[String]) -> Result<Vec<Doomed>, Failure> {
    let usage = || Failure::usage("say what to delete: `epr delete deployment NAME`, or KIND/NAME");
    let pairs: Vec<(&str, &str)> = match words {
        [kind, names @ ..] if !kind.contains('/') => {
            names.iter().map(|name| (kind.as_str(), name.as_str())).collect()
        }
        words => words.iter().map(|word| word.split_once('/').ok_or_else(usage)).collect::<Result<_, _>>()?,
    };
    if pairs.is_empty() {
        return Err(usage());
    }
    pairs.into_iter().map(|(kind, name)| Doomed::parse(kind, name)).collect()
}

impl Doomed {
    fn parse(kind: &str, name: &str) -> Result<Self, Failure> {
        let known = Kind::from_str(kind, true).ok();
        let Some(kind) = known.filter(|kind| !matches!(kind, Kind::Routes | Kind::Proxies)) else {
            return Err(Failure::usage(format_args!(
                "{kind:?} cannot be deleted; package, static-route and deployment can"
            )));
        };
        let (name, version) = match kind {
            Kind::Packages => name.rsplit_once('@').unwrap_or((name, "")),
            _ => (name, ""),
        };
        Ok(Self { kind, name: name.to_owned(), version: version.to_owned() })
    }

    /// Deletes it; returns how that is called.
    async fn delete(&self, client: &Client) -> Result<&'static str, tonic::Status> {
        let (name, version) = (self.name.clone(), self.version.clone());
        let project = String::new();
        match self.kind {
            Kind::Deployments => {
                let wait = Some(wire::WaitForProxies::default());
                let request = wire::StopDeploymentRequest { name, project, wait };
                let stopped = client.deployments().stop_deployment(request).await?.into_inner();
                stopped.receipt.iter().for_each(tell_lagging);
                Ok("stopped")
            }
            Kind::StaticRoutes => {
                let request = wire::DeleteStaticRouteRequest { name, project };
                client.static_routes().delete_static_route(request).await.map(|_| "deleted")
            }
            Kind::Packages | Kind::Routes | Kind::Proxies => {
                let request = wire::DeletePackageRequest { name, version, project };
                client.packages().delete_package(request).await.map(|_| "deleted")
            }
        }
    }
}

impl std::fmt::Display for Doomed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            Kind::Deployments => write!(f, "deployment/{}", self.name),
            Kind::StaticRoutes => write!(f, "static-route/{}", self.name),
            _ if self.version.is_empty() => write!(f, "package/{}", self.name),
            _ => write!(f, "package/{}@{}", self.name, self.version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(words: &[&str]) -> Result<Vec<String>, String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let doomed = named_in(&words).map_err(|failure| failure.to_string())?;
        Ok(doomed.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn both_ways_of_naming() {
        assert_eq!(named(&["pkg", "a@b@1.0"]).unwrap(), ["package/a@b@1.0"]);
        assert_eq!(named(&["deployment/x", "sr/y"]).unwrap(), ["deployment/x", "static-route/y"]);
        assert_eq!(named(&["deployment", "x", "y"]).unwrap(), ["deployment/x", "deployment/y"]);
        assert!(named(&["deployment"]).unwrap_err().contains("say what"));
        assert!(named(&["deployment/x", "y"]).unwrap_err().contains("say what"));
        assert!(named(&["routes", "x"]).unwrap_err().contains("cannot be deleted"));
    }
}
