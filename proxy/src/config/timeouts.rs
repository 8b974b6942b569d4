//! How long each phase may take.

use std::time::Duration;

/// How long each phase may take. Each is one deadline for the whole phase unless it says otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From accept to a whole `ClientHello`. Hellos come at once; more is a slow attack or a dead link.
    pub hello: Duration,
    /// From the hello to the end of the TLS handshake: two round trips of the worst link.
    pub handshake: Duration,
    /// From the first byte of a request's head (or the connection's start) to its last.
    pub head: Duration,
    /// Between requests of one connection. As nginx: a browser comes back within a minute to a page that is being read,
    /// and an idle connection costs little.
    pub keep_alive: Duration,
    /// From SYN to an established connection to a backend. Backends are near: a SYN that was lost is sent
    /// again after one second, and its answer has two.
    pub connect: Duration,
    /// From a sent request head to the first byte of the response; long polls need some patience.
    pub first_byte: Duration,
    /// Without a byte taken by a client that has an answer to read (over HTTP/2: of any one of them), or sent by
    /// one that has a body to send.
    pub stalled: Duration,
    /// For which a client may fall behind `body_rate` in all: a link that is gone for a moment, a retransmission
    /// or two.
    pub body_grace: Duration,
    /// Without a byte of a body in either direction after an answer has begun: a backend that falls silent. Streams of events and of calls are often quiet.
    pub body_idle: Duration,
    /// From when on a request that is still under way is woken by a change of its route's sources. Before,
    /// it learns of one with its next byte.
    pub watched_after: Duration,
    /// Without a byte in either direction of a WebSocket or a passed-through connection. Longer than applications and
    /// databases keep quiet between two pings of theirs; a peer that is gone is noticed by `unacknowledged`.
    pub tunnel_idle: Duration,
    /// What tunnels still get after their route moved, was unbound or removed: to say goodbye in their own protocol,
    /// and no longer, for they lead to what is no longer meant.
    pub tunnel_grace: Duration,
    /// What requests and tunnels still get after a drain began. As long as orchestrators wait before they kill.
    pub drain_grace: Duration,
    /// What the access log still gets to write its last lines after all else has ended.
    pub log_grace: Duration,
    /// How long a refused connection is still read after its answer was written, so that the answer is
    /// not lost to a reset; and how long a connection that was just opened may still ask when a drain begins.
    pub linger: Duration,
    /// Between two looks at the files of certificates: how long a new one waits to be served.
    pub certificate_look: Duration,
    /// For which the kernel keeps what a client has no room for or does not acknowledge, of connections that we have
    /// closed as well (`TCP_USER_TIMEOUT`, RFC 5482): then it resets the connection and gives the memory back.
    /// Longer than `stalled`, which is told by name; tunnels of a client without a link live as long.
    pub unacknowledged: Duration,
    /// For a place among the connections, when all are taken: enough for an idle one to go or a short request
    /// to end, and less than people wait before they try again.
    pub place: Duration,
    /// Without accepting after the process ran out of descriptors or memory for sockets.
    pub accept_backoff: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(5),
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            connect: Duration::from_secs(3),
            first_byte: Duration::from_secs(60),
            stalled: Duration::from_secs(60),
            body_grace: Duration::from_secs(30),
            body_idle: Duration::from_secs(300),
            watched_after: Duration::from_secs(1),
            tunnel_idle: Duration::from_secs(3600),
            tunnel_grace: Duration::from_secs(30),
            drain_grace: Duration::from_secs(30),
            log_grace: Duration::from_secs(5),
            linger: Duration::from_secs(1),
            certificate_look: Duration::from_secs(2),
            unacknowledged: Duration::from_secs(120),
            place: Duration::from_secs(1),
            accept_backoff: Duration::from_millis(100),
        }
    }
}
