use std::fmt;
use std::path::PathBuf;

/// What is wrong with a file that should hold a certificate or a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fault {
    /// The file to look at.
    pub file: PathBuf,
    /// Its kind, for who counts.
    pub reason: Reason,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It can't be read.
    Unreadable,
    /// It holds something else.
    Malformed,
    /// Others than its owner may read it.
    Exposed,
    /// The certificate is good for no DNS name.
    NoNames,
    /// The key is another certificate's.
    KeyMismatch,
    /// The certificate's time is over.
    Expired,
    /// The certificate's time has not come.
    NotYetValid,
    /// Another certificate is for the same name.
    DuplicateName,
    /// A directory holds no certificate, or too many.
    Count,
}

impl Reason {
    /// Its stable name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Malformed => "malformed",
            Self::Exposed => "exposed",
            Self::NoNames => "no_names",
            Self::KeyMismatch => "key_mismatch",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::DuplicateName => "duplicate_name",
            Self::Count => "count",
        }
    }
}

impl Fault {
    pub(crate) fn new(file: impl Into<PathBuf>, reason: Reason, problem: impl Into<String>) -> Self {
        Self { file: file.into(), reason, problem: problem.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.problem)
    }
}

impl std::error::Error for Fault {}

/// Each on a line of its own when there are several.
pub(crate) struct Lines<'a>(pub(crate) &'a [Fault]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0 {
            return only.fmt(f);
        }
        write!(f, "{} things are wrong with the certificates:", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}
