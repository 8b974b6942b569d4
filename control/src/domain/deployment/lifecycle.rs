//! How a deployment comes, gains and loses routes, and goes. How it is changed stands in its own file.

use proto::ProjectId;

use super::draft::JudgedDeployment;
use super::executables::ExecutableState;
use super::{Deployment, MOST_STATIC_ROUTES, Phase, StaticRouteBinding, Status};
use crate::domain::guid::{Chance, DeploymentGuid, NoChance};
use crate::domain::static_route::BoundTo;
use crate::domain::{Broken, DeploymentName, EndpointName, RandomLabel, StaticRouteLabel, Timestamp};

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
        let is_there = self.is_simply_there();
        let (phase, status) = match is_there {
            true => (Phase::Succeeded, Status::Running),
            false => (Phase::InProgress, Status::Pending),
        };
        let mut endpoints = self.endpoints;
        for endpoint in endpoints.iter_mut().filter(|endpoint| endpoint.kind.external().is_some()) {
            endpoint.random = Some(RandomLabel::draw(chance)?);
        }
        let mut created = Deployment {
            guid: DeploymentGuid::draw(chance)?,
            project,
            name: self.name,
            labels: self.labels,
            created_at: now,
            updated_at: now,
            creator: self.creator,
            generation: 1,
            package: self.package,
            env_args: self.env_args,
            depends: self.depends,
            settings: self.settings,
            volumes: self.volumes,
            endpoints,
            parameters: self.parameters,
            static_routes: self.static_routes,
            phase,
            status,
            error_codes: Vec::new(),
            message: String::new(),
            executables: self.executables,
            events: Vec::new(),
            stopped_at: None,
        };
        if is_there {
            created.nobody_tells_of_executables();
        }
        created.note(now, format!("created in phase {}", phase.as_str()));
        for binding in created.static_routes.clone() {
            created.note(now, format!("bound static route {} to {}", binding.label, binding.endpoint));
        }
        Ok(created)
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

    /// Notes that `label` leads to `endpoint` now, and `from` whom it came, if it led to another one.
    pub fn gain(
        &mut self,
        label: StaticRouteLabel,
        endpoint: EndpointName,
        from: Option<&DeploymentName>,
        now: Timestamp,
    ) -> Result<(), Broken> {
        let known = self.static_routes.iter().position(|binding| binding.label == label);
        if known.is_none() && self.static_routes.len() >= MOST_STATIC_ROUTES {
            let message = format!(
                "{} has {MOST_STATIC_ROUTES} static routes, as many as one deployment may have; unbind one first",
                self.name
            );
            return Err(Broken::new("too_many_static_routes", message));
        }
        self.updated_at = now;
        self.note_gained(&label, &endpoint, from, now);
        match known.and_then(|index| self.static_routes.get_mut(index)) {
            Some(binding) => binding.endpoint = endpoint,
            None => self.static_routes.push(StaticRouteBinding { label, endpoint }),
        }
        Ok(())
    }

    pub(super) fn note_gained(
        &mut self,
        label: &StaticRouteLabel,
        endpoint: &EndpointName,
        from: Option<&DeploymentName>,
        now: Timestamp,
    ) {
        let message = match from {
            Some(from) => format!("moved static route {label} here, to {endpoint}, from deployment {from}"),
            None => format!("bound static route {label} to {endpoint}"),
        };
        self.note(now, message);
    }

    /// Notes that `label` does not lead here any more, and `to` whom it went, if it leads to another one.
    pub fn lose(&mut self, label: &StaticRouteLabel, to: Option<&DeploymentName>, now: Timestamp) {
        self.static_routes.retain(|binding| binding.label != *label);
        self.updated_at = now;
        let message = match to {
            Some(to) => format!("moved static route {label} to deployment {to}"),
            None => format!("unbound static route {label}"),
        };
        self.note(now, message);
    }

    /// Without a runtime nobody will ever tell how its executables do.
    pub(super) fn nobody_tells_of_executables(&mut self) {
        for executable in &mut self.executables {
            executable.state = ExecutableState::Unknown;
        }
    }

    /// Ends it: what it held is returned, to be released in the same commit.
    pub fn stop(&mut self, now: Timestamp) -> Held {
        self.phase = Phase::Stopped;
        self.status = Status::Stopped;
        self.updated_at = now;
        self.stopped_at = Some(now);
        for executable in &mut self.executables {
            executable.state = ExecutableState::Terminated;
        }
        let random = self.endpoints.iter_mut().filter_map(|endpoint| {
            endpoint.fixed.clear();
            endpoint.reported = None;
            endpoint.random.take()
        });
        let random = random.collect();
        let static_routes = std::mem::take(&mut self.static_routes);
        for binding in &static_routes {
            self.note(now, format!("unbound static route {}", binding.label));
        }
        self.note(now, "stopped");
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
