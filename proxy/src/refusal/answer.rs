//! What a client who speaks HTTP is answered.

use http::StatusCode;

use super::Refusal;

impl Refusal {
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
            Self::HelloTimeout
            | Self::HandshakeTimeout
            | Self::HeadTimeout
            | Self::BodyTimeout
            | Self::SlowReader => StatusCode::REQUEST_TIMEOUT,
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
            | Self::BodyTimeout
            | Self::SlowReader => None,
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
            Self::SlowReader => "The client took the answer too slowly.",
        }
    }
}
