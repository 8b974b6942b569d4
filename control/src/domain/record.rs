//! What stands in the store, and where.

use std::borrow::Cow;

use proto::ProjectId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::label::Label;
use super::{DeploymentGuid, LeaseId, RandomLabel, StaticRouteLabel, Timestamp};

/// The first part of all keys that belong to a project; its guid is the second.
pub const PROJECT: &str = "project";
/// `project/P/package/NAME/VERSION` holds a [`super::Package`].
pub const PACKAGE: &str = "package";
/// `project/P/package-use/NAME/VERSION/DEPLOYMENT` is there while that live deployment uses the package.
pub const PACKAGE_USE: &str = "package-use";
/// `project/P/deployment/GUID` holds a [`super::Deployment`].
pub const DEPLOYMENT: &str = "deployment";
/// `project/P/deployment-name/NAME` holds a [`NameIndex`].
pub const DEPLOYMENT_NAME: &str = "deployment-name";
/// `project/P/dependencies` holds the guid of the deployment that last began, by an update, to depend on
/// another: whoever would close a circle of dependencies relies on it.
pub const DEPENDENCIES: &str = "dependencies";
/// `project/P/static-route/LABEL` holds a [`super::StaticRoute`].
pub const STATIC_ROUTE: &str = "static-route";
/// `project/P/lease/ID` holds a [`super::Lease`].
pub const LEASE: &str = "lease";
/// `project/P/secret/NAME` holds a [`super::Secret`].
pub const SECRET: &str = "secret";
/// `project/P/guid/GUID` holds a [`GuidIndex`].
pub const GUID: &str = "guid";
/// `label/LABEL` holds a [`Claim`]: the one owner a label has across the platform.
pub const LABEL: &str = "label";
/// `released/TIME/LABEL` holds a [`Released`]: in the order of time, what of a deployment was given up,
/// the first of its labels in the key.
pub const RELEASED: &str = "released";
/// `backend-address/ADDRESS` holds an [`AddressOwner`]: the one project whose deployments may use it.
pub const BACKEND_ADDRESS: &str = "backend-address";
/// `route-count/ORGANIZATION` holds a [`RouteCount`], where there may be only so many.
pub const ROUTE_COUNT: &str = "route-count";

/// `project-record/GUID` holds a [`super::Project`]. It stands apart, so that everything under
/// `project/GUID/` is what the project holds.
pub const PROJECT_RECORD: &str = "project-record";
/// `project-name/NAME/ORGANIZATION` holds the guid of the project that has the name there.
pub const PROJECT_NAME: &str = "project-name";
/// `project-closed/GUID` is there from the moment a project is about to be deleted: nothing is written
/// into it any more.
pub const PROJECT_CLOSED: &str = "project-closed";
/// `organization/GUID` holds a [`super::Organization`].
pub const ORGANIZATION: &str = "organization";
/// `organization-name/NAME` holds the guid of the organization that has the name.
pub const ORGANIZATION_NAME: &str = "organization-name";
/// `organization-short/ID` holds the guid of the organization that has the short id.
pub const ORGANIZATION_SHORT: &str = "organization-short";
/// `user/GUID` holds a [`super::User`].
pub const USER: &str = "user";
/// `user-email/EMAIL` holds the guid of the user who has it.
pub const USER_EMAIL: &str = "user-email";
/// `token/HASH` holds a [`super::token::TokenRecord`].
pub const TOKEN: &str = "token";
/// `token-name/OWNER/NAME` holds the hash of the token its owner (the guid of a user or of a machine's only
/// project, or `-`) calls so.
pub const TOKEN_NAME: &str = "token-name";
/// `installation` holds a [`super::user::Installation`].
pub const INSTALLATION: &str = "installation";

/// What the format of today's records is called.
const FORMAT: u32 = 1;

/// A record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a stored {kind} cannot be read: {reason}")]
pub struct RecordError {
    /// What it should be.
    pub kind: &'static str,
    /// Why it is not.
    pub reason: String,
}

/// Who owns a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// The static route of that name in this project.
    StaticRoute {
        /// The project's guid.
        #[serde(with = "super::text::as_project")]
        project: ProjectId,
    },
    /// An endpoint of this deployment.
    RandomRoute {
        /// The deployment.
        deployment: DeploymentGuid,
    },
    /// Nobody any more, for as long as its tombstone stands: whoever still knows a random route of old must
    /// not come out at another deployment.
    Released {
        /// When it was given up.
        at: Timestamp,
    },
}

/// Random labels that were given up together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// When.
    pub at: Timestamp,
    /// Each has a claim [`Claim::Released`] of the same time.
    pub labels: Vec<RandomLabel>,
}

/// The project that an address belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressOwner {
    /// Its deployments may use the address.
    #[serde(with = "super::text::as_project")]
    pub project: ProjectId,
    /// It is about to be taken from the project, unless that begins to use it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contested: bool,
}

/// How many static routes the projects of an organization have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteCount {
    /// This many.
    pub used: u32,
}

/// Which deployments have or had a name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NameIndex {
    /// The one that has it.
    pub live: Option<DeploymentGuid>,
    /// The last one stopped that had it.
    pub last_stopped: Option<DeploymentGuid>,
}

/// Where the resource with a guid stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuidIndex {
    /// A version of a package.
    Package {
        /// Its name.
        name: super::PackageName,
        /// Its version.
        version: super::Version,
    },
    /// A static route.
    StaticRoute {
        /// Its name.
        label: StaticRouteLabel,
    },
    /// A secret.
    Secret {
        /// Its name.
        name: super::SecretName,
    },
}

/// Records that routes depend on, by the key they stand under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A deployment.
    Deployment(DeploymentGuid),
    /// A static route.
    StaticRoute(Label),
    /// A lease.
    Lease(LeaseId),
}

impl Place {
    /// The place whose key has these parts; none for keys that no route depends on.
    pub fn of<'a>(parts: impl IntoIterator<Item = Cow<'a, str>>) -> Option<Self> {
        let parts: Vec<Cow<'a, str>> = parts.into_iter().take(5).collect();
        let [first, _project, kind, id] = parts.as_slice() else {
            return None;
        };
        if first != PROJECT {
            return None;
        }
        match kind.as_ref() {
            DEPLOYMENT => DeploymentGuid::parse(id).ok().map(Self::Deployment),
            STATIC_ROUTE => Label::parse(id).ok().map(Self::StaticRoute),
            LEASE => LeaseId::parse(id).ok().map(Self::Lease),
            _ => None,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    format: u32,
    record: T,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// What is stored for `record`.
pub fn encode<T: Serialize + ?Sized>(kind: &'static str, record: &T) -> Result<Vec<u8>, RecordError> {
    serde_json::to_vec(&Envelope { format: FORMAT, record })
        .map_err(|error| RecordError { kind, reason: error.to_string() })
}

/// The record that was stored as `bytes`.
pub fn decode<T: DeserializeOwned>(kind: &'static str, bytes: &[u8]) -> Result<T, RecordError> {
    let error = match serde_json::from_slice::<Envelope<T>>(bytes) {
        Ok(envelope) if envelope.format == FORMAT => return Ok(envelope.record),
        Ok(_) => None,
        Err(error) => Some(error),
    };
    let format = serde_json::from_slice::<FormatOnly>(bytes).map(|only| only.format);
    let reason = match (format, error) {
        (Ok(format), _) if format != FORMAT => {
            format!("it has format {format}, and this version of epr knows {FORMAT}; start a newer one")
        }
        (_, Some(error)) => error.to_string(),
        (_, None) => "it has no format".to_owned(),
    };
    Err(RecordError { kind, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_their_keys() {
        let place = |text: &str| Place::of(text.split('/').map(Cow::from));
        assert_eq!(
            place("project/p/static-route/shop"),
            Some(Place::StaticRoute(Label::parse("shop").unwrap()))
        );
        let guid = DeploymentGuid::parse("dep-aaaaaaaaaaaaaaaaaaaa").unwrap();
        assert_eq!(place("project/p/deployment/dep-aaaaaaaaaaaaaaaaaaaa"), Some(Place::Deployment(guid)));
        for other in
            ["token/abc", "label/shop", "project/p/package/a/1", "project/p/static-route/shop/more", ""]
        {
            assert_eq!(place(other), None, "{other}");
        }
    }

    #[test]
    fn a_newer_format_is_told_from_a_broken_record() {
        let index = NameIndex::default();
        let stored = encode("name", &index).unwrap();
        assert_eq!(decode("name", &stored), Ok(index));
        let newer = decode::<NameIndex>("name", br#"{"format":2,"record":{"other":1}}"#).unwrap_err();
        assert!(newer.reason.contains("format 2"), "{newer}");
        let broken = decode::<NameIndex>("name", br#"{"format":1,"record":{"live":"dep-x"}}"#).unwrap_err();
        assert!(broken.reason.contains("guid"), "{broken}");
        assert!(decode::<NameIndex>("name", b"\xff").is_err());
    }
}
