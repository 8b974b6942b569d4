use std::fmt;

/// The kinds of resource that manifests declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An application.
    Package,
    /// A package put to work.
    Deployment,
    /// A host name that outlives deployments.
    StaticRoute,
    /// What is kept from everybody but runtimes.
    Secret,
    /// What all of them belong to.
    Project,
}

/// Kinds of the real client that epr does not serve.
const ELSEWHERE: [&str; 9] = [
    "Device",
    "Disk",
    "ManagedService",
    "Network",
    "Organization",
    "Role",
    "RoleBinding",
    "ServiceAccount",
    "UserGroup",
];

impl Kind {
    /// All of them, in the order in which none is missed by those before it when they go away: the last is
    /// created first.
    pub const ALL: [Self; 5] =
        [Self::Deployment, Self::Package, Self::StaticRoute, Self::Secret, Self::Project];

    /// As manifests spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Package => "Package",
            Self::Deployment => "Deployment",
            Self::StaticRoute => "StaticRoute",
            Self::Secret => "Secret",
            Self::Project => "Project",
        }
    }

    /// The kind that `word` spells; case, `-` and `_` do not matter. The error says what would be right.
    pub fn parse(word: &str) -> Result<Self, String> {
        let bare = |word: &str| word.replace(['-', '_'], "").to_ascii_lowercase();
        let wanted = bare(word);
        if let Some(kind) = Self::ALL.into_iter().find(|kind| bare(kind.as_str()) == wanted) {
            return Ok(kind);
        }
        let verdict = match ELSEWHERE.iter().find(|known| bare(known) == wanted) {
            Some(known) => format!("{known} is not supported"),
            None => format!("{word:?} is no kind of resource"),
        };
        Err(format!("{verdict}; supported are Package, Deployment, StaticRoute, Secret and Project"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_however_they_are_spelt() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(&kind.to_string()), Ok(kind));
        }
        assert_eq!(Kind::parse("static-route"), Ok(Kind::StaticRoute));
        assert_eq!(Kind::parse("static_ROUTE"), Ok(Kind::StaticRoute));
        assert!(Kind::parse("disk").unwrap_err().starts_with("Disk is not supported"));
        assert!(Kind::parse("Pakage").unwrap_err().starts_with("\"Pakage\" is no kind"));
    }
}
