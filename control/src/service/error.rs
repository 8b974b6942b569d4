use std::fmt;

use crate::domain::text::shortened;
use crate::domain::{Broken, Faults, NoChance, RecordError};
use crate::store::{CommitError, StoreError};

/// Most bytes of what somebody asked for that are said back to them.
const LONGEST_NAME: usize = 256;

/// Every way a use case can end badly.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The input breaks rules, whatever is stored.
    #[error("{0}")]
    Invalid(Faults),
    /// The name is taken.
    #[error("{0}")]
    AlreadyExists(Faults),
    /// The input is sound; what is stored stands against it.
    #[error("{0}")]
    Refused(Faults),
    /// There is no such thing.
    #[error("there is no {kind} {name:?}{}", kind.place())]
    NotFound {
        /// What kind of thing.
        kind: Kind,
        /// What it was called.
        name: String,
    },
    /// The caller may see it, and not do this.
    #[error("{0}")]
    Forbidden(String),
    /// Others kept changing what this relied on.
    #[error(
        "{what} was changed by others {attempts} times in a row while this was judged; nothing was done, try again"
    )]
    Concurrent {
        /// What.
        what: &'static str,
        /// How often this was tried.
        attempts: u32,
    },
    /// More than one commit may carry.
    #[error("this is too large: {0}")]
    TooLarge(String),
    /// The store failed, and says itself whether anything may have been done.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// No random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
}

/// What kinds of things there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A package.
    Package,
    /// A deployment.
    Deployment,
    /// A static route.
    StaticRoute,
    /// A runtime's lease.
    Lease,
    /// A secret.
    Secret,
    /// A project.
    Project,
    /// An organization.
    Organization,
    /// A user.
    User,
    /// A token.
    Token,
    /// What finds others by their names and guids.
    Index,
}

impl Kind {
    /// As people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Deployment => "deployment",
            Self::StaticRoute => "static route",
            Self::Lease => "lease",
            Self::Secret => "secret",
            Self::Project => "project",
            Self::Organization => "organization",
            Self::User => "user",
            Self::Token => "token",
            Self::Index => "index",
        }
    }

    /// Where it is not. What the caller may not see is told apart from what is not there by nobody.
    fn place(self) -> &'static str {
        match self {
            Self::Package | Self::Deployment | Self::StaticRoute | Self::Lease | Self::Secret => {
                " in this project"
            }
            Self::Project | Self::Organization => " in which you have a role",
            Self::User | Self::Token => " that you may see",
            Self::Index => "",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error {
    /// There is no `kind` called `name`.
    pub(super) fn not_found(kind: Kind, name: &str) -> Self {
        Self::NotFound { kind, name: shortened(name.to_owned(), LONGEST_NAME) }
    }

    /// One thing that stands against it.
    pub(super) fn refused(field: &str, rule: &'static str, message: impl Into<String>) -> Self {
        Self::Refused(Faults::one(field, rule, message))
    }

    /// One field that breaks a rule.
    pub(super) fn invalid(field: &str, broken: Broken) -> Self {
        Self::Invalid(Faults::one(field, broken.rule, broken.message))
    }

    /// What `invalid`, `taken` and `refused` come to, all told at once under the first kind that is not
    /// empty; nothing when all are.
    pub(super) fn of(mut invalid: Faults, mut taken: Faults, refused: Faults) -> Result<(), Self> {
        if !invalid.is_empty() {
            invalid.extend(taken);
            invalid.extend(refused);
            return Err(Self::Invalid(invalid));
        }
        if !taken.is_empty() {
            taken.extend(refused);
            return Err(Self::AlreadyExists(taken));
        }
        if refused.is_empty() { Ok(()) } else { Err(Self::Refused(refused)) }
    }
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => Self::Store(error),
            // A conflict is met where it can be answered; here it means that nobody did.
            CommitError::Conflict { .. } => Self::Concurrent { what: "a record", attempts: 1 },
            CommitError::TooLarge { .. } | CommitError::Repeated(_) => Self::TooLarge(error.to_string()),
        }
    }
}
