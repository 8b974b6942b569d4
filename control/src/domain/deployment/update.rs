//! How a deployment is changed in place: another generation of it, under the same guid and host names.

use std::collections::HashMap;

use super::draft::JudgedDeployment;
use super::{DeployedEndpoint, Deployment, Phase, StaticRouteBinding, Status};
use crate::domain::guid::{Chance, NoChance};
use crate::domain::{Broken, DeploymentName, RandomLabel, StaticRouteLabel, Timestamp};

/// The static routes an update takes from other deployments, by their labels, with the names of those.
pub type Moved = HashMap<StaticRouteLabel, DeploymentName>;

/// A changed deployment, and what is to be claimed and released in the same commit.
#[derive(Debug, Clone)]
pub struct Updated {
    /// As it is now.
    pub deployment: Deployment,
    /// Random routes of endpoints that it did not have.
    pub claimed: Vec<RandomLabel>,
    /// Random routes of endpoints that it has no more.
    pub released: Vec<RandomLabel>,
    /// Static routes that led to it and do so no more.
    pub unbound: Vec<StaticRouteLabel>,
}

impl Deployment {
    /// Whether it can be changed now: while something is under way, nobody could say which generation what
    /// its runtime reports is about; and what never ran is created anew.
    pub fn judge_update(&self) -> Result<(), Broken> {
        let way_out = match self.phase {
            Phase::Succeeded | Phase::FailedToUpdate => return Ok(()),
            Phase::InProgress | Phase::Provisioning => "wait until its runtime has reported",
            Phase::FailedToStart => "stop it and create it anew",
            Phase::Stopped => "create it anew",
        };
        let message = format!(
            "deployment {} ({}) is in phase {}; it can be updated in Succeeded and FailedToUpdate only: {way_out}",
            self.name,
            self.guid,
            self.phase.as_str()
        );
        Err(Broken::new("deployment_phase", message))
    }

    /// Whether a runtime has anything to do with it.
    fn has_runtime(&self) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.reported.is_some())
    }
}

impl JudgedDeployment {
    /// Puts it in place of `before`: endpoints that stay keep their random routes, and what was reported of
    /// them until it is reported anew, so that they are served all the while.
    pub fn update(
        self,
        before: Deployment,
        moved: &Moved,
        now: Timestamp,
        chance: &dyn Chance,
    ) -> Result<Updated, NoChance> {
        let is_there = self.is_simply_there() && !before.has_runtime();
        let is_restart = self.asks_for_what_is_there(&before);
        let had = before.static_routes.clone();
        let CarriedOver { endpoints, claimed, released } =
            carry_over(self.endpoints, before.endpoints, chance)?;
        let mut updated = Deployment {
            labels: self.labels,
            updated_at: now,
            generation: before.generation.saturating_add(1),
            package: self.package,
            env_args: self.env_args,
            depends: self.depends,
            settings: self.settings,
            volumes: self.volumes,
            endpoints,
            parameters: self.parameters,
            static_routes: in_order_of_binding(&had, self.static_routes),
            phase: if is_there { Phase::Succeeded } else { Phase::Provisioning },
            status: if is_there { Status::Running } else { Status::Pending },
            error_codes: Vec::new(),
            message: String::new(),
            executables: self.executables,
            ..before
        };
        if is_there {
            updated.nobody_tells_of_executables();
        }
        let what = if is_restart { "restarted as" } else { "updated to" };
        updated.note(now, format!("{what} generation {}", updated.generation));
        updated.note_phase(before.phase, now);
        let unbound = updated.note_bindings(&had, moved, now);
        Ok(Updated { deployment: updated, claimed, released, unbound })
    }

    /// Whether it is to run just as `before` does.
    fn asks_for_what_is_there(&self, before: &Deployment) -> bool {
        let same_endpoint = |(new, old): (&DeployedEndpoint, &DeployedEndpoint)| {
            (&new.name, &new.component, &new.kind, &new.fixed)
                == (&old.name, &old.component, &old.kind, &old.fixed)
        };
        self.package == before.package
            && self.labels == before.labels
            && self.env_args == before.env_args
            && self.parameters == before.parameters
            && self.depends == before.depends
            && self.settings == before.settings
            && self.volumes == before.volumes
            && in_order_of_binding(&before.static_routes, self.static_routes.clone()) == before.static_routes
            && self.endpoints.len() == before.endpoints.len()
            && self.endpoints.iter().zip(&before.endpoints).all(same_endpoint)
    }
}

impl Deployment {
    pub(super) fn note_phase(&mut self, before: Phase, now: Timestamp) {
        if before != self.phase {
            self.note(now, format!("phase {} -> {}", before.as_str(), self.phase.as_str()));
        }
    }

    /// Keeps in mind how its static routes differ from those it `had`; those it has no more are returned.
    fn note_bindings(
        &mut self,
        had: &[StaticRouteBinding],
        moved: &Moved,
        now: Timestamp,
    ) -> Vec<StaticRouteLabel> {
        for binding in self.static_routes.clone() {
            if !had.contains(&binding) {
                self.note_gained(&binding.label, &binding.endpoint, moved.get(&binding.label), now);
            }
        }
        let has = |label: &StaticRouteLabel| self.static_routes.iter().any(|binding| binding.label == *label);
        let lost = had.iter().map(|binding| binding.label.clone()).filter(|label| !has(label));
        let lost: Vec<_> = lost.collect();
        for label in &lost {
            self.note(now, format!("unbound static route {label}"));
        }
        lost
    }
}

/// The endpoints of the next generation, and what becomes of random routes.
#[derive(Default)]
struct CarriedOver {
    endpoints: Vec<DeployedEndpoint>,
    /// Drawn for endpoints that had none.
    claimed: Vec<RandomLabel>,
    /// Of endpoints that are no more.
    released: Vec<RandomLabel>,
}

/// The new endpoints with what the old ones of their names had.
fn carry_over(
    new: Vec<DeployedEndpoint>,
    mut old: Vec<DeployedEndpoint>,
    chance: &dyn Chance,
) -> Result<CarriedOver, NoChance> {
    let mut carried = CarriedOver { endpoints: new, ..Default::default() };
    let external = carried.endpoints.iter_mut().filter(|endpoint| endpoint.kind.external().is_some());
    for endpoint in external {
        let had = old.iter_mut().find(|had| had.name == endpoint.name && had.random.is_some());
        if let Some(had) = had {
            endpoint.random = had.random.take();
            endpoint.reported = had.reported.take();
            continue;
        }
        let random = RandomLabel::draw(chance)?;
        carried.claimed.push(random.clone());
        endpoint.random = Some(random);
    }
    carried.released = old.into_iter().filter_map(|endpoint| endpoint.random).collect();
    Ok(carried)
}

/// What is bound already stays in its order, for the oldest binding names an endpoint; new ones follow.
fn in_order_of_binding(
    had: &[StaticRouteBinding],
    mut wanted: Vec<StaticRouteBinding>,
) -> Vec<StaticRouteBinding> {
    let age = |label: &StaticRouteLabel| had.iter().position(|binding| binding.label == *label);
    wanted.sort_by_key(|binding| age(&binding.label).unwrap_or(usize::MAX));
    wanted
}
