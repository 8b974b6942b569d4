//! What the rules say of messages where no control plane is asked: of each by itself, with what was given
//! beside it. What only a store knows, such as names that are taken, is not judged; nor is where backends may
//! be, which every installation sets for itself.

use std::time::SystemTime;

use proto::wire::{self, Fault};
use proto::{Hostname, ProjectId};

use super::{deployment, identity, package, secret, static_route};
use crate::config::Limits;
use crate::domain::deployment::Known;
use crate::domain::rules::Rules;
use crate::domain::{
    BackendNetworks, Chance, Faults, NoChance, Package, PublicPorts, Reserved, Timestamp, built_in_project,
};

/// Judges messages, and tells what they come to, by the rules of an installation that sets nothing of its own.
#[derive(Debug, Clone)]
pub struct Offline {
    rules: Rules,
    project: ProjectId,
}

/// Guids are drawn without chance: nobody else sees them.
struct NoDraw;

impl Chance for NoDraw {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoChance> {
        bytes.fill(0);
        Ok(())
    }
}

impl Offline {
    /// For an installation that serves names under `domains`.
    pub fn new(domains: Vec<Hostname>) -> Self {
        let everywhere = ["0.0.0.0/0", "::/0"].into_iter().filter_map(|network| network.parse().ok());
        let rules = Rules {
            domains,
            ports: PublicPorts::default(),
            reserved: Reserved::default(),
            networks: BackendNetworks::new(everywhere),
            backends_per_endpoint: Limits::default().backends_per_endpoint,
            organization_suffix: false,
        };
        Self { rules, project: built_in_project() }
    }

    /// The package as an answer would tell it, every default filled in, or what is wrong with it.
    pub fn package(&self, package: wire::Package) -> Result<wire::Package, Vec<Fault>> {
        self.judged_package(package).map(package::message).map_err(told)
    }

    fn judged_package(&self, package: wire::Package) -> Result<Package, Faults> {
        let (draft, faults) = package::draft(package);
        let judged = draft.judge(faults)?;
        let created = judged.create(self.project.clone(), Timestamp::from(SystemTime::UNIX_EPOCH), &NoDraw);
        created.map_err(|error| Faults::one("", "no_chance", error.to_string()))
    }

    /// What is wrong with a static route.
    pub fn static_route(&self, route: wire::StaticRoute) -> Vec<Fault> {
        faults_of(static_route::draft(route, None).judge(&self.rules.reserved, None, Faults::new()))
    }

    /// What is wrong with a secret.
    pub fn secret(&self, secret: wire::Secret) -> Vec<Fault> {
        faults_of(secret::draft(secret, None).judge(Faults::new()))
    }

    /// What is wrong with a project.
    pub fn project(&self, project: wire::Project) -> Vec<Fault> {
        faults_of(identity::project_draft(project, None).judge(Faults::new()))
    }

    /// What is wrong with a deployment of `package`. Without a sound one what depends on it is not judged, and
    /// the rule `package_unknown` is told as broken.
    pub fn deployment(&self, deployment: wire::Deployment, package: Option<wire::Package>) -> Vec<Fault> {
        let package = package.and_then(|package| self.judged_package(package).ok());
        let (draft, faults) = deployment::draft(deployment);
        let known = Known { package: package.as_ref(), ..Default::default() };
        faults_of(draft.judge(&known, &self.rules, faults))
    }
}

fn faults_of<T>(judged: Result<T, Faults>) -> Vec<Fault> {
    judged.err().map(told).unwrap_or_default()
}

fn told(faults: Faults) -> Vec<Fault> {
    let fault = |fault: &crate::domain::Fault| Fault {
        field: fault.field.clone(),
        rule: fault.rule.to_owned(),
        message: fault.message.clone(),
    };
    faults.as_slice().iter().map(fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offline() -> Offline {
        Offline::new(vec![Hostname::parse("ep-r.io").unwrap()])
    }

    fn named(name: &str) -> Option<wire::Metadata> {
        Some(wire::Metadata { name: name.into(), ..Default::default() })
    }

    #[test]
    fn rules_are_told_where_nobody_is_asked() {
        let route = wire::StaticRoute { metadata: named("www"), ..Default::default() };
        assert_eq!(offline().static_route(route)[0].rule, "static_route_length");
        let package = wire::Package { metadata: named("shop"), version: "v1".into(), ..Default::default() };
        assert_eq!(offline().package(package).unwrap_err()[0].rule, "plans_required");
        assert_eq!(offline().secret(wire::Secret::default()).len(), 2);
    }

    #[test]
    fn a_deployment_alone_lacks_its_package() {
        let spec = wire::DeploymentSpec {
            package_name: "shop".into(),
            package_version: "v1".into(),
            ..Default::default()
        };
        let deployment = wire::Deployment { metadata: named("shop"), spec: Some(spec), status: None };
        let rules: Vec<_> =
            offline().deployment(deployment, None).into_iter().map(|fault| fault.rule).collect();
        assert_eq!(rules, ["package_unknown"]);
    }
}
