use std::error::Error as _;
use std::fmt;

use http::Request;

use super::choose::Lease;
use super::dial::DialError;
use crate::refusal::Refusal;
use crate::routes::UpstreamId;

/// A request that was not answered: why, and whether it may be sent again.
pub struct SendError<B> {
    /// What went wrong.
    pub fault: Fault,
    /// The backend it was for; exclude it when choosing another.
    pub upstream: UpstreamId,
    /// The request, when nothing of it was sent: any method may go to another backend. None when some
    /// of it may have been: only a request that may be repeated ([`Fault::may_repeat`]), whose body was
    /// not begun, may be sent again.
    pub unsent: Option<Box<Request<B>>>,
}

/// What went wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No connection opened.
    Dial(DialError),
    /// The backend closed or reset the connection, or the stream, before it answered.
    Closed,
    /// The backend did so when something of an answer had come.
    CutShort,
    /// The backend says that it has not looked at the request: by REFUSED_STREAM, or by a GOAWAY that names
    /// an earlier stream as its last (RFC 9113 8.7).
    RefusedStream,
    /// What came of the backend was not HTTP, or its head too long.
    Garbage,
    /// The request's own body failed: the client broke off or sent what is not HTTP.
    RequestBody,
}

impl Fault {
    /// Whether a request with `method`, of which something may have been sent, may be sent again
    /// (idempotent methods, RFC 9110 9.2.2).
    pub fn may_repeat(self, method: &http::Method) -> bool {
        match self {
            Self::Dial(_) | Self::RefusedStream => true,
            Self::Closed => method.is_idempotent(),
            Self::CutShort | Self::Garbage | Self::RequestBody => false,
        }
    }

    /// What the client is told.
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Dial(DialError::Forbidden(_)) => Refusal::BackendForbidden,
            Self::Dial(DialError::Timeout | DialError::Refused | DialError::Failed(_)) => {
                Refusal::ConnectFailed
            }
            Self::Closed | Self::CutShort | Self::RefusedStream => Refusal::BackendReset,
            Self::Garbage => Refusal::BackendGarbage,
            Self::RequestBody => Refusal::ClientGone,
        }
    }
}

impl<B> SendError<B> {
    pub(super) fn unsent(fault: Fault, request: Request<B>, lease: Lease) -> Self {
        let upstream = lease.upstream().id();
        drop(lease);
        Self { fault, upstream, unsent: Some(Box::new(request)) }
    }

    pub(super) fn failed(error: &hyper::Error, lease: Lease) -> Self {
        let upstream = lease.upstream().id();
        drop(lease);
        Self { fault: fault(error), upstream, unsent: None }
    }
}

impl<B> fmt::Debug for SendError<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SendError({:?}, unsent: {})", self.fault, self.unsent.is_some())
    }
}

pub(super) fn fault(error: &hyper::Error) -> Fault {
    let h2 = error.source().and_then(|source| source.downcast_ref::<::h2::Error>());
    // A GOAWAY is told only to the streams above its last.
    let unseen = |h2: &::h2::Error| {
        h2.is_remote() && (h2.is_go_away() || h2.reason() == Some(::h2::Reason::REFUSED_STREAM))
    };
    if h2.is_some_and(unseen) {
        return Fault::RefusedStream;
    }
    // What h2 itself says no to.
    if error.is_parse() || h2.is_some_and(::h2::Error::is_library) {
        return Fault::Garbage;
    }
    if error.is_user() {
        return Fault::RequestBody;
    }
    Fault::Closed
}
