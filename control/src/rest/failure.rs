//! Every way a request can end badly.

use std::fmt;

use proto::manifest::Fault;

use crate::auth::AuthError;
use crate::domain::RecordError;
use crate::service::Error;

/// Why a request is not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Nobody, or somebody who may not.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The use case says so.
    #[error(transparent)]
    Service(#[from] Error),
    /// The body says what no resource can be.
    #[error("{}", Lines(.0))]
    Manifest(Vec<Fault>),
    /// The request itself is malformed.
    #[error("{0}")]
    Malformed(String),
    /// The body is none of JSON's.
    #[error("send the body as application/json, not {0:?}")]
    NotJson(String),
    /// The body is larger than is read.
    #[error("the body is larger than {most} bytes")]
    TooLarge {
        /// The bound.
        most: usize,
    },
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The work took longer than anybody waits.
    #[error("this took too long and was given up; it may or may not have been done: look, then try again")]
    Overdue,
    /// No such path.
    #[error("there is nothing at {path}; {hint}")]
    NoSuchPath {
        /// As it was asked for.
        path: String,
        /// What there is.
        hint: &'static str,
    },
    /// The path is there, what is asked of it is not.
    #[error("{method} is not served at {path}")]
    NoSuchMethod {
        /// As it was asked.
        method: String,
        /// Where.
        path: String,
    },
    /// A stored record cannot be shown.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl Failure {
    /// Something is wrong with one part of the request.
    pub(super) fn malformed(what: impl fmt::Display) -> Self {
        Self::Malformed(what.to_string())
    }
}

/// Faults, one after the other, each with its field.
struct Lines<'f>(&'f [Fault]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{}", fault.plain())?;
        }
        Ok(())
    }
}
