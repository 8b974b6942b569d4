//! Static routes: host names that outlive deployments.

use std::collections::BTreeMap;

use ipnet::IpNet;
use proto::{EdgeProtocol, ProjectId};
use serde::{Deserialize, Serialize};

use super::label::StaticRouteLabel;
use super::name::{DeploymentName, EndpointName};
use super::package::EdgeProtocolText;
use super::text::as_project;
use super::{DeploymentGuid, StaticRouteGuid, Timestamp, UserGuid};

mod draft;

pub use draft::{JudgedStaticRoute, StaticRouteChange, StaticRouteDraft};

/// A static route, as it is stored: the home of its binding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaticRoute {
    /// Given by the control plane.
    pub guid: StaticRouteGuid,
    /// The project it belongs to.
    #[serde(with = "as_project")]
    pub project: ProjectId,
    /// Unique across the platform.
    pub label: StaticRouteLabel,
    /// What its owner calls it, where the organization's short id was added to that; none for the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<StaticRouteLabel>,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// When it was claimed.
    pub created_at: Timestamp,
    /// When it was last bound, unbound or edited.
    pub updated_at: Timestamp,
    /// Who claimed it.
    #[serde(default)]
    pub creator: Option<UserGuid>,
    /// Not empty: only these sources are served.
    pub source_ranges: Vec<IpNet>,
    /// The endpoint it serves now.
    pub bound_to: Option<BoundTo>,
    /// What it spoke last, when it is not bound: decides how a TLS client is told.
    pub last_protocol: Option<LastProtocol>,
}

/// The endpoint a static route serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundTo {
    /// The deployment.
    pub deployment: DeploymentGuid,
    /// Its name, so that a refusal can tell it.
    pub deployment_name: DeploymentName,
    /// Its endpoint.
    pub endpoint: EndpointName,
    /// What the endpoint speaks.
    #[serde(with = "EdgeProtocolText")]
    pub protocol: EdgeProtocol,
}

/// What a static route spoke last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LastProtocol(#[serde(with = "EdgeProtocolText")] pub EdgeProtocol);

impl StaticRoute {
    /// What its owner calls it.
    pub fn name(&self) -> &StaticRouteLabel {
        self.called.as_ref().unwrap_or(&self.label)
    }

    /// Takes on what `change` says. False when that is what it has already.
    pub fn change(&mut self, change: StaticRouteChange, now: Timestamp) -> bool {
        let StaticRouteChange { labels, source_ranges } = change;
        if labels == self.labels && source_ranges == self.source_ranges {
            return false;
        }
        (self.labels, self.source_ranges, self.updated_at) = (labels, source_ranges, now);
        true
    }

    /// Leads it to `bound_to`.
    pub fn bind(&mut self, bound_to: BoundTo, now: Timestamp) {
        self.last_protocol = None;
        self.bound_to = Some(bound_to);
        self.updated_at = now;
    }

    /// Leads it nowhere.
    pub fn unbind(&mut self, now: Timestamp) {
        if let Some(bound) = self.bound_to.take() {
            self.last_protocol = Some(LastProtocol(bound.protocol));
            self.updated_at = now;
        }
    }
}

#[cfg(test)]
mod tests;
