//! Secrets: written, sealed, and never read back but by those who run what needs them.

use std::collections::BTreeMap;
use std::fmt;

use proto::ProjectId;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::guid::{Chance, SecretGuid, UserGuid};
use super::name::SecretName;
use super::sealing::{Keyring, SealError, Sealed};
use super::text::as_project;
use super::{Broken, Timestamp};

mod draft;
mod key;

pub use draft::{DataDraft, JudgedSecret, SecretDraft};
pub use key::SecretKey;

/// The registry of docker credentials that name none.
pub const DEFAULT_REGISTRY: &str = "https://index.docker.io/v1/";

/// A secret, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Given by the control plane.
    pub guid: SecretGuid,
    /// The project it belongs to.
    #[serde(with = "as_project")]
    pub project: ProjectId,
    /// Unique in its project.
    pub name: SecretName,
    /// For whoever wants to find it again.
    pub labels: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
    /// Who created it.
    #[serde(default)]
    pub creator: Option<UserGuid>,
    /// What of it may be shown.
    pub shape: Shape,
    /// What it holds; none once the key it was sealed with has been given up for lost.
    pub sealed: Option<Sealed>,
    /// Set for a moment while it is being deleted, so that nothing can begin to use it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub being_deleted: bool,
}

/// What of a secret may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Credentials of an image registry.
    Docker {
        /// Its URL.
        registry: String,
        /// Who pulls.
        username: String,
        /// Empty when none was given.
        email: String,
    },
    /// Keys and values.
    Opaque {
        /// The keys, in order.
        keys: Vec<String>,
    },
}

/// What a secret holds. It is wiped from memory when it goes, and never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretData {
    /// Credentials of an image registry.
    Docker {
        /// Its URL.
        registry: String,
        /// Who pulls.
        username: String,
        /// The secret part.
        password: Hidden,
        /// Empty when none was given.
        email: String,
    },
    /// Keys and values.
    Opaque {
        /// By their keys.
        values: BTreeMap<String, Hidden>,
    },
}

/// A text nobody is to see.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

/// One place that takes something from a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretUse {
    /// Path of the field that names it.
    pub field: String,
    /// The secret's name.
    pub secret: String,
    /// The key whose value is taken; none where images are pulled with it.
    pub key: Option<String>,
}

impl Hidden {
    /// Hides `text`.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for whoever must have it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Secret {
    /// Seals `data` into it.
    pub fn fill(
        &mut self,
        data: &SecretData,
        keyring: &Keyring,
        chance: &dyn Chance,
    ) -> Result<(), SealError> {
        let plain = Zeroizing::new(serde_json::to_vec(data).map_err(|_| SealError::Broken)?);
        self.sealed = Some(keyring.seal(&plain, &self.place(), chance)?);
        self.shape = data.shape();
        Ok(())
    }

    /// What it holds; none when its key was given up for lost.
    pub fn reveal(&self, keyring: &Keyring) -> Result<Option<SecretData>, SealError> {
        let Some(sealed) = &self.sealed else {
            return Ok(None);
        };
        let plain = keyring.open(sealed, &self.place())?;
        serde_json::from_slice(&plain).map(Some).map_err(|_| SealError::Broken)
    }

    /// Whether it serves for `wanted`.
    pub fn judge_use(&self, wanted: &SecretUse) -> Result<(), Broken> {
        let name = &self.name;
        match (&self.shape, &wanted.key) {
            (Shape::Docker { .. }, None) => Ok(()),
            (Shape::Opaque { keys }, Some(key)) if keys.contains(key) => Ok(()),
            (Shape::Opaque { keys }, Some(key)) => {
                let message = format!("secret {name} has no key {key:?}; it has {}", keys.join(", "));
                Err(Broken::new("secret_key_unknown", message))
            }
            (Shape::Docker { .. }, Some(_)) => {
                let message =
                    format!("secret {name} holds credentials of a registry; values come from opaque ones");
                Err(Broken::new("secret_type", message))
            }
            (Shape::Opaque { .. }, None) => {
                let message = format!("secret {name} is opaque; images are pulled with docker credentials");
                Err(Broken::new("secret_type", message))
            }
        }
    }

    /// What binds what is sealed to this record: put elsewhere, it does not open.
    fn place(&self) -> String {
        format!("{}/{}", self.project, self.guid)
    }
}

impl SecretData {
    /// What of it may be shown.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Docker { registry, username, email, .. } => {
                Shape::Docker { registry: registry.clone(), username: username.clone(), email: email.clone() }
            }
            Self::Opaque { values } => Shape::Opaque { keys: values.keys().cloned().collect() },
        }
    }
}

impl Shape {
    /// As people read it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Docker { .. } => "docker",
            Self::Opaque { .. } => "opaque",
        }
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(...)")
    }
}

impl fmt::Debug for SecretData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretData({})", self.shape().kind())
    }
}

#[cfg(test)]
mod tests;
