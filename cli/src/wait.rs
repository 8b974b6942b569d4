//! `epr wait`: until a resource is as it should be, or never will be.

use std::time::Duration;

use proto::manifest::render;
use proto::wire::{self, Phase, Status};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tonic::Code;

use crate::args::{Kind, WaitArgs, phase};
use crate::client::Client;
use crate::failure::Failure;
use crate::get::{Follower, Resource, Wanted, of_kind};
use crate::identity::said;
use crate::output::Progress;
use crate::words;

/// How often it is looked at: seldom enough for a server many wait at, often enough for people.
const LOOK: Duration = Duration::from_millis(300);

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Phase(Phase),
    Running,
    Served,
    Bound,
    Unbound,
    Current,
    Deleted,
}

/// How near the goal is.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Reached,
    /// Not yet; how it stands.
    NotYet(String),
    /// It cannot come true any more; why.
    Never(String),
}

impl Goal {
    fn parse(kind: Kind, text: &str) -> Result<Self, Failure> {
        let word = text.to_ascii_lowercase();
        let word = word.strip_prefix("condition=").unwrap_or(&word);
        let goal = match (kind, word) {
            (_, "deleted") if kind.is_made() => Some(Self::Deleted),
            (Kind::Deployments, "running") => Some(Self::Running),
            (Kind::Deployments | Kind::StaticRoutes, "served") => Some(Self::Served),
            (Kind::Deployments, word) => {
                phase(word.strip_prefix("phase=").unwrap_or(word)).ok().map(Self::Phase)
            }
            (Kind::StaticRoutes, "bound") => Some(Self::Bound),
            (Kind::StaticRoutes, "unbound") => Some(Self::Unbound),
            (Kind::Proxies, "current") => Some(Self::Current),
            _ => None,
        };
        goal.ok_or_else(|| {
            let (kinds, _) = kind.names();
            let states = match kind {
                Kind::Deployments => "succeeded, running, served, stopped, phase=PHASE or deleted",
                Kind::StaticRoutes => "bound, unbound, served or deleted",
                Kind::Proxies => "current",
                Kind::Routes => {
                    return Failure::usage("routes follow deployments and static routes: wait for those");
                }
                _ => "deleted",
            };
            Failure::usage(format_args!("--for {text}: {kinds} can be waited for to be {states}"))
        })
    }
}

pub(crate) async fn run(args: WaitArgs) -> Result<(), Failure> {
    let goal = Goal::parse(args.kind, &args.state)?;
    let client = Client::of(&args.server).await?;
    let label = format!("{}/{}", args.kind.tag(), args.name);
    let begun = Instant::now();
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut progress = Progress::new();
    loop {
        ticks.tick().await;
        let looked = Box::pin(look(&client, args.kind, &args.name, goal)).await;
        // What fails now may not fail the next time: a control plane that restarts is waited for, too.
        let looked = match looked {
            Err(failure) if failure.is_unreachable() => Look::NotYet("the server does not answer".to_owned()),
            other => other?,
        };
        let state = match looked {
            Look::Reached => {
                drop(progress);
                return said(format_args!("{label} {}", args.state));
            }
            Look::Never(why) => {
                drop(progress);
                return Err(Failure::refused(format_args!("{label} will not be {}: {why}", args.state)));
            }
            Look::NotYet(state) => state,
        };
        progress.tell(&format!("{label}: {state}"), begun.elapsed().as_secs());
        if begun.elapsed() >= args.timeout {
            drop(progress);
            let waited = humantime::format_duration(args.timeout);
            return Err(Failure::in_vain(format_args!(
                "{label} is not {} after {waited}: {state}",
                args.state
            )));
        }
    }
}

async fn look(client: &Client, kind: Kind, name: &str, goal: Goal) -> Result<Look, Failure> {
    match goal {
        Goal::Deleted => of_kind!(kind, gone(client, name)),
        Goal::Phase(wanted) => Ok(phase_of(&deployment(client, name).await?, wanted)),
        Goal::Running => Ok(running(&deployment(client, name).await?)),
        Goal::Bound | Goal::Unbound => Ok(bound(&static_route(client, name).await?, goal == Goal::Bound)),
        Goal::Served if kind == Kind::StaticRoutes => route_served(client, name).await,
        Goal::Served => deployment_served(client, name).await,
        Goal::Current => current(client, name).await,
    }
}

fn failed(kind: Kind, name: &str, status: &tonic::Status) -> Failure {
    Failure::of_call(format_args!("cannot wait for {} {name}", kind.names().1), status)
}

/// Whether there is nothing of that name any more. A deployment that was stopped is over.
async fn gone<T: Resource>(client: &Client, name: &str) -> Result<Look, Failure> {
    if T::KIND == Kind::Deployments {
        let there = match deployment(client, name).await {
            Ok(there) => there,
            Err(failure) if failure.is_unreachable() => return Err(failure),
            Err(_) => return Ok(Look::Reached),
        };
        return Ok(phase_of(&there, Phase::Stopped));
    }
    match T::named(client, name).await {
        Ok(there) if there.is_empty() => Ok(Look::Reached),
        Err(status) if status.code() == Code::NotFound => Ok(Look::Reached),
        Ok(_) => Ok(Look::NotYet("is still there".to_owned())),
        Err(status) => Err(failed(T::KIND, name, &status)),
    }
}

async fn deployment(client: &Client, name: &str) -> Result<wire::Deployment, Failure> {
    let request = wire::GetDeploymentRequest { name: name.to_owned(), project: client.project() };
    let there = client.deployments().get_deployment(request).await;
    there.map(tonic::Response::into_inner).map_err(|status| failed(Kind::Deployments, name, &status))
}

async fn static_route(client: &Client, name: &str) -> Result<wire::StaticRoute, Failure> {
    let request = wire::GetStaticRouteRequest { name: name.to_owned(), project: client.project() };
    let there = client.static_routes().get_static_route(request).await;
    there.map(tonic::Response::into_inner).map_err(|status| failed(Kind::StaticRoutes, name, &status))
}

fn phase_of(deployment: &wire::Deployment, wanted: Phase) -> Look {
    let status = deployment.status.clone().unwrap_or_default();
    match status.phase() {
        phase if phase == wanted => Look::Reached,
        // What was stopped stays so, and what failed to start needs somebody to see to it.
        Phase::Stopped => Look::Never("it is stopped".to_owned()),
        Phase::FailedToStart if wanted == Phase::Succeeded => Look::Never(standing(&status)),
        Phase::FailedToUpdate if wanted == Phase::Succeeded => Look::Never(standing(&status)),
        _ => Look::NotYet(standing(&status)),
    }
}

fn running(deployment: &wire::Deployment) -> Look {
    match phase_of(deployment, Phase::Succeeded) {
        Look::Reached => {
            let status = deployment.status.clone().unwrap_or_default();
            match status.status() {
                Status::Running => Look::Reached,
                _ => Look::NotYet(standing(&status)),
            }
        }
        other => other,
    }
}

/// How a deployment stands, in a line.
fn standing(status: &wire::DeploymentStatus) -> String {
    let mut told = render::phase(status.phase()).to_owned();
    let state = render::status(status.status());
    if !state.is_empty() && state != told {
        told += &format!(", {state}");
    }
    let external = || status.endpoints.iter().filter(|endpoint| !endpoint.url.is_empty());
    if external().next().is_some() {
        let health = words::health(external().flat_map(|endpoint| &endpoint.backends));
        told += &format!(", {} backends ready", health.text());
    }
    if !status.error_codes.is_empty() {
        told += &format!(", {}", status.error_codes.join(", "));
    }
    if !status.message.is_empty() {
        told += &format!(": {}", status.message);
    }
    told
}

fn bound(route: &wire::StaticRoute, wanted: bool) -> Look {
    match &route.bound_to {
        bound if bound.is_some() == wanted => Look::Reached,
        Some(bound) => Look::NotYet(format!("serves {}/{}", bound.deployment_name, bound.endpoint)),
        None => Look::NotYet("serves nothing".to_owned()),
    }
}

async fn deployment_served(client: &Client, name: &str) -> Result<Look, Failure> {
    let there = deployment(client, name).await?;
    match phase_of(&there, Phase::Succeeded) {
        Look::Reached => {}
        other => return Ok(other),
    }
    let status = there.status.unwrap_or_default();
    let urls: Vec<_> =
        status.endpoints.iter().map(|endpoint| endpoint.url.clone()).filter(|url| !url.is_empty()).collect();
    if urls.is_empty() {
        return Ok(Look::Never("it has no endpoint that is reached from outside".to_owned()));
    }
    all_served(client, &urls).await
}

async fn route_served(client: &Client, name: &str) -> Result<Look, Failure> {
    let route = static_route(client, name).await?;
    let Some(to) = &route.bound_to else { return Ok(bound(&route, true)) };
    let scheme = words::protocol(to.protocol());
    all_served(client, &[format!("{scheme}://{}", route.hostname)]).await
}

/// Whether requests to all of `urls` would reach a backend, by what every connected proxy serves.
async fn all_served(client: &Client, urls: &[String]) -> Result<Look, Failure> {
    let cannot = |status| Failure::of_call("cannot tell what is served", &status);
    let newest = client.fleet().list_proxies(wire::ListProxiesRequest {}).await.map_err(cannot)?;
    let revision = newest.into_inner().revision.unwrap_or_default();
    for url in urls {
        let request = wire::ExplainRequest { url: url.clone() };
        let explained = client.routes().explain(request).await.map_err(cannot)?.into_inner();
        if !explained.refusal.is_empty() {
            return Ok(Look::NotYet(format!("{url} is refused: {}", explained.refusal)));
        }
    }
    let proxies = Follower::list(client, &Wanted::default()).await.map_err(cannot)?;
    let connected: Vec<_> = proxies.iter().filter(|proxy| proxy.is_connected()).collect();
    let behind = connected.iter().filter(|proxy| !proxy.serves(revision)).count();
    Ok(match (connected.len(), behind) {
        (0, _) => Look::NotYet("no proxy is connected".to_owned()),
        (_, 0) => Look::Reached,
        (_, behind) => Look::NotYet(format!(
            "{} behind",
            if behind == 1 { "1 proxy is".to_owned() } else { format!("{behind} proxies are") }
        )),
    })
}

async fn current(client: &Client, name: &str) -> Result<Look, Failure> {
    let proxies = Follower::named(client, name).await;
    let proxies = proxies.map_err(|status| failed(Kind::Proxies, name, &status))?;
    Ok(match proxies.first() {
        Some(proxy) if proxy.is_current() => Look::Reached,
        Some(proxy) => Look::NotYet(proxy.state().text().to_owned()),
        None => Look::NotYet("is not connected".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_goals() {
        let goal = |kind, text: &str| Goal::parse(kind, text).map_err(|failure| failure.to_string());
        assert_eq!(goal(Kind::Deployments, "Succeeded"), Ok(Goal::Phase(Phase::Succeeded)));
        assert_eq!(goal(Kind::Deployments, "phase=failedtostart"), Ok(Goal::Phase(Phase::FailedToStart)));
        assert_eq!(goal(Kind::StaticRoutes, "served"), Ok(Goal::Served));
        assert_eq!(goal(Kind::Secrets, "deleted"), Ok(Goal::Deleted));
        for (kind, text) in [
            (Kind::Deployments, "done"),
            (Kind::StaticRoutes, "running"),
            (Kind::Proxies, "deleted"),
            (Kind::Routes, "served"),
        ] {
            assert!(goal(kind, text).unwrap_err().contains("wait"), "{text}");
        }
    }

    #[test]
    fn what_can_no_longer_be_is_not_waited_for() {
        let at = |phase: Phase| wire::Deployment {
            status: Some(wire::DeploymentStatus { phase: phase.into(), ..Default::default() }),
            ..Default::default()
        };
        assert_eq!(phase_of(&at(Phase::Succeeded), Phase::Succeeded), Look::Reached);
        assert_eq!(phase_of(&at(Phase::Provisioning), Phase::Succeeded), Look::NotYet("Provisioning".into()));
        assert_eq!(
            phase_of(&at(Phase::FailedToStart), Phase::Succeeded),
            Look::Never("FailedToStart".into())
        );
        assert_eq!(phase_of(&at(Phase::Stopped), Phase::Succeeded), Look::Never("it is stopped".into()));
        assert_eq!(phase_of(&at(Phase::Stopped), Phase::Stopped), Look::Reached);
    }
}
