use super::Level;
use crate::domain::UserGuid;

/// Most memberships of one user.
pub const MOST_MEMBERSHIPS: usize = 500;

/// A user as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct UserDraft {
    /// How they are called; capitals do not count.
    pub email: String,
    /// What they are to be where.
    pub roles: RolesDraft,
    /// Who asks.
    pub creator: Option<UserGuid>,
}

/// What a user is to be where, as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct RolesDraft {
    /// In the whole installation.
    pub installation: Option<Level>,
    /// In organizations and projects.
    pub memberships: Vec<MembershipDraft>,
}

/// A role in one place, as someone wrote it.
#[derive(Debug, Clone)]
pub struct MembershipDraft {
    /// Path of its field.
    pub field: String,
    /// Where.
    pub place: WhereDraft,
    /// What they are there.
    pub level: Level,
}

/// A place, as someone wrote it: by guid or name.
#[derive(Debug, Clone)]
pub enum WhereDraft {
    /// An organization, and all its projects.
    Organization(String),
    /// One project.
    Project(String),
}
