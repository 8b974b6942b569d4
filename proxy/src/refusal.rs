//! Why traffic was not served.
//!
//! The one list, and one table (`facts`) of what follows from each reason: its label, the status, the TLS alert,
//! whether the connection closes, and when to come back. A new reason does not compile without its row. The same label stands in the answer's `epr-refusal` field, the access log and the metrics.

mod advice;
mod alert;
mod facts;

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
    /// The client sent a request's body too slowly, or nothing more of it.
    BodyTimeout,
    /// The client took an answer too slowly, or nothing more of it.
    SlowReader,
}

impl Refusal {
    /// Every reason, in the order of their discriminants.
    pub const ALL: [Self; 50] = [
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
        Self::SlowReader,
    ];

    /// The stable name, in answers, logs and metrics.
    pub const fn label(self) -> &'static str {
        self.facts().label
    }

    /// The status of the answer, where HTTP is spoken. Reasons met before HTTP have the status that
    /// logs show for them.
    pub const fn status(self) -> StatusCode {
        self.facts().status
    }

    /// The alert that tells a client whose hello was refused; none where the connection just closes.
    pub const fn tls_alert(self) -> Option<Alert> {
        self.facts().alert
    }

    /// Whether the client's connection closes after the answer: when what follows on it cannot be
    /// trusted to be a request, or was never to be.
    pub const fn closes(self) -> bool {
        self.facts().closes
    }

    /// Whether a connection on which an answer breaks off is reset, and what the kernel still holds of the answer
    /// thrown away: who does not take it, or may not have it any more. Others get all that came before.
    pub const fn resets(self) -> bool {
        self.facts().resets
    }

    /// When to come back, in seconds, where coming back may help.
    pub const fn retry_after(self) -> Option<u32> {
        self.facts().retry_after
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
        assert_eq!(Refusal::SlowReader as usize + 1, Refusal::ALL.len());
    }
}
