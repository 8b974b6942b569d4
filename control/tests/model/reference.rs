//! What the platform means, for one who does one thing at a time.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::{Did, Wish};

/// All there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reference {
    /// By name: whose, and the guid of the deployment it leads to.
    pub(crate) routes: BTreeMap<String, (String, Option<String>)>,
    /// Live ones by guid.
    pub(crate) deployments: BTreeMap<String, Running>,
    /// Most static routes there may be.
    pub(crate) most: Option<usize>,
    /// Projects and names that stopped deployments had.
    pub(crate) ended: BTreeSet<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) project: String,
    pub(crate) name: String,
    pub(crate) generation: u64,
}

/// A wish that cannot be granted as things stand.
#[derive(Debug)]
pub(crate) struct Refused(#[allow(dead_code, reason = "told when a test fails")] pub(crate) &'static str);

impl Reference {
    /// How things stand when the wish has been granted, or why it cannot be. A deployment that it makes has
    /// the guid `made`.
    pub(crate) fn grant(&self, did: &Did, made: &str) -> Result<Self, Refused> {
        let mut then = self.clone();
        let project = did.project.as_str();
        match &did.wish {
            Wish::Claim(route) => {
                if self.routes.contains_key(route) {
                    return Err(Refused("the name is taken"));
                }
                if self.most.is_some_and(|most| self.routes.len() >= most) {
                    return Err(Refused("there are as many as there may be"));
                }
                then.routes.insert(route.clone(), (project.to_owned(), None));
            }
            Wish::Disclaim(route) => {
                if self.route(project, route)?.is_some() {
                    return Err(Refused("the route is bound"));
                }
                then.routes.remove(route);
            }
            Wish::Create { deployment, routes } => {
                if self.live(project, deployment).is_ok() {
                    return Err(Refused("the name is taken"));
                }
                let running =
                    Running { project: project.to_owned(), name: deployment.clone(), generation: 1 };
                then.deployments.insert(made.to_owned(), running);
                for route in routes {
                    if self.route(project, route)?.is_some() {
                        return Err(Refused("the route is bound"));
                    }
                    then.lead(route, Some(made));
                }
            }
            Wish::Update { deployment, routes } => {
                let guid = self.live(project, deployment)?;
                then.deployments.get_mut(guid).unwrap().generation += 1;
                then.release_all(guid);
                for route in routes {
                    self.route(project, route)?;
                    then.lead(route, Some(guid));
                }
            }
            Wish::Stop(deployment) => {
                let name = (project.to_owned(), deployment.clone());
                match self.live(project, deployment) {
                    Ok(guid) => {
                        then.deployments.remove(guid);
                        then.release_all(guid);
                        then.ended.insert(name);
                    }
                    // One that has ended stays as it is.
                    Err(_) if self.ended.contains(&name) => {}
                    Err(refused) => return Err(refused),
                }
            }
            Wish::Bind { route, deployment, takes_it } => {
                let (bound, guid) = (self.route(project, route)?, self.live(project, deployment)?);
                if bound.is_some_and(|bound| bound != guid) && !takes_it {
                    return Err(Refused("the route is bound elsewhere"));
                }
                then.lead(route, Some(guid));
            }
            Wish::Unbind(route) => {
                self.route(project, route)?;
                then.lead(route, None);
            }
        }
        Ok(then)
    }

    /// Where a route of the project leads.
    fn route(&self, project: &str, name: &str) -> Result<Option<&str>, Refused> {
        let found = self.routes.get(name).filter(|(owner, _)| owner == project);
        found.map(|(_, bound)| bound.as_deref()).ok_or(Refused("there is no such route"))
    }

    /// The guid of the live deployment of that name.
    fn live(&self, project: &str, name: &str) -> Result<&str, Refused> {
        let mut live = self.deployments.iter();
        let found = live.find(|(_, running)| running.project == project && running.name == name);
        found.map(|(guid, _)| guid.as_str()).ok_or(Refused("there is no such deployment"))
    }

    fn lead(&mut self, route: &str, to: Option<&str>) {
        self.routes.get_mut(route).unwrap().1 = to.map(ToOwned::to_owned);
    }

    fn release_all(&mut self, guid: &str) {
        for (_, bound) in self.routes.values_mut().filter(|(_, bound)| bound.as_deref() == Some(guid)) {
            *bound = None;
        }
    }
}
