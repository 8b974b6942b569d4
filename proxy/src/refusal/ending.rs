//! What becomes of the client's connection.

use super::Refusal;

impl Refusal {
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
            | Self::BodyTimeout
            | Self::SlowReader => true,
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

    /// Whether a connection on which an answer breaks off is reset, and what the kernel still holds of the answer
    /// thrown away: who does not take it, or may not have it any more. Others get all that came before.
    pub const fn resets(self) -> bool {
        match self {
            Self::SourceNotAllowed | Self::ClientGone | Self::SlowReader => true,
            Self::NoRoute
            | Self::Unbound
            | Self::NoBackend
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
            | Self::Loop
            | Self::TooManyConnections
            | Self::Overloaded
            | Self::RouteBusy
            | Self::BackendBusy
            | Self::RatePerSource
            | Self::RatePerRoute
            | Self::Http2Flood
            | Self::ConnectFailed
            | Self::BackendForbidden
            | Self::BackendReset
            | Self::BackendGarbage
            | Self::UpgradeIgnored
            | Self::BackendTimeout
            | Self::BodyTimeout => false,
        }
    }
}
