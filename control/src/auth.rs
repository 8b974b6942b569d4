//! Who calls, and what they may do.
//!
//! - [`Token`]: what callers send; the store keeps only its hash.
//! - [`Auth::admit`]: from a call's path and credentials to its [`Caller`], or why not.
//! - [`AuthLayer`]: does that in front of every service, whatever the transport calls an error.
//! - [`first_tokens`]: the token files a new installation begins with.
//!
//! Architecture invariant: a token is looked up on every call, so that a removed one is refused at once.

mod files;
mod layer;
mod policy;
mod token;

pub use files::{TokenFileError, TokenFiles, first_tokens};
pub use layer::{AuthLayer, Guarded};
pub use policy::Role;
pub use token::{NotAToken, Token};

use std::sync::Arc;

use proto::ProjectId;

use self::policy::Access;
use self::token::Record;
use crate::domain::record::{RecordError, decode};
use crate::store::{Store, StoreError};

/// Who calls: found in the extensions of every request that was admitted with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// What they may do.
    pub role: Role,
    /// The project they act in unless they name another.
    pub project: ProjectId,
    /// What their token is called, for the log.
    pub name: Arc<str>,
}

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
    /// The token is sound but not for this.
    #[error("a token of the role {role} may not call {method}: {needed}")]
    Forbidden {
        /// The role of the token.
        role: Role,
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
}

impl Auth {
    /// By the tokens in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Judges a call to the method at `path` (`/epr.v1.PackageService/GetPackage`) with the value of its
    /// authorization header. None is returned for methods that are open to everyone.
    pub async fn admit(&self, path: &str, authorization: Option<&[u8]>) -> Result<Option<Caller>, AuthError> {
        let access = Access::of(path);
        if access == Access::Open {
            return Ok(None);
        }
        let token = Token::from_header(authorization.ok_or(AuthError::Missing)?)?;
        let record = self.look_up(&token).await?.ok_or(AuthError::Unknown)?;
        if !access.admits(record.role) {
            let (role, method, needed) = (record.role, path.to_owned(), access.needed());
            return Err(AuthError::Forbidden { role, method, needed });
        }
        Ok(Some(Caller { role: record.role, project: record.project, name: record.name.into() }))
    }

    async fn look_up(&self, token: &Token) -> Result<Option<Record>, AuthError> {
        let found = self.store.get(&token.key()).await?;
        Ok(found.map(|found| decode("token", &found.value)).transpose()?)
    }
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
