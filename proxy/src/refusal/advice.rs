use super::Refusal;

impl Refusal {
    /// What happened and what helps, for the person who reads the answer.
    pub const fn advice(self) -> &'static str {
        match self {
            // Asked for what is not there.
            Self::NoRoute => "No route has this name. Check the spelling, or create and bind a static route.",
            Self::Unbound => "This static route serves no deployment now. Bind it to an endpoint.",
            Self::NoBackend => {
                "No healthy backend serves this endpoint now. Look at the deployment's status."
            }
            Self::SourceNotAllowed => "Your address is not in this route's sourceIPRange.",

            // Asked in the wrong place.
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

            // Not what this port speaks.
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

            // A request that must not be forwarded.
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

            // More than there may be.
            Self::TooManyConnections => "Your address has as many connections open as it may. Close some.",
            Self::Overloaded => "The proxy has no room for more now. Come back in a moment.",
            Self::RouteBusy => {
                "As many requests as may be are under way to this name. Come back in a moment."
            }
            Self::BackendBusy => "Every backend has as many requests as it may. Come back, or add replicas.",
            Self::RatePerSource => "Your address asks faster than it may. Ask more slowly.",
            Self::RatePerRoute => "This name is asked for faster than it may be. Come back in a moment.",
            Self::Http2Flood => "The client sends frames that are of no use, faster than it may.",

            // The backend's fault.
            Self::ConnectFailed => "No backend took the connection. Is the deployment listening on its port?",
            Self::BackendForbidden => "The backend's address is outside the networks backends may be in.",
            Self::BackendReset => "The backend closed the connection before it answered.",
            Self::BackendGarbage => "The backend's answer was not valid HTTP. Check its backendProtocol.",
            Self::UpgradeIgnored => "The backend answered, but speaks no WebSocket at this path.",
            Self::BackendTimeout => "The backend did not answer in time.",

            // The client's doing.
            Self::ClientGone => "The client broke off.",
            Self::BodyTimeout => "The request's body did not come in time.",
            Self::SlowReader => "The client took the answer too slowly.",
        }
    }
}
