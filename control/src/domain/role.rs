//! What somebody may do.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a user may do somewhere: in the installation, an organization or a project. Who may more may
/// what those below them may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Reads.
    Viewer,
    /// Creates, changes and deletes resources.
    Developer,
    /// Everything; members and their tokens too.
    Admin,
}

/// What the holder of a token may do at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Whatever its user may.
    Admin,
    /// What a developer may, where its user may as much.
    Developer,
    /// Reads, where its user may.
    Viewer,
    /// Follows the route feed, nothing else.
    Proxy,
    /// Watches deployments, reports on them and gets their secrets, nothing else.
    Runtime,
}

/// What it takes to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Open,
    /// Any token.
    Anyone,
    /// The role of proxies.
    Feed,
    /// The role of runtimes, or an admin.
    Run,
    /// A role that reads.
    Read,
    /// A role that changes.
    Change,
    /// The role of admins.
    Manage,
}

impl Role {
    /// How much it lets a user do; none for those of machines.
    pub fn level(self) -> Option<Level> {
        match self {
            Self::Admin => Some(Level::Admin),
            Self::Developer => Some(Level::Developer),
            Self::Viewer => Some(Level::Viewer),
            Self::Proxy | Self::Runtime => None,
        }
    }
}

impl From<Level> for Role {
    fn from(level: Level) -> Self {
        match level {
            Level::Admin => Self::Admin,
            Level::Developer => Self::Developer,
            Level::Viewer => Self::Viewer,
        }
    }
}

impl Access {
    /// Whether a token of `role` may do it at all. Where, and how much its user may there, is judged
    /// when it is known which project is meant ([`super::Caller::may`]).
    pub fn admits(self, role: Role) -> bool {
        match self {
            Self::Open | Self::Anyone => true,
            Self::Feed => role == Role::Proxy,
            Self::Run => matches!(role, Role::Runtime | Role::Admin),
            Self::Read | Self::Change | Self::Manage => {
                role.level().is_some_and(|level| level >= self.least())
            }
        }
    }

    /// What a user must be for it.
    pub fn least(self) -> Level {
        match self {
            Self::Open | Self::Anyone | Self::Read => Level::Viewer,
            Self::Change => Level::Developer,
            Self::Feed | Self::Run | Self::Manage => Level::Admin,
        }
    }

    /// Which role it takes, for the one who has another.
    pub fn needed(self) -> &'static str {
        match self {
            Self::Open | Self::Anyone => "any role will do",
            Self::Feed => "it takes the role proxy, like the token in proxy.token",
            Self::Run => "it takes the role runtime, like the token in runtime.token, or admin",
            Self::Read => "it takes the role viewer, developer or admin",
            Self::Change => "it takes the role developer or admin",
            Self::Manage => "it takes the role admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
            Self::Proxy => "proxy",
            Self::Runtime => "runtime",
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Role::from(*self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_do_no_more_than_they_should() {
        let all = [Access::Feed, Access::Run, Access::Read, Access::Change, Access::Manage];
        let may = |role| all.map(|access| access.admits(role));
        assert_eq!(may(Role::Admin), [false, true, true, true, true]);
        assert_eq!(may(Role::Developer), [false, false, true, true, false]);
        assert_eq!(may(Role::Viewer), [false, false, true, false, false]);
        assert_eq!(may(Role::Proxy), [true, false, false, false, false]);
        assert_eq!(may(Role::Runtime), [false, true, false, false, false]);
    }
}
