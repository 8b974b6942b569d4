use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How the feed is, for people and metrics.
#[derive(Debug, Default)]
pub struct FeedState(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    connected: bool,
    since: Option<Instant>,
    heard: Option<Instant>,
    last_error: Option<String>,
    streams: u64,
    applied: u64,
    refused: u64,
}

/// How the feed is at one moment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FeedStatus {
    /// Whether a stream is open.
    pub connected: bool,
    /// How long that has been so; none before the first attempt ended.
    #[serde(serialize_with = "seconds")]
    pub lasting: Option<Duration>,
    /// How long ago control said anything, which is how stale the table may be; none when it never did.
    #[serde(serialize_with = "seconds")]
    pub silent: Option<Duration>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// Streams opened.
    pub streams: u64,
    /// Revisions applied.
    pub applied: u64,
    /// Revisions refused.
    pub refused: u64,
}

impl FeedState {
    /// How it is now.
    pub fn status(&self, now: Instant) -> FeedStatus {
        let inner = self.lock();
        let ago = |at: Instant| now.saturating_duration_since(at);
        FeedStatus {
            connected: inner.connected,
            lasting: inner.since.map(ago),
            silent: inner.heard.map(ago),
            last_error: inner.last_error.clone(),
            streams: inner.streams,
            applied: inner.applied,
            refused: inner.refused,
        }
    }

    pub(super) fn connected(&self) {
        let now = Instant::now();
        let mut inner = self.lock();
        inner.connected = true;
        inner.since = Some(now);
        inner.streams += 1;
    }

    pub(super) fn heard(&self) {
        self.lock().heard = Some(Instant::now());
    }

    pub(super) fn disconnected(&self, error: &str) {
        let now = Instant::now();
        let mut inner = self.lock();
        if inner.connected || inner.since.is_none() {
            inner.since = Some(now);
        }
        inner.connected = false;
        inner.last_error = Some(error.to_owned());
    }

    pub(super) fn applied(&self) {
        self.lock().applied += 1;
    }

    pub(super) fn refused(&self, reasons: &[String]) {
        let mut inner = self.lock();
        inner.refused += 1;
        inner.last_error = Some(format!("refused a revision: {}", reasons.join("; ")));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is whole at every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[allow(clippy::ref_option, reason = "serde gives a reference to the field")]
fn seconds<S: serde::Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => serializer.serialize_some(&duration.as_secs_f64()),
        None => serializer.serialize_none(),
    }
}
