use std::io;
use std::path::PathBuf;

use crate::fault::{Fault, Lines};

/// Why certificates can't be made, loaded or used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CertsError {
    /// A file or directory can't be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// "write", "create".
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Files hold something else than they should: all that is wrong, at least one fault.
    #[error("{}", Lines(.0))]
    Files(Vec<Fault>),
    /// One file of a pair is there without the other.
    #[error("{} is there but {} is not; restore it, or delete the first to have both made anew",
        present.display(), missing.display())]
    HalfPair {
        /// The file that is there.
        present: PathBuf,
        /// The file that is not.
        missing: PathBuf,
    },
    /// A certificate could not be generated.
    #[error("cannot generate a certificate: {0}")]
    Generate(#[from] rcgen::Error),
    /// rustls refused a configuration.
    #[error("cannot configure TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The system has no randomness.
    #[error("cannot make keys for session tickets: the system gave no random bytes")]
    NoRandomness,
}

impl CertsError {
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}

impl From<Fault> for CertsError {
    fn from(fault: Fault) -> Self {
        Self::Files(vec![fault])
    }
}
