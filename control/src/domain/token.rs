//! Tokens: how users and machines prove who they are.

use std::fmt;

use proto::ProjectId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::guid::{Chance, NoChance, letters};
use super::role::Role;
use super::text::as_project;
use super::user::Where;
use super::{Timestamp, UserGuid};

const PREFIX: &str = "epr_";
/// 26^40 is 188 bits.
const LETTERS: usize = 40;
/// Characters of a hash that name its token to people: 64 bits.
const ID_LENGTH: usize = 16;

/// A secret that proves who calls: `epr_` and 40 lowercase letters. Never printed, never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// What a token is, for whoever sent something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`epr_` and 40 lowercase letters")]
pub struct NotAToken;

/// What the store keeps of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// What it lets its holder do at most.
    pub role: Role,
    /// Where its holder acts unless they say otherwise.
    #[serde(with = "as_project")]
    pub project: ProjectId,
    /// For people: what it is for, or which file it was made for.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Whose it is; none for those of machines, and for those made before there were users.
    #[serde(default)]
    pub user: Option<UserGuid>,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// The only places it opens, whatever its user may do elsewhere: where whoever made it was an admin
    /// then. None for wherever its user may act.
    #[serde(default)]
    pub within: Option<Vec<Where>>,
}

impl Token {
    /// Draws a new one.
    pub fn draw(chance: &dyn Chance) -> Result<Self, NoChance> {
        Ok(Self(format!("{PREFIX}{}", letters(chance, LETTERS)?)))
    }

    /// Reads one from a file or a setting; white space around it does not count.
    pub fn parse(text: &str) -> Result<Self, NotAToken> {
        let text = text.trim();
        let letters = text.strip_prefix(PREFIX).ok_or(NotAToken)?;
        let sound = letters.len() == LETTERS && letters.bytes().all(|byte| byte.is_ascii_lowercase());
        sound.then(|| Self(text.to_owned())).ok_or(NotAToken)
    }

    /// The secret itself, to be sent or written to a private file.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// Its SHA-256 in hexadecimal, under which its record stands. A fast hash will do, for the secret is
    /// drawn by lot and too long to be guessed; and looking a hash up tells nothing of the secret by its
    /// time.
    pub fn hash(&self) -> String {
        let digest = Sha256::digest(self.0.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What names the token with this hash to people, and opens nothing.
pub fn id_of(hash: &str) -> &str {
    hash.get(..ID_LENGTH).unwrap_or(hash)
}

impl TokenRecord {
    /// Whether it opens nothing any more.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(epr_...)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guid::tests::Counting;

    #[test]
    fn a_token_comes_back_from_a_file() {
        let chance = Counting::default();
        let token = Token::draw(&chance).unwrap();
        assert_ne!(Token::draw(&chance).unwrap(), token);
        assert_eq!(Token::parse(&format!(" {}\n", token.secret())), Ok(token));
        for bad in ["", "epr_", "epr_short", &format!("epr_{}", "A".repeat(40))] {
            assert_eq!(Token::parse(bad), Err(NotAToken), "{bad:?}");
        }
    }

    #[test]
    fn nobody_learns_the_secret_from_what_is_printed_or_stored() {
        let token = Token::draw(&Counting::default()).unwrap();
        let letters = token.secret().strip_prefix(PREFIX).unwrap();
        assert!(!format!("{token:?}").contains(letters));
        let hash = token.hash();
        assert!(hash.len() == 64 && !hash.contains(letters) && hash.starts_with(id_of(&hash)));
    }

    #[test]
    fn a_record_of_a_time_without_users_is_read() {
        let text =
            r#"{"role":"admin","project":"project-builtin0000000000000","name":"admin.token","created":1}"#;
        let record: TokenRecord = serde_json::from_str(text).unwrap();
        assert_eq!((record.role, record.user, record.within), (Role::Admin, None, None));
    }

    #[test]
    fn a_token_ends_when_its_time_has_come() {
        let at = |millis| Timestamp::from(std::time::UNIX_EPOCH + std::time::Duration::from_millis(millis));
        let mut record = TokenRecord {
            role: Role::Viewer,
            project: crate::domain::built_in_project(),
            name: "a".into(),
            created: at(0),
            user: None,
            expires_at: Some(at(10)),
            within: None,
        };
        assert_eq!([9, 10, 11].map(|now| record.has_ended(at(now))), [false, true, true]);
        record.expires_at = None;
        assert!(!record.has_ended(at(u64::MAX >> 1)));
    }
}
