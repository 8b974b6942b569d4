//! How a deployment comes, changes and goes.

use proto::ProjectId;

use super::draft::JudgedDeployment;
use super::{Deployment, MOST_STATIC_ROUTES, Phase, StaticRouteBinding, Status};
use crate::domain::guid::{Chance, DeploymentGuid, NoChance};
use crate::domain::static_route::BoundTo;
use crate::domain::{Broken, EndpointName, RandomLabel, StaticRouteLabel, Timestamp};

impl JudgedDeployment {
    /// Gives it its guid and a random route for each external endpoint.
    ///
    /// One whose every external endpoint has fixed backends is there already: no runtime will report it.
    pub fn create(
        self,
        project: ProjectId,
        now: Timestamp,
        chance: &dyn Chance,
    ) -> Result<Deployment, NoChance> {
        let mut endpoints = self.endpoints;
        for endpoint in endpoints.iter_mut().filter(|endpoint| endpoint.kind.external().is_some()) {
            endpoint.random = Some(RandomLabel::draw(chance)?);
        }
        let mut external = endpoints.iter().filter(|endpoint| endpoint.random.is_some()).peekable();
        let is_there = external.peek().is_some() && external.all(|endpoint| !endpoint.fixed.is_empty());
        let (phase, status) = match is_there {
            true => (Phase::Succeeded, Status::Running),
            false => (Phase::InProgress, Status::Pending),
        };
        Ok(Deployment {
            guid: DeploymentGuid::draw(chance)?,
            project,
            name: self.name,
            labels: self.labels,
            created_at: now,
            updated_at: now,
            generation: 1,
            package: self.package,
            env_args: self.env_args,
            volumes: self.volumes,
            endpoints,
            parameters: self.parameters,
            static_routes: self.static_routes,
            phase,
            status,
            error_codes: Vec::new(),
            message: String::new(),
        })
    }
}

impl Deployment {
    /// The binding a static route to `endpoint` has; none when there is no such external endpoint.
    pub fn bound_to(&self, endpoint: &EndpointName) -> Option<BoundTo> {
        Some(BoundTo {
            deployment: self.guid.clone(),
            deployment_name: self.name.clone(),
            endpoint: endpoint.clone(),
            protocol: self.endpoint(endpoint.as_str())?.kind.external()?,
        })
    }

    /// Notes that `label` leads to `endpoint` now.
    pub fn gain(
        &mut self,
        label: StaticRouteLabel,
        endpoint: EndpointName,
        now: Timestamp,
    ) -> Result<(), Broken> {
        self.updated_at = now;
        if let Some(binding) = self.static_routes.iter_mut().find(|binding| binding.label == label) {
            binding.endpoint = endpoint;
            return Ok(());
        }
        if self.static_routes.len() >= MOST_STATIC_ROUTES {
            let message = format!(
                "{} has {MOST_STATIC_ROUTES} static routes, as many as one deployment may have; unbind one first",
                self.name
            );
            return Err(Broken::new("too_many_static_routes", message));
        }
        self.static_routes.push(StaticRouteBinding { label, endpoint });
        Ok(())
    }

    /// Notes that `label` does not lead here any more.
    pub fn lose(&mut self, label: &StaticRouteLabel, now: Timestamp) {
        self.static_routes.retain(|binding| binding.label != *label);
        self.updated_at = now;
    }

    /// Ends it: what it held is returned, to be released in the same commit.
    pub fn stop(&mut self, now: Timestamp) -> Held {
        self.phase = Phase::Stopped;
        self.status = Status::Stopped;
        self.updated_at = now;
        let random = self.endpoints.iter_mut().filter_map(|endpoint| {
            endpoint.fixed.clear();
            endpoint.reported = None;
            endpoint.random.take()
        });
        let random = random.collect();
        let static_routes = std::mem::take(&mut self.static_routes);
        Held { random, static_routes: static_routes.into_iter().map(|binding| binding.label).collect() }
    }
}

/// What a stopped deployment held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its random routes.
    pub random: Vec<RandomLabel>,
    /// The static routes that led to it.
    pub static_routes: Vec<StaticRouteLabel>,
}
