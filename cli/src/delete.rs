use std::collections::HashSet;

use clap::ValueEnum as _;
use proto::wire;
use tonic::{Code, Status};

use crate::apply::{identity, is_stopped, kind, manifests, needs};
use crate::args::{DeleteArgs, DeleteNamedArgs, Kind};
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
    delete_all(&client, &doomed, declared).await
}

/// Deletes those of one kind.
pub(crate) async fn named(kind: Kind, args: DeleteNamedArgs) -> Result<(), Failure> {
    let client = Client::of(&args.server).await?;
    let doomed = args.names.into_iter().map(|name| Doomed { kind, name, version: String::new() });
    delete_all(&client, &doomed.collect::<Vec<_>>(), false).await
}

async fn delete_all(client: &Client, doomed: &[Doomed], declared: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    let mut failed = 0;
    for one in doomed {
        match Box::pin(one.delete(client)).await {
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

/// In the order in which nothing is in use any more: what builds on others first.
fn declared_in(args: &DeleteArgs) -> Result<Vec<Doomed>, Failure> {
    let declared = manifests::read_all(&args.filenames)?;
    let objects = declared.iter().map(|one| &one.document.object);
    let mut left: Vec<_> = objects.filter(|object| !is_stopped(object)).collect();
    left.sort_by_key(|object| std::cmp::Reverse(order_of(kind(object))));
    let mut doomed = Vec::new();
    while !left.is_empty() {
        let free = left.iter().position(|object| !left.iter().any(|other| needs(other, object)));
        // In a circle there is no right one to begin with.
        let object = left.remove(free.unwrap_or_default());
        let (name, version) = identity(object);
        doomed.push(Doomed { kind: kind(object), name: name.to_owned(), version: version.to_owned() });
    }
    // What is declared twice is gone after the first time.
    let mut seen = HashSet::new();
    doomed.retain(|one: &Doomed| seen.insert(one.to_string()));
    Ok(doomed)
}

/// What is made before what.
fn order_of(kind: Kind) -> u8 {
    match kind {
        Kind::Organizations => 0,
        Kind::Users | Kind::Projects => 1,
        Kind::Tokens | Kind::Secrets => 2,
        Kind::Packages => 3,
        Kind::StaticRoutes => 4,
        Kind::Deployments | Kind::Routes | Kind::Proxies => 5,
    }
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
        let Some(kind) = known.filter(|kind| kind.is_made()) else {
            let made = Kind::value_variants().iter().filter(|kind| kind.is_made()).map(|kind| kind.tag());
            return Err(Failure::usage(format_args!(
                "{kind:?} cannot be deleted; these can: {}",
                made.collect::<Vec<_>>().join(", ")
            )));
        };
        let (name, version) = match kind {
            Kind::Packages => name.rsplit_once('@').unwrap_or((name, "")),
            _ => (name, ""),
        };
        Ok(Self { kind, name: name.to_owned(), version: version.to_owned() })
    }

    /// Deletes it; returns how that is called.
    async fn delete(&self, client: &Client) -> Result<&'static str, Status> {
        let (name, version) = (self.name.clone(), self.version.clone());
        let project = client.project();
        match self.kind {
            Kind::Deployments => {
                let wait = Some(wire::WaitForProxies::default());
                let request = wire::StopDeploymentRequest { name, project, wait };
                let stopped = client.deployments().stop_deployment(request).await?.into_inner();
                stopped.receipt.iter().for_each(tell_lagging);
                return Ok("stopped");
            }
            Kind::StaticRoutes => {
                let request = wire::DeleteStaticRouteRequest { name, project };
                client.static_routes().delete_static_route(request).await?;
            }
            Kind::Packages => {
                let request = wire::DeletePackageRequest { name, version, project };
                client.packages().delete_package(request).await?;
            }
            Kind::Secrets => {
                client.secrets().delete_secret(wire::DeleteSecretRequest { name, project }).await?;
            }
            Kind::Projects => {
                client.identity().delete_project(wire::DeleteProjectRequest { name }).await?;
            }
            Kind::Organizations => {
                let request = wire::DeleteOrganizationRequest { name };
                client.identity().delete_organization(request).await?;
            }
            Kind::Users => {
                client.identity().delete_user(wire::DeleteUserRequest { email: name }).await?;
            }
            Kind::Tokens => {
                client.identity().delete_token(wire::DeleteTokenRequest { id: name }).await?;
            }
            // They come and go with what they lead to, and with who follows.
            Kind::Routes | Kind::Proxies => {}
        }
        Ok("deleted")
    }
}

impl std::fmt::Display for Doomed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.tag(), self.name)?;
        if self.version.is_empty() { Ok(()) } else { write!(f, "@{}", self.version) }
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
