//! Why traffic was not served.
//!
//! The one list: status, TLS alert, label, whether the connection closes and when to come back are
//! each an exhaustive match, so that a new reason cannot be forgotten anywhere. The same label stands
//! in the answer's `epr-refusal` field, the access log and the metrics.

mod alert;

use http::StatusCode;

pub use alert::Alert;

/// Why a connection or a request was not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refusal {
    // Asked for what is not there.
    /// No route has this name.
    NoRoute,
    /// The static route exists and serves nothing now.
    Unbound,
    /// The endpoint has no healthy backend.
    NoBackend,
    /// The client's address is outside the route's source ranges.
    SourceNotAllowed,

    // Asked in the wrong place.
    /// An HTTPS name on the plain port, sent on to https.
    RedirectToHttps,
    /// An HTTPS name on the plain port, where redirects are switched off.
    HttpsOnly,
    /// A Secure TCP name on the plain port.
    SecureTcpOnPlain,
    /// A Secure TCP name in a request on a terminated connection.
    SecureTcpOnTls,
    /// An HTTP-only name on the TLS port.
    HttpOnTls,
    /// A name the served certificate does not cover.
    NotCovered,

    // Not what this port speaks.
    /// A hello without a server name.
    NoServerName,
    /// A server name that no route can have: an address, or not a host name.
    BadServerName,
    /// Something other than TLS on the TLS port.
    NotTls,
    /// A hello that does not parse.
    BadHello,
    /// A hello that was not over within its bytes.
    HelloTooLong,
    /// A hello that was not over within its time.
    HelloTimeout,
    /// A hello cut short by the client.
    HelloTruncated,
    /// The TLS handshake failed.
    HandshakeFailed,
    /// The TLS handshake was not over within its time.
    HandshakeTimeout,
    /// HTTP/2 in the clear on the plain port.
    Http2OnPlain,

    // A request that must not be forwarded.
    /// A request head that is not HTTP.
    BadRequest,
    /// A request head of more bytes or fields than there may be.
    HeadTooLong,
    /// A request line that is longer than a head may be.
    TargetTooLong,
    /// Another version of HTTP.
    VersionNotSupported,
    /// A body in a transfer coding other than chunked.
    UnknownCoding,
    /// An expectation other than 100-continue.
    ExpectationFailed,
    /// A request head that was not over within its time.
    HeadTimeout,
    /// No Host field where HTTP/1.1 demands one.
    MissingHost,
    /// More than one Host field.
    RepeatedHost,
    /// A Host or authority that is no host name with an optional port.
    BadAuthority,
    /// CONNECT: this is not a forward proxy.
    ConnectNotSupported,
    /// A WebSocket for a backend that speaks HTTP/2.
    WebSocketNotSupported,
    /// CONNECT for a protocol other than WebSocket (RFC 8441).
    ProtocolNotSupported,
    /// The request has passed this proxy too often.
    Loop,

    // More than there may be.
    /// The source has as many connections open as it may.
    TooManyConnections,
    /// The proxy has no room for more.
    Overloaded,
    /// As many requests as may be are under way over the route.
    RouteBusy,
    /// As many requests as may be are under way to each of the route's backends.
    BackendBusy,
    /// The source asks faster than it may.
    RatePerSource,
    /// The route is asked for faster than it may be.
    RatePerRoute,
    /// An HTTP/2 client sends too much of what costs it nothing: resets, pings, settings, empty frames.
    Http2Flood,

    // The backend's fault.
    /// No backend took the connection.
    ConnectFailed,
    /// The route names an address that backends may not have.
    BackendForbidden,
    /// The backend closed or reset the connection before it answered.
    BackendReset,
    /// The backend's answer was not HTTP.
    BackendGarbage,
    /// The backend took a request for a WebSocket over HTTP/2 for another one, and HTTP/2 cannot say so.
    UpgradeIgnored,
    /// The backend's answer did not begin within its time.
    BackendTimeout,

    // The client's doing.
    /// The client broke off before the answer.
    ClientGone,
    /// The client sent nothing more of a request's body.
    BodyTimeout,
}

impl Refusal {
    /// Every reason, in the order of their discriminants.
    pub const ALL: [Self; 49] = [
        Self::NoRoute,
        Self::Unbound,
        Self::NoBackend,
        Self::SourceNotAllowed,
        Self::RedirectToHttps,
        Self::HttpsOnly,
        Self::SecureTcpOnPlain,
        Self::SecureTcpOnTls,
        Self::HttpOnTls,
        Self::NotCovered,
        Self::NoServerName,
        Self::BadServerName,
        Self::NotTls,
        Self::BadHello,
        Self::HelloTooLong,
        Self::HelloTimeout,
        Self::HelloTruncated,
        Self::HandshakeFailed,
        Self::HandshakeTimeout,
        Self::Http2OnPlain,
        Self::BadRequest,
        Self::HeadTooLong,
        Self::TargetTooLong,
        Self::VersionNotSupported,
        Self::UnknownCoding,
        Self::ExpectationFailed,
        Self::HeadTimeout,
        Self::MissingHost,
        Self::RepeatedHost,
        Self::BadAuthority,
        Self::ConnectNotSupported,
        Self::WebSocketNotSupported,
        Self::ProtocolNotSupported,
        Self::Loop,
        Self::TooManyConnections,
        Self::Overloaded,
        Self::RouteBusy,
        Self::BackendBusy,
        Self::RatePerSource,
        Self::RatePerRoute,
        Self::Http2Flood,
        Self::ConnectFailed,
        Self::BackendForbidden,
        Self::BackendReset,
        Self::BackendGarbage,
        Self::UpgradeIgnored,
        Self::BackendTimeout,
        Self::ClientGone,
        Self::BodyTimeout,
    ];

    /// The stable name, in answers, logs and metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NoRoute => "no_route",
            Self::Unbound => "unbound",
            Self::NoBackend => "no_backend",
            Self::SourceNotAllowed => "source_not_allowed",
            Self::RedirectToHttps => "redirect_to_https",
            Self::HttpsOnly => "https_only",
            Self::SecureTcpOnPlain => "secure_tcp_on_plain",
            Self::SecureTcpOnTls => "secure_tcp_on_tls",
            Self::HttpOnTls => "http_on_tls",
            Self::NotCovered => "not_covered",
            Self::NoServerName => "no_server_name",
            Self::BadServerName => "bad_server_name",
            Self::NotTls => "not_tls",
            Self::BadHello => "bad_hello",
            Self::HelloTooLong => "hello_too_long",
            Self::HelloTimeout => "hello_timeout",
            Self::HelloTruncated => "hello_truncated",
            Self::HandshakeFailed => "handshake_failed",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::Http2OnPlain => "http2_on_plain",
            Self::BadRequest => "bad_request",
            Self::HeadTooLong => "head_too_long",
            Self::TargetTooLong => "target_too_long",
            Self::VersionNotSupported => "version_not_supported",
            Self::UnknownCoding => "unknown_coding",
            Self::ExpectationFailed => "expectation_failed",
            Self::HeadTimeout => "head_timeout",
            Self::MissingHost => "missing_host",
            Self::RepeatedHost => "repeated_host",
            Self::BadAuthority => "bad_authority",
            Self::ConnectNotSupported => "connect_not_supported",
            Self::WebSocketNotSupported => "websocket_not_supported",
            Self::ProtocolNotSupported => "protocol_not_supported",
            Self::Loop => "loop",
            Self::TooManyConnections => "too_many_connections",
            Self::Overloaded => "overloaded",
            Self::RouteBusy => "route_busy",
            Self::BackendBusy => "backend_busy",
            Self::RatePerSource => "rate_per_source",
            Self::RatePerRoute => "rate_per_route",
            Self::Http2Flood => "http2_flood",
            Self::ConnectFailed => "connect_failed",
            Self::BackendForbidden => "backend_forbidden",
            Self::BackendReset => "backend_reset",
            Self::BackendGarbage => "backend_garbage",
            Self::UpgradeIgnored => "upgrade_ignored",
            Self::BackendTimeout => "backend_timeout",
            Self::ClientGone => "client_gone",
            Self::BodyTimeout => "body_timeout",
        }
    }

    /// The status of the answer, where HTTP is spoken. Reasons met before HTTP have the status that
    /// logs show for them.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::RedirectToHttps => StatusCode::PERMANENT_REDIRECT,
            Self::NotTls
            | Self::BadRequest
            | Self::MissingHost
            | Self::RepeatedHost
            | Self::BadAuthority
            | Self::NoServerName
            | Self::BadServerName
            | Self::BadHello
            | Self::HelloTooLong
            | Self::HelloTruncated
            | Self::HandshakeFailed
            | Self::ClientGone => StatusCode::BAD_REQUEST,
            Self::SourceNotAllowed => StatusCode::FORBIDDEN,
            Self::NoRoute | Self::HttpsOnly | Self::SecureTcpOnPlain => StatusCode::NOT_FOUND,
            Self::HelloTimeout | Self::HandshakeTimeout | Self::HeadTimeout | Self::BodyTimeout => {
                StatusCode::REQUEST_TIMEOUT
            }
            Self::SecureTcpOnTls | Self::HttpOnTls | Self::NotCovered => StatusCode::MISDIRECTED_REQUEST,
            Self::ConnectNotSupported
            | Self::WebSocketNotSupported
            | Self::ProtocolNotSupported
            | Self::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            Self::ConnectFailed
            | Self::BackendForbidden
            | Self::BackendReset
            | Self::UpgradeIgnored
            | Self::BackendGarbage => StatusCode::BAD_GATEWAY,
            Self::Unbound | Self::NoBackend | Self::Overloaded | Self::RouteBusy | Self::BackendBusy => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::TooManyConnections | Self::RatePerSource | Self::RatePerRoute | Self::Http2Flood => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::BackendTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Http2OnPlain | Self::VersionNotSupported => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::HeadTooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::ExpectationFailed => StatusCode::EXPECTATION_FAILED,
            Self::Loop => StatusCode::LOOP_DETECTED,
        }
    }

    /// The alert that tells a client whose hello was refused; none where the connection just closes.
    pub const fn tls_alert(self) -> Option<Alert> {
        match self {
            Self::NoRoute | Self::HttpOnTls | Self::NotCovered | Self::BadServerName => {
                Some(Alert::UnrecognizedName)
            }
            Self::NoServerName => Some(Alert::MissingExtension),
            Self::Unbound
            | Self::NoBackend
            | Self::RouteBusy
            | Self::BackendBusy
            | Self::RatePerRoute
            | Self::ConnectFailed
            | Self::BackendForbidden
            | Self::BackendReset
            | Self::BackendGarbage
            | Self::BackendTimeout => Some(Alert::InternalError),
            Self::BadHello | Self::HelloTooLong => Some(Alert::DecodeError),
            Self::SourceNotAllowed
            | Self::RedirectToHttps
            | Self::HttpsOnly
            | Self::SecureTcpOnPlain
            | Self::SecureTcpOnTls
            | Self::NotTls
            | Self::HelloTimeout
            | Self::HelloTruncated
            | Self::HandshakeFailed
            | Self::HandshakeTimeout
            | Self::Http2OnPlain
            | Self::BadRequest
            | Self::HeadTooLong
            | Self::TargetTooLong
            | Self::VersionNotSupported
            | Self::UnknownCoding
            | Self::ExpectationFailed
            | Self::HeadTimeout
            | Self::MissingHost
            | Self::RepeatedHost
            | Self::BadAuthority
            | Self::ConnectNotSupported
            | Self::WebSocketNotSupported
            | Self::ProtocolNotSupported
            | Self::UpgradeIgnored
            | Self::Http2Flood
            | Self::Loop
            | Self::TooManyConnections
            | Self::Overloaded
            | Self::RatePerSource
            | Self::ClientGone
            | Self::BodyTimeout => None,
        }
    }

    /// Whether the client's connection closes after the answer: when what follows on it cannot be
    /// trusted to be a request, or was never to be.
    pub const fn closes(self) -> bool {
        match self {
            Self::BadRequest
            | Self::HeadTooLong
            | Self::TargetTooLong
            | Self::VersionNotSupported
            | Self::UnknownCoding
            | Self::ExpectationFailed
            | Self::HeadTimeout
            | Self::MissingHost
            | Self::RepeatedHost
            | Self::BadAuthority
            | Self::ConnectNotSupported
            | Self::Loop
            | Self::TooManyConnections
            | Self::Overloaded
            | Self::Http2Flood
            | Self::NoServerName
            | Self::BadServerName
            | Self::NotTls
            | Self::BadHello
            | Self::HelloTooLong
            | Self::HelloTimeout
            | Self::HelloTruncated
            | Self::HandshakeFailed
            | Self::HandshakeTimeout
            | Self::Http2OnPlain
            | Self::ClientGone
            | Self::BodyTimeout => true,
            Self::NoRoute
            | Self::Unbound
            | Self::NoBackend
            | Self::SourceNotAllowed
            | Self::RedirectToHttps
            | Self::HttpsOnly
            | Self::SecureTcpOnPlain
            | Self::SecureTcpOnTls
            | Self::HttpOnTls
            | Self::NotCovered
            | Self::WebSocketNotSupported
            | Self::ProtocolNotSupported
            | Self::UpgradeIgnored
            | Self::RouteBusy
            | Self::BackendBusy
            | Self::RatePerSource
            | Self::RatePerRoute
            | Self::ConnectFailed
            | Self::BackendForbidden
            | Self::BackendReset
            | Self::BackendGarbage
            | Self::BackendTimeout => false,
        }
    }

    /// When to come back, in seconds, where coming back may help.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::Unbound => Some(5),
            Self::NoBackend | Self::ConnectFailed | Self::TooManyConnections | Self::Overloaded => Some(2),
            // A rate is of requests a second: none waits longer for the next.
            Self::RouteBusy | Self::BackendBusy | Self::RatePerSource | Self::RatePerRoute => Some(1),
            Self::NoRoute
            | Self::SourceNotAllowed
            | Self::RedirectToHttps
            | Self::HttpsOnly
            | Self::SecureTcpOnPlain
            | Self::SecureTcpOnTls
            | Self::HttpOnTls
            | Self::NotCovered
            | Self::NoServerName
            | Self::BadServerName
            | Self::NotTls
            | Self::BadHello
            | Self::HelloTooLong
            | Self::HelloTimeout
            | Self::HelloTruncated
            | Self::HandshakeFailed
            | Self::HandshakeTimeout
            | Self::Http2OnPlain
            | Self::BadRequest
            | Self::HeadTooLong
            | Self::TargetTooLong
            | Self::VersionNotSupported
            | Self::UnknownCoding
            | Self::ExpectationFailed
            | Self::HeadTimeout
            | Self::MissingHost
            | Self::RepeatedHost
            | Self::BadAuthority
            | Self::ConnectNotSupported
            | Self::WebSocketNotSupported
            | Self::ProtocolNotSupported
            | Self::UpgradeIgnored
            | Self::Http2Flood
            | Self::Loop
            | Self::BackendForbidden
            | Self::BackendReset
            | Self::BackendGarbage
            | Self::BackendTimeout
            | Self::ClientGone
            | Self::BodyTimeout => None,
        }
    }

    /// What happened and what helps, for the person who reads the answer.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::NoRoute => "No route has this name. Check the spelling, or create and bind a static route.",
            Self::Unbound => "This static route serves no deployment now. Bind it to an endpoint.",
            Self::NoBackend => {
                "No healthy backend serves this endpoint now. Look at the deployment's status."
            }
            Self::SourceNotAllowed => "Your address is not in this route's sourceIPRange.",
            Self::RedirectToHttps => "This name is served over https.",
            Self::HttpsOnly => "This name is served over https only. Use the https URL.",
            Self::SecureTcpOnPlain => "This name is a Secure TCP endpoint. Connect with TLS to the TLS port.",
            Self::SecureTcpOnTls => {
                "This name is a Secure TCP endpoint. Open a TLS connection with this name as its SNI."
            }
            Self::HttpOnTls => "This name is served over plain http only. Use the http URL.",
            Self::NotCovered => {
                "The certificate of this connection does not cover this name. Open another one."
            }
            Self::NoServerName => "The TLS client sent no server name (SNI).",
            Self::BadServerName => "The server name (SNI) is not a host name.",
            Self::NotTls => "This port speaks TLS. Use an https URL, or the plain port.",
            Self::BadHello => "The TLS ClientHello does not parse.",
            Self::HelloTooLong => "The TLS ClientHello is too long.",
            Self::HelloTimeout => "The TLS ClientHello did not come in time.",
            Self::HelloTruncated => "The connection ended within the TLS ClientHello.",
            Self::HandshakeFailed => "The TLS handshake failed.",
            Self::HandshakeTimeout => "The TLS handshake did not end in time.",
            Self::Http2OnPlain => "This port speaks HTTP/1.1. HTTP/2 is spoken over TLS.",
            Self::BadRequest => "The request head is not valid HTTP/1.1.",
            Self::HeadTooLong => "The request head is too long or has too many fields.",
            Self::TargetTooLong => "The request target is too long.",
            Self::VersionNotSupported => "This version of HTTP is not served here.",
            Self::UnknownCoding => "The request body comes in a transfer coding other than chunked.",
            Self::ExpectationFailed => "The only expectation that is met here is 100-continue.",
            Self::HeadTimeout => "The request head did not come in time.",
            Self::MissingHost => "The request has no Host field.",
            Self::RepeatedHost => "The request has more than one Host field.",
            Self::BadAuthority => "The request's host is not a host name with an optional port.",
            Self::ConnectNotSupported => "CONNECT is not served here: this is not a forward proxy.",
            Self::WebSocketNotSupported => "This endpoint's backend speaks HTTP/2 and takes no WebSocket.",
            Self::ProtocolNotSupported => {
                "The one protocol CONNECT is served for here is WebSocket (RFC 8441)."
            }
            Self::Loop => "The request came through this proxy too often. A backend sends it back here.",
            Self::TooManyConnections => "Your address has as many connections open as it may. Close some.",
            Self::Overloaded => "The proxy has no room for more now. Come back in a moment.",
            Self::RouteBusy => {
                "As many requests as may be are under way to this name. Come back in a moment."
            }
            Self::BackendBusy => "Every backend has as many requests as it may. Come back, or add replicas.",
            Self::RatePerSource => "Your address asks faster than it may. Ask more slowly.",
            Self::RatePerRoute => "This name is asked for faster than it may be. Come back in a moment.",
            Self::Http2Flood => "The client sends frames that are of no use, faster than it may.",
            Self::ConnectFailed => "No backend took the connection. Is the deployment listening on its port?",
            Self::BackendForbidden => "The backend's address is outside the networks backends may be in.",
            Self::BackendReset => "The backend closed the connection before it answered.",
            Self::BackendGarbage => "The backend's answer was not valid HTTP. Check its backendProtocol.",
            Self::UpgradeIgnored => "The backend answered, but speaks no WebSocket at this path.",
            Self::BackendTimeout => "The backend did not answer in time.",
            Self::ClientGone => "The client broke off.",
            Self::BodyTimeout => "The request's body did not come in time.",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn all_is_every_reason_in_order_with_a_label_of_its_own() {
        let labels: HashSet<_> = Refusal::ALL.iter().map(|refusal| refusal.label()).collect();
        assert_eq!(labels.len(), Refusal::ALL.len());
        for (at, refusal) in Refusal::ALL.iter().enumerate() {
            assert_eq!(*refusal as usize, at, "{refusal:?}");
        }
        assert_eq!(Refusal::BodyTimeout as usize + 1, Refusal::ALL.len());
    }
}
