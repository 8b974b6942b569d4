//! Static routes: host names that outlive deployments.

use std::collections::BTreeMap;

use ipnet::IpNet;
use proto::{EdgeProtocol, ProjectId, SourceRanges};
use serde::{Deserialize, Serialize};

use super::fault::{At, Broken, Faults};
use super::guid::{Chance, NoChance};
use super::label::StaticRouteLabel;
use super::labels::judge_labels;
use super::name::{DeploymentName, EndpointName};
use super::package::EdgeProtocolText;
use super::reserved::Reserved;
use super::text::as_project;
use super::{DeploymentGuid, StaticRouteGuid, Timestamp};

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
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// When it was claimed.
    pub created_at: Timestamp,
    /// When it was last bound, unbound or edited.
    pub updated_at: Timestamp,
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

/// A static route as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct StaticRouteDraft {
    /// Its name.
    pub name: String,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// CIDRs.
    pub source_ranges: Vec<String>,
}

/// A static route that breaks no rule, before it is given its guid.
#[derive(Debug, Clone)]
pub struct JudgedStaticRoute {
    /// Its name.
    pub label: StaticRouteLabel,
    labels: BTreeMap<String, String>,
    source_ranges: Vec<IpNet>,
}

/// Most source ranges of one route: each is looked at for each connection.
const MOST_SOURCE_RANGES: usize = 256;

impl StaticRouteDraft {
    /// The static route it describes, or every fault of it, added to those found before.
    pub fn judge(&self, reserved: &Reserved, mut faults: Faults) -> Result<JudgedStaticRoute, Faults> {
        let metadata = At::named("metadata");
        let label = faults.take(metadata.field("name"), StaticRouteLabel::claim(&self.name, reserved));
        judge_labels(&self.labels, &metadata.field("labels"), &mut faults);
        let source_ranges = judge_source_ranges(&self.source_ranges, &mut faults);
        let labels = self.labels.clone();
        faults.none_or(label.map(|label| JudgedStaticRoute { label, labels, source_ranges }))
    }
}

fn judge_source_ranges(texts: &[String], faults: &mut Faults) -> Vec<IpNet> {
    let list = At::named("source_ranges");
    if texts.len() > MOST_SOURCE_RANGES {
        let message = format!("there are {}; at most {MOST_SOURCE_RANGES} are possible", texts.len());
        faults.add(list, "too_many_source_ranges", message);
    }
    let mut ranges = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        let parsed = SourceRanges::parse_one(text).map_err(|e| Broken::new("source_range", e.to_string()));
        ranges.extend(faults.take(list.index(i), parsed));
    }
    ranges
}

impl JudgedStaticRoute {
    /// Gives it its guid.
    pub fn create(
        self,
        project: ProjectId,
        now: Timestamp,
        chance: &dyn Chance,
    ) -> Result<StaticRoute, NoChance> {
        Ok(StaticRoute {
            guid: StaticRouteGuid::draw(chance)?,
            project,
            label: self.label,
            labels: self.labels,
            created_at: now,
            updated_at: now,
            source_ranges: self.source_ranges,
            bound_to: None,
            last_protocol: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_at_once() {
        let draft = StaticRouteDraft {
            name: "Admin".into(),
            labels: [("a\nb".to_owned(), String::new())].into(),
            source_ranges: vec!["10.0.0.0/8".into(), "10.0.0.0/33".into(), "everyone".into()],
        };
        let faults = draft.judge(&Reserved::default(), Faults::new()).unwrap_err();
        let told: Vec<_> = faults.as_slice().iter().map(|f| (f.field.as_str(), f.rule)).collect();
        assert_eq!(
            told,
            [
                ("metadata.name", "static_route_name"),
                ("metadata.labels.a\nb", "labels"),
                ("source_ranges[1]", "source_range"),
                ("source_ranges[2]", "source_range"),
            ]
        );
    }

    #[test]
    fn an_unbound_route_remembers_what_it_spoke() {
        let draft = StaticRouteDraft { name: "shop".into(), ..Default::default() };
        let judged = draft.judge(&Reserved::default(), Faults::new()).unwrap();
        let now = Timestamp::from(std::time::UNIX_EPOCH);
        let chance = super::super::guid::tests::Counting::default();
        let mut route = judged.create(super::super::built_in_project(), now, &chance).unwrap();
        route.unbind(now);
        assert_eq!(route.last_protocol, None);
        let bound_to = BoundTo {
            deployment: DeploymentGuid::draw(&chance).unwrap(),
            deployment_name: DeploymentName::parse("a").unwrap(),
            endpoint: EndpointName::parse("WEB").unwrap(),
            protocol: EdgeProtocol::SecureTcp,
        };
        route.bind(bound_to, now);
        route.unbind(now);
        assert_eq!(route.last_protocol, Some(LastProtocol(EdgeProtocol::SecureTcp)));
    }
}
