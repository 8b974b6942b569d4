//! Bodies, read within their bounds, and the resources in them.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use proto::manifest::{self, Document, Kind, Object};
use proto::wire;
use tokio::time::timeout;

use super::call::Call;
use super::failure::Failure;
use crate::config::ApiLimits;
use crate::domain::Faults;
use crate::service::Error;

/// The body that came with `call`, whole.
async fn bytes(call: &Call, body: Body, limits: &ApiLimits) -> Result<Bytes, Failure> {
    json_only(call.content_type.as_deref())?;
    let read = Limited::new(body, limits.body_bytes).collect();
    match timeout(limits.body, read).await {
        Err(_) => Err(Failure::TooSlow),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Failure::TooLarge { most: limits.body_bytes })
        }
        Ok(Err(error)) => Err(Failure::malformed(format_args!("the body broke off: {error}"))),
    }
}

/// What kind of resource a body has to be, and how it is taken out of what was read.
pub(super) type Wanted<M> = (Kind, fn(Object) -> Option<M>);

/// A package.
pub(super) const PACKAGE: Wanted<wire::Package> =
    (Kind::Package, |object| if let Object::Package(package) = object { Some(package) } else { None });
/// A deployment.
pub(super) const DEPLOYMENT: Wanted<wire::Deployment> =
    (Kind::Deployment, |object| if let Object::Deployment(read) = object { Some(read) } else { None });
/// A static route.
pub(super) const STATIC_ROUTE: Wanted<wire::StaticRoute> =
    (Kind::StaticRoute, |object| if let Object::StaticRoute(route) = object { Some(route) } else { None });
/// A secret.
pub(super) const SECRET: Wanted<wire::Secret> =
    (Kind::Secret, |object| if let Object::Secret(secret) = object { Some(secret) } else { None });
/// A project.
pub(super) const PROJECT: Wanted<wire::Project> =
    (Kind::Project, |object| if let Object::Project(project) = object { Some(project) } else { None });

/// A resource that came in a body, and how the body spells it.
pub(super) struct Read<M> {
    /// The resource.
    pub(super) message: M,
    said: Document,
}

/// The resource in the body that came with `call`, which has to be the one wanted.
pub(super) async fn resource<M>(
    call: &Call,
    body: Body,
    limits: &ApiLimits,
    (kind, pick): Wanted<M>,
) -> Result<Read<M>, Failure> {
    let bytes = bytes(call, body, limits).await?;
    let mut said = manifest::read_one(kind, &bytes).map_err(Failure::Manifest)?;
    let object = std::mem::replace(&mut said.object, Object::Project(wire::Project::default()));
    let message = pick(object);
    let message = message.ok_or_else(|| Failure::malformed(format_args!("kind: must be {kind} here")))?;
    Ok(Read { message, said })
}

impl<M> Read<M> {
    /// Whether the body has this field of the message, and not as null.
    pub(super) fn gives(&self, field: &str) -> bool {
        self.said.gives(field)
    }

    /// What `error` says, in the words of the body it is about: fields as the dialect calls them.
    pub(super) fn told(&self, error: Error) -> Failure {
        Failure::Service(match error {
            Error::Invalid(faults) => Error::Invalid(self.retold(&faults)),
            Error::AlreadyExists(faults) => Error::AlreadyExists(self.retold(&faults)),
            Error::Refused(faults) => Error::Refused(self.retold(&faults)),
            other => other,
        })
    }

    fn retold(&self, faults: &Faults) -> Faults {
        let mut retold = Faults::new();
        for fault in faults.as_slice() {
            retold.add(self.said.locate(&fault.field).1, fault.rule, fault.message.clone());
        }
        retold
    }
}

/// Nobody sends anything else on purpose: what says nothing is taken for JSON.
fn json_only(content_type: Option<&str>) -> Result<(), Failure> {
    let Some(content_type) = content_type.filter(|said| !said.is_empty()) else { return Ok(()) };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let json = essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > 5 && essence.to_ascii_lowercase().ends_with("+json"));
    if json { Ok(()) } else { Err(Failure::NotJson(content_type.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_known_by_its_name() {
        for said in [None, Some(""), Some("application/json"), Some("Application/JSON; charset=utf-8")] {
            assert!(json_only(said).is_ok(), "{said:?}");
        }
        for said in ["text/plain", "application/x-www-form-urlencoded", "+json", "json"] {
            assert!(json_only(Some(said)).is_err(), "{said:?}");
        }
    }
}
