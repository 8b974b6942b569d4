//! Organizations, projects, users and tokens, in and out.

use std::time::Duration;

use proto::wire;

use super::{known, labels_in, labels_out, timestamp};
use crate::domain::organization::{OrganizationDraft, Subscription};
use crate::domain::project::ProjectDraft;
use crate::domain::user::{MembershipDraft, RolesDraft, UserDraft, Where, WhereDraft};
use crate::domain::{At, Faults, Level, Organization, Role, User, UserGuid};
use crate::service::{SeenProject, SeenToken, TokenDraft, WhoIs};

/// The draft of an organization, and what in it means nothing here.
pub(crate) fn organization_draft(
    organization: wire::Organization,
    creator: Option<UserGuid>,
) -> (OrganizationDraft, Faults) {
    let mut faults = Faults::new();
    let metadata = organization.metadata.unwrap_or_default();
    let asked = known::<wire::Subscription>(organization.subscription, "subscription", &mut faults);
    let static_routes = organization.static_routes;
    let subscription = match asked.unwrap_or_default() {
        wire::Subscription::Unspecified => Subscription::Unlimited,
        wire::Subscription::Community => Subscription::Community,
        wire::Subscription::Professional => Subscription::Professional,
        wire::Subscription::Enterprise => Subscription::Enterprise { static_routes },
    };
    if static_routes != 0 && !matches!(subscription, Subscription::Enterprise { .. }) {
        let message = "can be chosen with the subscription enterprise alone; leave it out";
        faults.add("static_routes", "static_routes_fixed", message);
    }
    let (name, labels) = (metadata.name, labels_in(metadata.labels));
    (OrganizationDraft { name, labels, subscription, creator }, faults)
}

/// The message of an organization that has so many static routes.
pub(crate) fn organization(organization: Organization, static_routes_used: u32) -> wire::Organization {
    let (subscription, static_routes) = match organization.subscription {
        Subscription::Unlimited => (wire::Subscription::Unspecified, 0),
        Subscription::Community => (wire::Subscription::Community, 0),
        Subscription::Professional => (wire::Subscription::Professional, 0),
        Subscription::Enterprise { static_routes } => (wire::Subscription::Enterprise, static_routes),
    };
    wire::Organization {
        metadata: Some(wire::Metadata {
            name: organization.name.to_string(),
            guid: organization.guid.to_string(),
            labels: labels_out(organization.labels),
            created_at: timestamp(organization.created_at),
            updated_at: timestamp(organization.updated_at),
            creator: organization.creator.map(String::from).unwrap_or_default(),
            ..Default::default()
        }),
        short_guid: organization.short_id.to_string(),
        subscription: subscription.into(),
        static_routes,
        static_routes_used,
    }
}

/// The draft of a project.
pub(crate) fn project_draft(project: wire::Project, creator: Option<UserGuid>) -> ProjectDraft {
    let metadata = project.metadata.unwrap_or_default();
    let (name, labels) = (metadata.name, labels_in(metadata.labels));
    ProjectDraft { name, organization: project.organization, labels, creator }
}

/// The message of a project.
pub(crate) fn project(seen: SeenProject) -> wire::Project {
    let project = seen.project;
    wire::Project {
        metadata: Some(wire::Metadata {
            name: project.name.to_string(),
            guid: project.guid.to_string(),
            project: project.guid.to_string(),
            labels: labels_out(project.labels),
            created_at: timestamp(project.created_at),
            // A project never changes.
            updated_at: timestamp(project.created_at),
            creator: project.creator.map(String::from).unwrap_or_default(),
        }),
        organization: project.organization.to_string(),
        organization_name: seen.organization_name.map(String::from).unwrap_or_default(),
    }
}

/// The draft of a user, and what in it means nothing here.
pub(crate) fn user_draft(user: wire::User, creator: Option<UserGuid>) -> (UserDraft, Faults) {
    let (roles, faults) = roles_draft(user.role, user.memberships);
    (UserDraft { email: user.email, roles, creator }, faults)
}

/// The roles asked for, and what in them means nothing here.
pub(crate) fn roles_draft(role: i32, memberships: Vec<wire::Membership>) -> (RolesDraft, Faults) {
    let mut faults = Faults::new();
    let installation = level_in(role, "role", &mut faults);
    let list = At::named("memberships");
    let asked = memberships.into_iter().enumerate();
    let drafts = asked.filter_map(|(i, membership)| {
        let at = list.index(i);
        let level = level_in(membership.role, at.field("role"), &mut faults);
        if membership.role == wire::Role::Unspecified as i32 {
            let message = "a membership needs a role: admin, developer or viewer";
            faults.add(at.field("role"), "role_required", message);
        }
        let place = match membership.r#where {
            Some(wire::membership::Where::Organization(name)) => WhereDraft::Organization(name),
            Some(wire::membership::Where::Project(name)) => WhereDraft::Project(name),
            None => {
                faults.add(at, "membership_place", "a membership is one of an organization or of a project");
                return None;
            }
        };
        Some(MembershipDraft { field: at.to_string(), place, level: level? })
    });
    let memberships = drafts.collect();
    (RolesDraft { installation, memberships }, faults)
}

fn level_in(role: i32, field: impl std::fmt::Display, faults: &mut Faults) -> Option<Level> {
    let role = known::<wire::Role>(role, &field, faults).and_then(role_in)?;
    let level = role.level();
    if level.is_none() {
        let message = format!("{role} is a role of tokens; users are admin, developer or viewer");
        faults.add(field, "role_of_tokens", message);
    }
    level
}

fn role_in(role: wire::Role) -> Option<Role> {
    match role {
        wire::Role::Unspecified => None,
        wire::Role::Admin => Some(Role::Admin),
        wire::Role::Developer => Some(Role::Developer),
        wire::Role::Viewer => Some(Role::Viewer),
        wire::Role::Proxy => Some(Role::Proxy),
        wire::Role::Runtime => Some(Role::Runtime),
    }
}

fn role_out(role: Role) -> wire::Role {
    match role {
        Role::Admin => wire::Role::Admin,
        Role::Developer => wire::Role::Developer,
        Role::Viewer => wire::Role::Viewer,
        Role::Proxy => wire::Role::Proxy,
        Role::Runtime => wire::Role::Runtime,
    }
}

/// The message of a user.
pub(crate) fn user(user: User) -> wire::User {
    let membership = |membership: crate::domain::user::Membership| wire::Membership {
        r#where: Some(match membership.place {
            Where::Organization(guid) => wire::membership::Where::Organization(guid.to_string()),
            Where::Project(guid) => wire::membership::Where::Project(guid.to_string()),
        }),
        role: role_out(membership.level.into()).into(),
    };
    wire::User {
        metadata: Some(wire::Metadata {
            name: user.email.to_string(),
            guid: user.guid.to_string(),
            created_at: timestamp(user.created_at),
            updated_at: timestamp(user.updated_at),
            creator: user.creator.map(String::from).unwrap_or_default(),
            ..Default::default()
        }),
        email: user.email.to_string(),
        role: user.roles.installation.map(|level| role_out(level.into()).into()).unwrap_or_default(),
        memberships: user.roles.memberships.into_iter().map(membership).collect(),
    }
}

/// The token asked for, and what in it means nothing here.
pub(crate) fn token_draft(request: wire::CreateTokenRequest) -> (TokenDraft, Faults) {
    let mut faults = Faults::new();
    let role = known::<wire::Role>(request.role, "role", &mut faults).and_then(role_in);
    let lifetime = request.lifetime.map(Duration::try_from).and_then(|lifetime| {
        let message = "must be a span of time, and not a negative one";
        lifetime.map_err(|_| faults.add("lifetime", "lifetime", message)).ok()
    });
    let wire::CreateTokenRequest { name, user, project, .. } = request;
    (TokenDraft { name, user, role, lifetime, project }, faults)
}

/// The message of a token.
pub(crate) fn token(token: SeenToken) -> wire::Token {
    wire::Token {
        id: token.id,
        name: token.name,
        user: token.user.map(String::from).unwrap_or_default(),
        role: token.role.map(|role| role_out(role).into()).unwrap_or_default(),
        project: token.project.to_string(),
        created_at: timestamp(token.created_at),
        expires_at: token.expires_at.and_then(timestamp),
    }
}

/// Who the caller is.
pub(crate) fn who(who: WhoIs) -> wire::WhoAmIResponse {
    wire::WhoAmIResponse {
        user: who.user.map(user),
        role: role_out(who.role).into(),
        token_name: who.token_name,
        project: who.project.to_string(),
    }
}
