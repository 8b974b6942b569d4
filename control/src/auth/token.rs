use std::fmt;

use proto::ProjectId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{AuthError, Role};
use crate::domain::guid::letters;
use crate::domain::text::as_project;
use crate::domain::{Chance, NoChance, Timestamp};
use crate::store::{Key, Prefix};

const PREFIX: &str = "epr_";
/// 26^40 is 188 bits.
const LETTERS: usize = 40;
/// The first part of the keys that tokens stand under; the second is the hash.
const PLACE: &str = "token";

/// A secret that proves who calls: `epr_` and 40 lowercase letters. Never printed, never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// What a token is, for whoever sent something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`epr_` and 40 lowercase letters")]
pub struct NotAToken;

/// What the store keeps of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) role: Role,
    #[serde(with = "as_project")]
    pub(super) project: ProjectId,
    /// For people: who has it, or which file it was made for.
    pub(super) name: String,
    pub(super) created: Timestamp,
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

    /// Reads the value of an authorization header (RFC 6750 2.1; the scheme in any case).
    pub(super) fn from_header(value: &[u8]) -> Result<Self, AuthError> {
        let text = std::str::from_utf8(value).map_err(|_| AuthError::Malformed)?;
        let (scheme, token) = text.split_once(' ').ok_or(AuthError::Malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(AuthError::Malformed);
        }
        Self::parse(token).map_err(|NotAToken| AuthError::Malformed)
    }

    /// The secret itself, to be sent or written to a private file.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// Where its record stands: under its SHA-256. A fast hash will do, for the secret is drawn by lot
    /// and too long to be guessed; and looking a hash up tells nothing of the secret by its time.
    pub(super) fn key(&self) -> Key {
        let digest = Sha256::digest(self.0.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Key::of([PLACE, &hex])
    }

    /// What all tokens stand under.
    pub(super) fn place() -> Prefix {
        Prefix::of([PLACE])
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
    fn a_token_comes_back_from_a_file_and_a_header() {
        let chance = Counting::default();
        let token = Token::draw(&chance).unwrap();
        assert_ne!(Token::draw(&chance).unwrap(), token);
        assert_eq!(Token::parse(&format!(" {}\n", token.secret())), Ok(token.clone()));
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let header = format!("{scheme} {}", token.secret());
            assert_eq!(Token::from_header(header.as_bytes()), Ok(token.clone()));
        }
        for bad in ["", "Bearer", "Bearer ", "Basic eA==", "Bearer epr_short", token.secret()] {
            assert_eq!(Token::from_header(bad.as_bytes()), Err(AuthError::Malformed), "{bad:?}");
        }
        assert_eq!(Token::from_header(b"Bearer \xff"), Err(AuthError::Malformed));
    }

    #[test]
    fn neither_the_log_nor_the_store_learns_the_secret() {
        let token = Token::draw(&Counting::default()).unwrap();
        let letters = token.secret().strip_prefix(PREFIX).unwrap();
        assert!(!format!("{token:?}").contains(letters));
        let key = token.key();
        assert!(!key.as_str().contains(letters) && Token::place().covers(&key));
        assert_eq!(key.as_str().len(), "token/".len() + 64);
    }
}
