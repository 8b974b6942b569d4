//! Projects: what everything else belongs to.

use std::collections::BTreeMap;

use proto::ProjectId;
use serde::{Deserialize, Serialize};

use super::fault::{At, Faults};
use super::guid::{Chance, NoChance, draw_project};
use super::labels::judge_labels;
use super::name::ProjectName;
use super::text::as_project;
use super::{OrganizationGuid, Timestamp, UserGuid};

/// What the built-in project is called.
const BUILT_IN_NAME: &str = "default";

/// A project, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Given by the control plane.
    #[serde(with = "as_project")]
    pub guid: ProjectId,
    /// Unique in its organization.
    pub name: ProjectName,
    /// Who owns it.
    pub organization: OrganizationGuid,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    #[serde(default)]
    pub creator: Option<UserGuid>,
}

/// A project as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct ProjectDraft {
    /// Its name.
    pub name: String,
    /// Guid or name of its organization; empty means the caller's.
    pub organization: String,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// Who asks.
    pub creator: Option<UserGuid>,
}

/// A project that breaks no rule, before it is given its guid.
#[derive(Debug, Clone)]
pub struct JudgedProject {
    /// Its name.
    pub name: ProjectName,
    labels: BTreeMap<String, String>,
    creator: Option<UserGuid>,
}

impl ProjectDraft {
    /// The project it describes, or every fault of it, added to those found before.
    pub fn judge(&self, mut faults: Faults) -> Result<JudgedProject, Faults> {
        let metadata = At::named("metadata");
        let name = faults.take(metadata.field("name"), ProjectName::parse(&self.name));
        judge_labels(&self.labels, &metadata.field("labels"), &mut faults);
        let (labels, creator) = (self.labels.clone(), self.creator.clone());
        faults.none_or(name.map(|name| JudgedProject { name, labels, creator }))
    }
}

impl JudgedProject {
    /// Gives it its guid.
    pub fn create(
        self,
        organization: OrganizationGuid,
        now: Timestamp,
        chance: &dyn Chance,
    ) -> Result<Project, NoChance> {
        Ok(self.with_guid(draw_project(chance)?, organization, now))
    }

    fn with_guid(self, guid: ProjectId, organization: OrganizationGuid, now: Timestamp) -> Project {
        let Self { name, labels, creator } = self;
        Project { guid, name, organization, labels, created_at: now, creator }
    }
}

impl Project {
    /// The one every installation has from the start.
    pub fn built_in(now: Timestamp) -> Result<Self, Faults> {
        let draft = ProjectDraft { name: BUILT_IN_NAME.into(), ..Default::default() };
        let judged = draft.judge(Faults::new())?;
        Ok(judged.with_guid(super::built_in_project(), super::built_in_organization(), now))
    }
}
