//! A deployment as it is shown: with what follows from its record and from those it depends on.

use std::collections::HashMap;

use super::{Deployment, EnvVar, ErrorCode, Phase, Status};
use crate::domain::environment::environment;
use crate::domain::rules::Rules;
use crate::domain::{DeploymentGuid, DeploymentName};

/// A deployment, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewedDeployment {
    /// The deployment.
    pub deployment: Deployment,
    /// What its executables see.
    pub environment: Vec<EnvVar>,
    /// The deployments it depends on, as they are now, in the order it names them.
    pub dependencies: Vec<DependencyStatus>,
    /// What its runtime says went wrong, and what went wrong with those it depends on.
    pub error_codes: Vec<ErrorCode>,
}

/// A deployment another depends on, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyStatus {
    /// Which.
    pub guid: DeploymentGuid,
    /// What it is called; none when its record is gone.
    pub name: Option<DeploymentName>,
    /// How far it has come.
    pub phase: Phase,
    /// How it does.
    pub status: Status,
    /// What its runtime says went wrong.
    pub error_codes: Vec<ErrorCode>,
    /// Whether the one that depends on it waits for it to be running.
    pub wait: bool,
}

impl ViewedDeployment {
    /// How `deployment` is shown, given those it depends on as far as they are `known`.
    pub fn of(deployment: Deployment, known: &HashMap<DeploymentGuid, Deployment>, rules: &Rules) -> Self {
        let parents: Vec<&Deployment> =
            deployment.depends.iter().filter_map(|on| known.get(&on.deployment)).collect();
        let environment = rules.domains.first().map(|domain| {
            // What is stopped runs nowhere, and has no use for where others are.
            let parents = if deployment.is_live() { parents.as_slice() } else { &[] };
            environment(&deployment, parents, domain, rules.ports)
        });
        let dependencies: Vec<_> = deployment
            .depends
            .iter()
            .map(|on| {
                let parent = known.get(&on.deployment);
                DependencyStatus {
                    guid: on.deployment.clone(),
                    name: parent.map(|parent| parent.name.clone()),
                    phase: parent.map_or(Phase::Stopped, |parent| parent.phase),
                    status: parent.map_or(Status::Unknown, |parent| parent.status),
                    error_codes: parent.map(|parent| parent.error_codes.clone()).unwrap_or_default(),
                    wait: on.wait,
                }
            })
            .collect();
        let mut error_codes = deployment.error_codes.clone();
        let failed = parents.len() < deployment.depends.len()
            || parents.iter().any(|parent| parent.fails_its_children());
        if failed && deployment.is_live() && !error_codes.contains(&ErrorCode::ParentInError) {
            error_codes.push(ErrorCode::ParentInError);
        }
        Self { deployment, environment: environment.unwrap_or_default(), dependencies, error_codes }
    }
}
