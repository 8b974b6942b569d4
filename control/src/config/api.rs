use std::time::Duration;

/// Every number of the HTTP API.
#[derive(Debug, Clone, Copy)]
pub struct ApiLimits {
    /// Connections open at once; more wait in the kernel's queue.
    pub connections: usize,
    /// The TLS handshake of a connection.
    pub handshake: Duration,
    /// How long a request's head may take to arrive, and a connection may stay idle.
    pub head: Duration,
    /// How long a request's body may take to arrive.
    pub body: Duration,
    /// How long a request may be worked on once it is there.
    pub work: Duration,
    /// How long a client may take to take its answer.
    pub answer: Duration,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Items of a list when the caller names no number.
    pub page_default: usize,
    /// Most items of a list.
    pub page_most: usize,
    /// Bytes of a list's answer; a list with fewer items has to be asked for beyond them.
    pub answer_bytes: usize,
    /// Places in lists that are remembered, so that the next page begins where the last one ended.
    pub bookmarks: usize,
    /// Without accepting after the process ran out of descriptors.
    pub accept_backoff: Duration,
    /// What requests under way still get after a drain began.
    pub drain_grace: Duration,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(60),
            body: Duration::from_secs(30),
            work: Duration::from_secs(30),
            answer: Duration::from_secs(60),
            body_bytes: 1 << 20,
            head_bytes: 64 << 10,
            page_default: 50,
            page_most: 1_000,
            answer_bytes: 32 << 20,
            bookmarks: 4_096,
            accept_backoff: Duration::from_millis(100),
            drain_grace: Duration::from_secs(10),
        }
    }
}
