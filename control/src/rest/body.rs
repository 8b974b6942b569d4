//! Bodies, read within their bounds, and the resources in them.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use proto::manifest::{self, Document, Kind, Object};
use proto::wire;
use tokio::time::timeout;

use super::Parts;
use super::call::{Call, Within};
use super::failure::Failure;
use crate::config::ApiLimits;
use crate::domain::Faults;
use crate::service::Error;

/// The body that came with `call`, whole.
async fn bytes(call: &Call, mut body: Body, limits: &ApiLimits) -> Result<Bytes, Failure> {
    json_only(call.content_type.as_deref())?;
    let most = limits.body_bytes;
    let read = async {
        match Limited::new(&mut body, most).collect().await {
            Ok(read) => Ok(read.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                pass_over(&mut body, most.saturating_mul(PASSED_OVER)).await;
                Err(Failure::TooLarge { most })
            }
            Err(error) => Err(Failure::malformed(format_args!("the body broke off: {error}"))),
        }
    };
    timeout(limits.body, read).await.unwrap_or(Err(Failure::TooSlow))
}

/// As many times the largest body are taken of one that is larger: a client that is still sending when the
/// connection ends does not get to see why.
const PASSED_OVER: usize = 32;

async fn pass_over(body: &mut Body, most: usize) {
    let mut left = most;
    while let Some(Ok(frame)) = body.frame().await {
        let Some(after) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { return };
        left = after;
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

/// What belongs to a project, and may say to which.
pub(super) trait Belongs {
    /// Where it says so.
    fn metadata(&self) -> Option<&wire::Metadata>;
}

macro_rules! belongs {
    ($($kind:ident),*) => {$(
        impl Belongs for wire::$kind {
            fn metadata(&self) -> Option<&wire::Metadata> {
                self.metadata.as_ref()
            }
        }
    )*};
}

belongs!(Package, Deployment, StaticRoute, Secret);

/// A resource that came in a body, and how the body spells it.
pub(super) struct Read<M> {
    /// The resource.
    pub(super) message: M,
    said: Document,
}

/// The resource in the body that came with `call`, which has to be the one wanted, and the project that
/// both are about. `metadata` is where the resource says it.
pub(super) async fn resource<M: Belongs>(
    parts: &Parts,
    call: &mut Call,
    body: Body,
    wanted: Wanted<M>,
) -> Result<(Within, Read<M>), Failure> {
    // Of those who may not do this, nothing is read.
    call.project(parts).await?;
    let read = read(parts, call, body, wanted).await?;
    let within = call.project(parts).await?;
    within.check(read.message.metadata())?;
    Ok((within, read))
}

/// The resource in the body that came with `call`, which has to be the one wanted. Then `call` is by whoever
/// sends it now.
pub(super) async fn read<M>(
    parts: &Parts,
    call: &mut Call,
    body: Body,
    (kind, pick): Wanted<M>,
) -> Result<Read<M>, Failure> {
    let bytes = bytes(call, body, &parts.limits).await?;
    call.renew(parts).await?;
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
            let message = self.said.in_its_words(&fault.message);
            retold.add(self.said.locate(&fault.field).1, fault.rule, message);
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
