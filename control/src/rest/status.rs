//! From failures to HTTP statuses: the only place.
//!
//! The real client shows the text of 400 and 403 and ends; takes 404 for absence, 409 for "exists
//! already", whereupon it updates or goes on: so nothing else may be a 409.

use axum::body::Body;
use axum::response::IntoResponse;
use http::header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::answer::with;
use super::failure::Failure;
use crate::auth::AuthError;
use crate::domain::Fault;
use crate::service::Error;

impl IntoResponse for Failure {
    fn into_response(self) -> Response<Body> {
        let status = status_of(&self);
        if status.is_server_error() {
            tracing::error!(%status, error = %self, "a request failed");
        }
        let mut response = with(status, &body_of(&self));
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if matches!(self, Failure::TooLarge { .. } | Failure::TooSlow) {
            // What of the body was not read would be taken for the next request.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// In words, which is all the real client shows; faults also one by one, for programs.
fn body_of(failure: &Failure) -> Value {
    let Failure::Service(Error::Invalid(faults) | Error::AlreadyExists(faults) | Error::Refused(faults)) =
        failure
    else {
        return json!({ "error": failure.to_string() });
    };
    let (mut words, mut each) = (Vec::new(), Vec::new());
    for Fault { field, rule, message } in faults.as_slice() {
        let at = if field.is_empty() { String::new() } else { format!("{field}: ") };
        words.push(format!("{at}{message} [{rule}]"));
        each.push(json!({ "field": field, "rule": rule, "message": message }));
    }
    json!({ "error": words.join("; "), "faults": each })
}

/// The status `failure` is answered with.
pub(super) fn status_of(failure: &Failure) -> StatusCode {
    match failure {
        Failure::Auth(error) => of_auth(error),
        Failure::Service(error) => of_service(error),
        Failure::Manifest(_) | Failure::Malformed(_) => StatusCode::BAD_REQUEST,
        Failure::NotJson(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Failure::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Failure::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Failure::Overdue => StatusCode::SERVICE_UNAVAILABLE,
        Failure::NoSuchPath { .. } => StatusCode::NOT_FOUND,
        Failure::NoSuchMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Failure::Record(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn of_auth(error: &AuthError) -> StatusCode {
    match error {
        AuthError::Missing | AuthError::Malformed | AuthError::Unknown | AuthError::Ended => {
            StatusCode::UNAUTHORIZED
        }
        AuthError::Forbidden { .. } => StatusCode::FORBIDDEN,
        AuthError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn of_service(error: &Error) -> StatusCode {
    match error {
        Error::Invalid(_) | Error::Refused(_) | Error::TooLarge(_) => StatusCode::BAD_REQUEST,
        Error::AlreadyExists(_) => StatusCode::CONFLICT,
        Error::NotFound { .. } => StatusCode::NOT_FOUND,
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::Concurrent { .. } | Error::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Record(_) | Error::Chance(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
