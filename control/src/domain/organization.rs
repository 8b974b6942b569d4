//! Organizations: who owns projects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fault::{At, Faults};
use super::guid::{Chance, NoChance, letters};
use super::labels::judge_labels;
use super::name::OrganizationName;
use super::text::text;
use super::{OrganizationGuid, Timestamp, UserGuid};

/// Letters of a short id.
const SHORT_LENGTH: usize = 5;
/// What the built-in organization is called.
pub const BUILT_IN_NAME: &str = "default";

text! {
    /// What an organization is called in the names of its static routes: five lowercase letters.
    ShortId, |text| {
        if text.len() == SHORT_LENGTH && text.bytes().all(|b| b.is_ascii_lowercase()) {
            return Ok(());
        }
        let message = format!("{text:?} is no short id of an organization: {SHORT_LENGTH} lowercase letters");
        Err(super::Broken::new("short_id", message))
    }
}

/// An organization, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Given by the control plane.
    pub guid: OrganizationGuid,
    /// Unique in the installation.
    pub name: OrganizationName,
    /// Given by the control plane, unique in the installation.
    pub short_id: ShortId,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who created it.
    #[serde(default)]
    pub creator: Option<UserGuid>,
    /// What it pays for.
    pub subscription: Subscription,
    /// Set for a moment while it is being deleted, so that no project can begin in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub being_deleted: bool,
}

/// How many static routes an organization may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subscription {
    /// As many as it likes.
    #[default]
    Unlimited,
    /// 5.
    Community,
    /// 50.
    Professional,
    /// As agreed.
    Enterprise {
        /// This many; 0 means as many as it likes.
        static_routes: u32,
    },
}

impl Subscription {
    /// Most static routes; none for as many as one likes.
    pub fn static_routes(self) -> Option<u32> {
        match self {
            Self::Unlimited | Self::Enterprise { static_routes: 0 } => None,
            Self::Community => Some(5),
            Self::Professional => Some(50),
            Self::Enterprise { static_routes } => Some(static_routes),
        }
    }

    /// As people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unlimited => "unlimited",
            Self::Community => "community",
            Self::Professional => "professional",
            Self::Enterprise { .. } => "enterprise",
        }
    }
}

/// An organization as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct OrganizationDraft {
    /// Its name; or guid, where one is changed.
    pub name: String,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// What it pays for.
    pub subscription: Subscription,
    /// Who asks.
    pub creator: Option<UserGuid>,
}

/// An organization that breaks no rule, before it is given its guid.
#[derive(Debug, Clone)]
pub struct JudgedOrganization {
    /// Its name.
    pub name: OrganizationName,
    labels: BTreeMap<String, String>,
    subscription: Subscription,
    creator: Option<UserGuid>,
}

impl OrganizationDraft {
    /// The organization it describes, or every fault of it, added to those found before.
    pub fn judge(&self, mut faults: Faults) -> Result<JudgedOrganization, Faults> {
        let metadata = At::named("metadata");
        let name = faults.take(metadata.field("name"), OrganizationName::parse(&self.name));
        self.judge_rest(&mut faults);
        faults.none_or(name.map(|name| JudgedOrganization {
            name,
            labels: self.labels.clone(),
            subscription: self.subscription,
            creator: self.creator.clone(),
        }))
    }

    /// Notes what is wrong with what can be changed.
    pub fn judge_rest(&self, faults: &mut Faults) {
        judge_labels(&self.labels, &At::named("metadata").field("labels"), faults);
    }
}

impl JudgedOrganization {
    /// Gives it its guid and short id.
    pub fn create(self, now: Timestamp, chance: &dyn Chance) -> Result<Organization, NoChance> {
        let guid = OrganizationGuid::draw(chance)?;
        Ok(self.with_guid(guid, draw_short(chance)?, now))
    }

    fn with_guid(self, guid: OrganizationGuid, short_id: ShortId, now: Timestamp) -> Organization {
        Organization {
            guid,
            name: self.name,
            short_id,
            labels: self.labels,
            created_at: now,
            updated_at: now,
            creator: self.creator,
            subscription: self.subscription,
            being_deleted: false,
        }
    }
}

impl Organization {
    /// The one every installation has from the start.
    pub fn built_in(now: Timestamp, chance: &dyn Chance) -> Result<Self, NoChance> {
        let draft = OrganizationDraft { name: BUILT_IN_NAME.into(), ..Default::default() };
        let judged = draft.judge(Faults::new()).map_err(|faults| NoChance(faults.to_string()))?;
        Ok(judged.with_guid(super::built_in_organization(), draw_short(chance)?, now))
    }

    /// Takes on what `draft` says.
    pub fn change(&mut self, draft: &OrganizationDraft, now: Timestamp) {
        self.subscription = draft.subscription;
        self.labels.clone_from(&draft.labels);
        self.updated_at = now;
    }
}

fn draw_short(chance: &dyn Chance) -> Result<ShortId, NoChance> {
    ShortId::parse(&letters(chance, SHORT_LENGTH)?).map_err(|broken| NoChance(broken.message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guid::tests::Counting;

    #[test]
    fn an_organization_has_the_routes_it_pays_for() {
        assert_eq!(Subscription::default().static_routes(), None);
        assert_eq!(Subscription::Community.static_routes(), Some(5));
        assert_eq!(Subscription::Professional.static_routes(), Some(50));
        assert_eq!(Subscription::Enterprise { static_routes: 700 }.static_routes(), Some(700));
        assert_eq!(Subscription::Enterprise { static_routes: 0 }.static_routes(), None);
    }

    #[test]
    fn the_built_in_one_is_sound() {
        let now = Timestamp::from(std::time::UNIX_EPOCH);
        let made = Organization::built_in(now, &Counting::default()).unwrap();
        assert_eq!((made.name.as_str(), made.short_id.as_str().len()), (BUILT_IN_NAME, 5));
        let json = serde_json::to_string(&made).unwrap();
        assert_eq!(serde_json::from_str::<Organization>(&json).unwrap(), made);
    }
}
