//! Static routes as someone wrote them, and the rules on them.

use std::collections::BTreeMap;

use ipnet::IpNet;
use proto::{ProjectId, SourceRanges};

use super::StaticRoute;
use crate::domain::fault::{At, Broken, Faults};
use crate::domain::guid::{Chance, NoChance};
use crate::domain::label::StaticRouteLabel;
use crate::domain::labels::judge_labels;
use crate::domain::organization::ShortId;
use crate::domain::reserved::Reserved;
use crate::domain::{StaticRouteGuid, Timestamp, UserGuid};

/// A static route as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct StaticRouteDraft {
    /// Its name.
    pub name: String,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// CIDRs.
    pub source_ranges: Vec<String>,
    /// Who asks.
    pub creator: Option<UserGuid>,
}

/// A static route that breaks no rule, before it is given its guid.
#[derive(Debug, Clone)]
pub struct JudgedStaticRoute {
    /// What routes to it.
    pub label: StaticRouteLabel,
    /// What its owner calls it, where that is not the label.
    pub called: Option<StaticRouteLabel>,
    creator: Option<UserGuid>,
    change: StaticRouteChange,
}

/// What of a static route can be changed, free of faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticRouteChange {
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// Not empty: only these sources are served.
    pub source_ranges: Vec<IpNet>,
}

/// Most source ranges of one route: each is looked at for each connection.
const MOST_SOURCE_RANGES: usize = 256;

impl StaticRouteDraft {
    /// The static route it describes, or every fault of it, added to those found before. `suffix` is what
    /// the organization's names end with, where they do.
    pub fn judge(
        &self,
        reserved: &Reserved,
        suffix: Option<&ShortId>,
        mut faults: Faults,
    ) -> Result<JudgedStaticRoute, Faults> {
        let at = At::named("metadata");
        let named = faults.take(at.field("name"), label_of(&self.name, reserved, suffix));
        let change = self.read_change(&mut faults);
        let creator = self.creator.clone();
        faults.none_or(named.map(|(label, called)| JudgedStaticRoute { label, called, creator, change }))
    }

    /// What of it can be changed, or every fault of that, added to those found before.
    pub fn judge_change(&self, mut faults: Faults) -> Result<StaticRouteChange, Faults> {
        let change = self.read_change(&mut faults);
        faults.none_or(Some(change))
    }

    fn read_change(&self, faults: &mut Faults) -> StaticRouteChange {
        judge_labels(&self.labels, &At::named("metadata").field("labels"), faults);
        let source_ranges = judge_source_ranges(&self.source_ranges, faults);
        StaticRouteChange { labels: self.labels.clone(), source_ranges }
    }
}

/// The label someone who asks for `name` gets, and what they call it where that is something else.
fn label_of(
    name: &str,
    reserved: &Reserved,
    suffix: Option<&ShortId>,
) -> Result<(StaticRouteLabel, Option<StaticRouteLabel>), Broken> {
    let label = StaticRouteLabel::claim(name, reserved)?;
    match suffix {
        Some(suffix) if !label.has_suffix(suffix) => Ok((label.with_suffix(suffix)?, Some(label))),
        Some(_) | None => Ok((label, None)),
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
            called: self.called,
            labels: self.change.labels,
            created_at: now,
            updated_at: now,
            creator: self.creator,
            source_ranges: self.change.source_ranges,
            bound_to: None,
            last_protocol: None,
        })
    }
}
