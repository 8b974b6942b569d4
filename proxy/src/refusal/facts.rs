use http::StatusCode as S;

use super::Alert::{self, DecodeError, InternalError, MissingExtension, UnrecognizedName};
use super::Refusal;

/// What follows from a reason.
pub(super) struct Facts {
    pub(super) label: &'static str,
    pub(super) status: S,
    pub(super) alert: Option<Alert>,
    pub(super) closes: bool,
    pub(super) resets: bool,
    pub(super) retry_after: Option<u32>,
}

impl Refusal {
    /// The one table.
    pub(super) const fn facts(self) -> Facts {
        match self {
            // Asked for what is not there.
            Self::NoRoute => row("no_route", S::NOT_FOUND).alert(UnrecognizedName),
            Self::Unbound => row("unbound", S::SERVICE_UNAVAILABLE).alert(InternalError).retry_after(5),
            Self::NoBackend => row("no_backend", S::SERVICE_UNAVAILABLE).alert(InternalError).retry_after(2),
            Self::SourceNotAllowed => row("source_not_allowed", S::FORBIDDEN).resets(),

            // Asked in the wrong place.
            Self::RedirectToHttps => row("redirect_to_https", S::PERMANENT_REDIRECT),
            Self::HttpsOnly => row("https_only", S::NOT_FOUND),
            Self::SecureTcpOnPlain => row("secure_tcp_on_plain", S::NOT_FOUND),
            Self::SecureTcpOnTls => row("secure_tcp_on_tls", S::MISDIRECTED_REQUEST),
            Self::HttpOnTls => row("http_on_tls", S::MISDIRECTED_REQUEST).alert(UnrecognizedName),
            Self::NotCovered => row("not_covered", S::MISDIRECTED_REQUEST).alert(UnrecognizedName),

            // Not what this port speaks.
            Self::NoServerName => row("no_server_name", S::BAD_REQUEST).alert(MissingExtension).closes(),
            Self::BadServerName => row("bad_server_name", S::BAD_REQUEST).alert(UnrecognizedName).closes(),
            Self::NotTls => row("not_tls", S::BAD_REQUEST).closes(),
            Self::BadHello => row("bad_hello", S::BAD_REQUEST).alert(DecodeError).closes(),
            Self::HelloTooLong => row("hello_too_long", S::BAD_REQUEST).alert(DecodeError).closes(),
            Self::HelloTimeout => row("hello_timeout", S::REQUEST_TIMEOUT).closes(),
            Self::HelloTruncated => row("hello_truncated", S::BAD_REQUEST).closes(),
            Self::HandshakeFailed => row("handshake_failed", S::BAD_REQUEST).closes(),
            Self::HandshakeTimeout => row("handshake_timeout", S::REQUEST_TIMEOUT).closes(),
            Self::Http2OnPlain => row("http2_on_plain", S::HTTP_VERSION_NOT_SUPPORTED).closes(),

            // A request that must not be forwarded.
            Self::BadRequest => row("bad_request", S::BAD_REQUEST).closes(),
            Self::HeadTooLong => row("head_too_long", S::REQUEST_HEADER_FIELDS_TOO_LARGE).closes(),
            Self::TargetTooLong => row("target_too_long", S::URI_TOO_LONG).closes(),
            Self::VersionNotSupported => row("version_not_supported", S::HTTP_VERSION_NOT_SUPPORTED).closes(),
            Self::UnknownCoding => row("unknown_coding", S::NOT_IMPLEMENTED).closes(),
            Self::ExpectationFailed => row("expectation_failed", S::EXPECTATION_FAILED).closes(),
            Self::HeadTimeout => row("head_timeout", S::REQUEST_TIMEOUT).closes(),
            Self::MissingHost => row("missing_host", S::BAD_REQUEST).closes(),
            Self::RepeatedHost => row("repeated_host", S::BAD_REQUEST).closes(),
            Self::BadAuthority => row("bad_authority", S::BAD_REQUEST).closes(),
            Self::ConnectNotSupported => row("connect_not_supported", S::NOT_IMPLEMENTED).closes(),
            Self::WebSocketNotSupported => row("websocket_not_supported", S::NOT_IMPLEMENTED),
            Self::ProtocolNotSupported => row("protocol_not_supported", S::NOT_IMPLEMENTED),
            Self::Loop => row("loop", S::LOOP_DETECTED).closes(),

            // More than there may be.
            Self::TooManyConnections => {
                row("too_many_connections", S::TOO_MANY_REQUESTS).closes().retry_after(2)
            }
            Self::Overloaded => row("overloaded", S::SERVICE_UNAVAILABLE).closes().retry_after(2),
            Self::RouteBusy => row("route_busy", S::SERVICE_UNAVAILABLE).alert(InternalError).retry_after(1),
            Self::BackendBusy => {
                row("backend_busy", S::SERVICE_UNAVAILABLE).alert(InternalError).retry_after(1)
            }
            Self::RatePerSource => row("rate_per_source", S::TOO_MANY_REQUESTS).retry_after(1),
            Self::RatePerRoute => {
                row("rate_per_route", S::TOO_MANY_REQUESTS).alert(InternalError).retry_after(1)
            }
            Self::Http2Flood => row("http2_flood", S::TOO_MANY_REQUESTS).closes(),

            // The backend's fault.
            Self::ConnectFailed => row("connect_failed", S::BAD_GATEWAY).alert(InternalError).retry_after(2),
            Self::BackendForbidden => row("backend_forbidden", S::BAD_GATEWAY).alert(InternalError),
            Self::BackendReset => row("backend_reset", S::BAD_GATEWAY).alert(InternalError),
            Self::BackendGarbage => row("backend_garbage", S::BAD_GATEWAY).alert(InternalError),
            Self::UpgradeIgnored => row("upgrade_ignored", S::BAD_GATEWAY),
            Self::BackendTimeout => row("backend_timeout", S::GATEWAY_TIMEOUT).alert(InternalError),

            // The client's doing.
            Self::ClientGone => row("client_gone", S::BAD_REQUEST).closes().resets(),
            Self::BodyTimeout => row("body_timeout", S::REQUEST_TIMEOUT).closes(),
            Self::SlowReader => row("slow_reader", S::REQUEST_TIMEOUT).closes().resets(),
        }
    }
}

/// Of a reason that no alert tells, that leaves the connection as it is, and that does not pass by itself.
const fn row(label: &'static str, status: S) -> Facts {
    Facts { label, status, alert: None, closes: false, resets: false, retry_after: None }
}

impl Facts {
    const fn alert(self, alert: Alert) -> Self {
        Self { alert: Some(alert), ..self }
    }

    const fn closes(self) -> Self {
        Self { closes: true, ..self }
    }

    const fn resets(self) -> Self {
        Self { resets: true, ..self }
    }

    const fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}
