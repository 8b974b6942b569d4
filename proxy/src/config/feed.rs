//! How to reach the control plane.

use std::sync::Arc;
use std::time::Duration;

/// How to reach the control plane's route feed.
#[derive(Clone)]
pub struct FeedConfig {
    /// `http://HOST:PORT` or `https://HOST:PORT`.
    pub url: String,
    /// A bearer token with the proxy role. Never logged.
    pub token: String,
    /// How the control plane's certificate is verified; none for `http://`.
    pub ca: Option<Arc<rustls::ClientConfig>>,
    /// Names this proxy in the fleet.
    pub proxy_id: String,
    /// Without a message the stream is taken for dead and opened anew: six heartbeats of control.
    pub silence: Duration,
    /// First and longest pause before reconnecting; each try doubles it, with full jitter, so that a fleet does not come
    /// back to a new control plane all at once.
    pub backoff: (Duration, Duration),
    /// Least time between two writes of the route cache: a restart without control misses no more than that, and many
    /// changes a second are one write.
    pub cache_interval: Duration,
}

impl FeedConfig {
    /// A feed with the default times.
    pub fn new(url: String, token: String, proxy_id: String) -> Self {
        Self {
            url,
            token,
            ca: None,
            proxy_id,
            silence: Duration::from_secs(30),
            backoff: (Duration::from_millis(100), Duration::from_secs(10)),
            cache_interval: Duration::from_secs(1),
        }
    }
}
