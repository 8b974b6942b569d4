//! Who calls, and what they may do.
//!
//! - [`Token`]: what callers send; the store keeps only its hash.
//! - [`Auth::admit`]: from a call's path and credentials to its [`Caller`], or why not.
//! - [`AuthLayer`]: does that in front of every service, whatever the transport calls an error.
//! - [`first_tokens`]: the token files a new installation begins with.
//!
//! Architecture invariant: a token is looked up on every call, so that a removed one is refused at once; and
//! once more when all of the call is there, for between its head and the rest there may be any time.

mod files;
mod layer;
mod policy;

pub use files::{TokenFileError, TokenFiles, first_tokens};
pub use layer::{AuthLayer, Guarded};

pub use crate::domain::token::NotAToken;
pub use crate::domain::{Access, Caller, Role, Token};

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::clock::WallClock;
use crate::domain::record::{RecordError, decode};
use crate::domain::token::TokenRecord;
use crate::domain::{Timestamp, User};
use crate::service::keys;
use crate::store::{Key, Store, StoreError};

/// Why a call was not admitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It carries no credentials.
    #[error(
        "this call needs a token: send the header `authorization: Bearer TOKEN`; the first admin token is in admin.token in the data directory of the control plane"
    )]
    Missing,
    /// Its authorization header is not of the form asked for.
    #[error("the authorization header must read `Bearer TOKEN`, and a token is {NotAToken}")]
    Malformed,
    /// The token is well formed, and known to nobody.
    #[error("this token is not known here: it was removed, or belongs to another installation")]
    Unknown,
    /// The token was good once.
    #[error("this token has ended; ask for a new one")]
    Ended,
    /// The token is sound but not for this.
    #[error("{} may not call {method}: {needed}", whoever_is(*role))]
    Forbidden {
        /// The highest role its holder has anywhere.
        role: Option<Role>,
        /// The path of the method.
        method: String,
        /// Which role it takes.
        needed: &'static str,
    },
    /// Tokens cannot be looked up now.
    #[error("tokens cannot be looked up now: {0}")]
    Unavailable(String),
}

/// Admits calls by the tokens in a store.
#[derive(Clone)]
pub struct Auth {
    store: Arc<dyn Store>,
    clock: WallClock,
}

impl Auth {
    /// By the tokens in `store`, as long as they last by `clock`.
    pub fn new(store: Arc<dyn Store>, clock: WallClock) -> Self {
        Self { store, clock }
    }

    /// Judges a call to the method at `path` (`/epr.v1.PackageService/GetPackage`) with the value of its
    /// authorization header. None is returned for methods that are open to everyone.
    ///
    /// What is judged here is whether the caller may do it anywhere. Whether in the project they mean is
    /// judged once it is known which.
    pub async fn admit(&self, path: &str, authorization: Option<&[u8]>) -> Result<Option<Caller>, AuthError> {
        let access = policy::access_of(path);
        if access == Access::Open {
            return Ok(None);
        }
        let caller = self.identify(authorization).await?;
        if !caller.may_somewhere(access) {
            let (role, method, needed) = (caller.most(), path.to_owned(), access.needed());
            return Err(AuthError::Forbidden { role, method, needed });
        }
        Ok(Some(caller))
    }

    /// Who sends this authorization header, whatever they are about to do.
    pub async fn identify(&self, authorization: Option<&[u8]>) -> Result<Caller, AuthError> {
        let token = from_header(authorization.ok_or(AuthError::Missing)?)?;
        let hash = token.hash();
        let record: TokenRecord =
            self.look_up("token", &keys::token(&hash)).await?.ok_or(AuthError::Unknown)?;
        if record.has_ended(Timestamp::from((self.clock)())) {
            return Err(AuthError::Ended);
        }
        let user: Option<User> = match &record.user {
            // The tokens of a user who is gone are gone with them.
            Some(guid) => Some(self.look_up("user", &keys::user(guid)).await?.ok_or(AuthError::Unknown)?),
            None => None,
        };
        Ok(Caller::new(record, user).by_token(&hash))
    }

    async fn look_up<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        key: &Key,
    ) -> Result<Option<T>, AuthError> {
        let found = self.store.get(key).await?;
        Ok(found.map(|found| decode(kind, &found.value)).transpose()?)
    }
}

fn whoever_is(role: Option<Role>) -> String {
    role.map_or("a user without a role".into(), |role| format!("a token of the role {role}"))
}

/// Reads the value of an authorization header (RFC 6750 2.1; the scheme in any case).
fn from_header(value: &[u8]) -> Result<Token, AuthError> {
    let text = std::str::from_utf8(value).map_err(|_| AuthError::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(AuthError::Malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(AuthError::Malformed);
    }
    Token::parse(token).map_err(|NotAToken| AuthError::Malformed)
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<RecordError> for AuthError {
    fn from(error: RecordError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guid::tests::Counting;

    #[test]
    fn a_token_comes_back_from_a_header() {
        let token = Token::draw(&Counting::default()).unwrap();
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let header = format!("{scheme} {}", token.secret());
            assert_eq!(from_header(header.as_bytes()), Ok(token.clone()));
        }
        for bad in ["", "Bearer", "Bearer ", "Basic eA==", "Bearer epr_short", token.secret()] {
            assert_eq!(from_header(bad.as_bytes()), Err(AuthError::Malformed), "{bad:?}");
        }
        assert_eq!(from_header(b"Bearer \xff"), Err(AuthError::Malformed));
    }
}
