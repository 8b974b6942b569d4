//! What a request says, read once: who calls, what the path and the query name, where the body is.

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use http::header::AUTHORIZATION;
use http::request::Parts as Head;
use http::{HeaderMap, HeaderName, Method};
use proto::manifest::render::{Answers, Owner};
use proto::{ProjectId, wire};

use super::Parts;
use super::failure::Failure;
use super::query::Query;
use crate::auth::{Access, AuthError, Caller};
use crate::service::SeenProject;

/// The organization a request is about, by its guid.
const ORGANIZATION: HeaderName = HeaderName::from_static("organizationguid");
/// The project a request is about, by its guid.
const PROJECT: HeaderName = HeaderName::from_static("project");

/// A request of somebody who is known.
pub(super) struct Call {
    /// Who.
    pub(super) caller: Caller,
    /// What stands behind the question mark.
    pub(super) query: Query,
    /// What the path names, if it does.
    pub(super) name: String,
    /// What the body is said to be.
    pub(super) content_type: Option<String>,
    organization: String,
    project: String,
    access: Access,
    head: Head,
}

impl Call {
    /// Looks its caller up again: what they may do can have ended while their body was on its way.
    pub(super) async fn renew(&mut self, parts: &Parts) -> Result<(), Failure> {
        self.caller = admit(&self.head, parts).await.inspect_err(|_| {
            parts.refusals.inc();
        })?;
        Ok(())
    }

    /// The project this request acts in, where its caller may do what its method does.
    pub(super) async fn project(&self, parts: &Parts) -> Result<Within, Failure> {
        let id = parts.service.project_for(&self.caller, &self.project, self.access).await?;
        let seen = parts.service.get_project(&self.caller, id.as_str()).await?;
        self.check_organization(&seen)?;
        let owner = Owner {
            organization_guid: seen.project.organization.to_string(),
            organization_name: seen.organization_name.map(|name| name.to_string()).unwrap_or_default(),
            project_name: seen.project.name.to_string(),
        };
        Ok(Within { id, owner })
    }

    /// Refuses a request that says its project belongs to another organization: one of the two is not what
    /// was meant.
    pub(super) fn check_organization(&self, seen: &SeenProject) -> Result<(), Failure> {
        let guid = seen.project.organization.as_str();
        let name = seen.organization_name.as_ref().map_or("", |name| name.as_str());
        if [guid, name, ""].contains(&self.organization()) {
            return Ok(());
        }
        Err(Failure::malformed(format_args!(
            "the project {} belongs to the organization {name} ({guid}), not to {:?}: mend the header \
             organizationguid, or leave it out",
            seen.project.name, self.organization
        )))
    }

    /// The organization this request is about; empty when it does not say.
    pub(super) fn organization(&self) -> &str {
        &self.organization
    }
}

/// The project a request acts in.
pub(super) struct Within {
    /// Its guid.
    pub(super) id: ProjectId,
    owner: Owner,
}

impl Within {
    /// Refuses a body that says it belongs to another project: one of the two is not what was meant.
    pub(super) fn check(&self, metadata: Option<&wire::Metadata>) -> Result<(), Failure> {
        let said = metadata.map(|metadata| metadata.project.as_str()).unwrap_or_default();
        let (id, name) = (self.id.as_str(), self.owner.project_name.as_str());
        if ["", id, name].contains(&said) {
            return Ok(());
        }
        Err(Failure::malformed(format_args!(
            "metadata.project: {said:?} is not the project this request acts in, {name} ({id}); say in the header \
             project which one is meant"
        )))
    }

    /// Writes what belongs to it.
    pub(super) fn answers(&self) -> Answers<'_> {
        Answers::of(&self.owner)
    }
}

impl FromRequestParts<Parts> for Call {
    type Rejection = Failure;

    async fn from_request_parts(head: &mut Head, parts: &Parts) -> Result<Self, Failure> {
        let caller = admit(head, parts).await.inspect_err(|_| {
            parts.refusals.inc();
        })?;
        Ok(Self {
            caller,
            query: Query::parse(head.uri.query().unwrap_or_default())?,
            name: name(head, parts).await?,
            content_type: text(&head.headers, &http::header::CONTENT_TYPE)?.map(str::to_owned),
            organization: text(&head.headers, &ORGANIZATION)?.unwrap_or_default().to_owned(),
            project: text(&head.headers, &PROJECT)?.unwrap_or_default().to_owned(),
            access: access(&head.method),
            head: head.clone(),
        })
    }
}

/// What it takes to use `method` on a resource of a project.
fn access(method: &Method) -> Access {
    if *method == Method::GET || *method == Method::HEAD { Access::Read } else { Access::Change }
}

/// Who sends this. Tokens of machines open nothing here.
async fn admit(head: &Head, parts: &Parts) -> Result<Caller, AuthError> {
    // Two such headers may mean two things to two readers.
    let mut values = head.headers.get_all(AUTHORIZATION).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(AuthError::Malformed);
    }
    let caller = parts.auth.identify(value.map(http::HeaderValue::as_bytes)).await?;
    if caller.may_somewhere(Access::Read) {
        return Ok(caller);
    }
    let (role, method) = (caller.most(), format!("{} {}", head.method, head.uri.path()));
    Err(AuthError::Forbidden { role, method, needed: Access::Read.needed() })
}

/// The only parameter of the path, with `%XX` undone.
async fn name(head: &mut Head, parts: &Parts) -> Result<String, Failure> {
    match RawPathParams::from_request_parts(head, parts).await {
        Ok(params) => Ok(params.iter().next().map(|(_, value)| value.to_owned()).unwrap_or_default()),
        Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) => {
            Err(Failure::malformed("the path is not UTF-8"))
        }
        // A path without parameters.
        Err(_) => Ok(String::new()),
    }
}

/// The value of a header that may be given once.
fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Failure> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.any(|other| other != first) {
        return Err(Failure::malformed(format_args!("the header {name} is given more than once")));
    }
    let text =
        first.to_str().map_err(|_| Failure::malformed(format_args!("the header {name} is no text")))?;
    Ok(Some(text.trim()))
}
