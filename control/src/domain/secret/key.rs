use serde::{Deserialize, Serialize};

use super::SecretUse;
use super::draft::judge_key;
use crate::domain::fault::{At, Faults};
use crate::domain::name::SecretName;

/// A value that stands in an opaque secret of the same project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretKey {
    /// The secret.
    pub secret: SecretName,
    /// The key whose value it is.
    pub key: String,
}

impl SecretKey {
    /// The reference to `key` of `secret` that stands at `at`, with every fault noted.
    pub fn judge(secret: &str, key: &str, at: &At<'_>, faults: &mut Faults) -> Option<Self> {
        let secret = faults.take(at.field("secret"), SecretName::parse(secret));
        faults.take(at.field("key"), judge_key(key))?;
        Some(Self { secret: secret?, key: key.to_owned() })
    }

    /// This reference, as what stands at `field` takes from secrets.
    pub fn used_at(&self, field: String) -> SecretUse {
        SecretUse { field, secret: self.secret.to_string(), key: Some(self.key.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_secret_and_a_key() {
        let mut faults = Faults::new();
        let found = SecretKey::judge("db", "password", &At::named("v"), &mut faults).unwrap();
        assert!(faults.is_empty());
        let used = found.used_at("v".to_owned());
        assert_eq!((used.secret.as_str(), used.key.as_deref()), ("db", Some("password")));
        assert_eq!(SecretKey::judge("", "a b", &At::named("v"), &mut faults), None);
        let fields: Vec<_> = faults.as_slice().iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["v.secret", "v.key"]);
    }
}
