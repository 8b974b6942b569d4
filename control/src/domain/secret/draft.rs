use std::collections::BTreeMap;

use proto::ProjectId;

use super::{DEFAULT_REGISTRY, Hidden, Secret, SecretData, Shape};
use crate::domain::fault::{At, Faults};
use crate::domain::guid::{Chance, SecretGuid, UserGuid};
use crate::domain::labels::judge_labels;
use crate::domain::name::SecretName;
use crate::domain::sealing::{Keyring, SealError};
use crate::domain::{Broken, Timestamp};

/// Most keys of an opaque secret, longest key, and most bytes of all keys and values together. What is
/// stored is a third larger.
const MOST_KEYS: usize = 256;
const LONGEST_KEY: usize = 253;
const MOST_BYTES: usize = 512 << 10;
/// Longest of the texts of docker credentials, in bytes.
const LONGEST_TEXT: usize = 4 << 10;

/// A secret as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct SecretDraft {
    /// Its name; or guid, where one is changed.
    pub name: String,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// What it is to hold; none when nothing was said.
    pub data: Option<DataDraft>,
    /// Who asks.
    pub creator: Option<UserGuid>,
}

/// What a secret is to hold, as someone wrote it.
#[derive(Debug, Clone)]
pub enum DataDraft {
    /// Credentials of an image registry.
    Docker {
        /// Empty means the public one.
        registry: String,
        /// Who pulls.
        username: String,
        /// The secret part.
        password: Hidden,
        /// May be empty.
        email: String,
    },
    /// Keys and values.
    Opaque(BTreeMap<String, Hidden>),
}

/// A secret that breaks no rule, before it is given its guid.
#[derive(Debug, Clone)]
pub struct JudgedSecret {
    /// Its name.
    pub name: SecretName,
    labels: BTreeMap<String, String>,
    data: SecretData,
    creator: Option<UserGuid>,
}

impl SecretDraft {
    /// The secret it describes, or every fault of it, added to those found before.
    pub fn judge(&self, mut faults: Faults) -> Result<JudgedSecret, Faults> {
        let name = faults.take(At::named("metadata").field("name"), SecretName::parse(&self.name));
        let data = self.judge_data(&mut faults);
        let (labels, creator) = (self.labels.clone(), self.creator.clone());
        faults.none_or(name.zip(data).map(|(name, data)| JudgedSecret { name, labels, data, creator }))
    }

    /// What a secret that is there is to become: its name is not looked at.
    pub fn judge_change(&self, mut faults: Faults) -> Result<SecretData, Faults> {
        let data = self.judge_data(&mut faults);
        faults.none_or(data)
    }

    fn judge_data(&self, faults: &mut Faults) -> Option<SecretData> {
        judge_labels(&self.labels, &At::named("metadata").field("labels"), faults);
        match &self.data {
            None => {
                let message = "must hold something: docker credentials, or opaque keys and values";
                faults.add("data", "secret_empty", message);
                None
            }
            Some(DataDraft::Docker { registry, username, password, email }) => {
                let at = At::named("docker");
                judge_text(username, &at.field("username"), faults);
                judge_text(password.reveal(), &at.field("password"), faults);
                for (text, field) in [(registry, "registry"), (email, "email")] {
                    if !text.is_empty() {
                        judge_text(text, &at.field(field), faults);
                    }
                }
                let registry = if registry.is_empty() { DEFAULT_REGISTRY } else { registry }.to_owned();
                Some(SecretData::Docker {
                    registry,
                    username: username.clone(),
                    password: password.clone(),
                    email: email.clone(),
                })
            }
            Some(DataDraft::Opaque(values)) => {
                judge_values(values, faults);
                Some(SecretData::Opaque { values: values.clone() })
            }
        }
    }
}

/// Nothing that is wrong tells the text: it may be the password.
fn judge_text(text: &str, at: &At<'_>, faults: &mut Faults) {
    if text.is_empty() {
        faults.add(at, "secret_text", "must not be empty");
    } else if text.len() > LONGEST_TEXT || text.chars().any(char::is_control) {
        let message = format!("must have at most {LONGEST_TEXT} bytes and no control characters");
        faults.add(at, "secret_text", message);
    }
}

fn judge_values(values: &BTreeMap<String, Hidden>, faults: &mut Faults) {
    let at = At::named("opaque");
    let list = at.field("values");
    if values.is_empty() || values.len() > MOST_KEYS {
        let message = format!("there are {} keys; 1 to {MOST_KEYS} are possible", values.len());
        faults.add(list, "secret_keys", message);
    }
    let bytes: usize = values.iter().map(|(key, value)| key.len() + value.reveal().len()).sum();
    if bytes > MOST_BYTES {
        let message = format!("have {bytes} bytes together; at most {MOST_BYTES} are possible");
        faults.add(list, "secret_size", message);
    }
    for key in values.keys() {
        faults.take(list.field(key), judge_key(key));
    }
}

pub(super) fn judge_key(key: &str) -> Result<(), Broken> {
    let sound = (1..=LONGEST_KEY).contains(&key.len())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if sound {
        return Ok(());
    }
    let message = format!("{key:?} is no key: 1 to {LONGEST_KEY} letters, digits, '.', '_' and '-'");
    Err(Broken::new("secret_key", message))
}

impl JudgedSecret {
    /// Gives it its guid, and seals what it holds.
    pub fn create(
        self,
        project: ProjectId,
        now: Timestamp,
        keyring: &Keyring,
        chance: &dyn Chance,
    ) -> Result<Secret, SealError> {
        let mut secret = Secret {
            guid: SecretGuid::draw(chance)?,
            project,
            name: self.name,
            labels: self.labels,
            created_at: now,
            updated_at: now,
            creator: self.creator,
            shape: Shape::Opaque { keys: Vec::new() },
            sealed: None,
            being_deleted: false,
        };
        secret.fill(&self.data, keyring, chance)?;
        Ok(secret)
    }
}
