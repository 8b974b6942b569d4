//! From a use case's error to a gRPC status: the only place.

use prost::Message as _;
use proto::wire;
use tonic::{Code, Status};

use crate::auth::AuthError;
use crate::domain::text::shortened;
use crate::domain::{Fault, Faults};
use crate::service::Error;

/// Bytes of a status in the fields of an answer, where bytes may be escaped as three. Clients take 8 KiB of
/// fields or more; from one who takes less they hear nothing at all.
const ROOM: usize = 6 << 10;

/// The status an error becomes. Faults travel in the details, encoded as `epr.v1.Faults`, and in words in
/// the message.
pub(super) fn status(error: &Error) -> Status {
    let text = shortened(error.to_string(), ROOM / 3);
    match error {
        Error::Invalid(faults) => with_faults(Code::InvalidArgument, faults),
        Error::AlreadyExists(faults) => with_faults(Code::AlreadyExists, faults),
        Error::Refused(faults) => with_faults(Code::FailedPrecondition, faults),
        Error::NotFound { .. } => Status::new(Code::NotFound, text),
        Error::Forbidden(_) => Status::new(Code::PermissionDenied, text),
        Error::Concurrent { .. } => Status::new(Code::Aborted, text),
        Error::TooLarge(_) => Status::new(Code::InvalidArgument, text),
        Error::Store(_) => logged(Code::Unavailable, text),
        Error::Record(_) | Error::Chance(_) => logged(Code::Internal, text),
    }
}

fn with_faults(code: Code, faults: &Faults) -> Status {
    let told = faults.within(ROOM, room_of);
    let messages = told.as_slice().iter().map(|fault| wire::Fault {
        field: fault.field.clone(),
        rule: fault.rule.to_owned(),
        message: fault.message.clone(),
    });
    let details = wire::Faults { faults: messages.collect() }.encode_to_vec();
    Status::with_details(code, told.to_string(), details.into())
}

/// What a fault takes of a status, in words and in the details (in base64, with the names of the fields).
fn room_of(fault: &Fault) -> usize {
    let words = [&fault.field, &fault.message].map(|text| {
        let escaped = text.bytes().filter(|byte| !byte.is_ascii_alphanumeric()).count();
        text.len() + 2 * escaped
    });
    let details = fault.field.len() + fault.message.len() + fault.rule.len() + 12;
    words.iter().sum::<usize>() + 4 + details * 4 / 3
}

/// What is not the caller's doing is for the operator to see.
fn logged(code: Code, text: String) -> Status {
    tracing::error!(%text, "a call failed");
    Status::new(code, text)
}

/// The status of a call that was not admitted.
pub(super) fn refused(error: &AuthError) -> Status {
    let code = match error {
        AuthError::Missing | AuthError::Malformed | AuthError::Unknown | AuthError::Ended => {
            Code::Unauthenticated
        }
        AuthError::Forbidden { .. } => Code::PermissionDenied,
        AuthError::Unavailable(_) => Code::Unavailable,
    };
    Status::new(code, shortened(error.to_string(), ROOM / 3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Kind;

    #[test]
    fn faults_travel_in_details_and_message() {
        let mut faults = Faults::one("metadata.name", "name", "must not be empty");
        faults.add("version", "version", "is no version");
        let status = status(&Error::Invalid(faults));
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "metadata.name: must not be empty; version: is no version");
        let told = wire::Faults::decode(status.details()).unwrap().faults;
        assert_eq!((told.len(), told[1].field.as_str(), told[1].rule.as_str()), (2, "version", "version"));
    }

    #[test]
    fn what_is_not_there_is_told_by_kind_and_name() {
        let error = Error::NotFound { kind: Kind::StaticRoute, name: "shop".into() };
        let status = status(&error);
        assert_eq!(
            (status.code(), status.message()),
            (Code::NotFound, r#"there is no static route "shop" in this project"#)
        );
    }
}
