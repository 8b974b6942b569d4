use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How the feed is, for people and metrics.
#[derive(Debug, Default)]
pub struct FeedState(watch::Sender<Inner>);

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
        self.0.borrow().at(now)
    }

    /// Waits until it is as asked for.
    pub async fn becomes(&self, asked_for: impl Fn(&FeedStatus) -> bool) -> FeedStatus {
        let mut states = self.0.subscribe();
        loop {
            let status = states.borrow_and_update().at(Instant::now());
            if asked_for(&status) {
                return status;
            }
            // The sender is this, which is borrowed.
            let _ = states.changed().await;
        }
    }

    pub(super) fn connected(&self) {
        self.0.send_modify(|inner| {
            inner.connected = true;
            inner.since = Some(Instant::now());
            inner.streams += 1;
        });
    }

    pub(super) fn heard(&self) {
        self.0.send_modify(|inner| inner.heard = Some(Instant::now()));
    }

    pub(super) fn disconnected(&self, error: &str) {
        self.0.send_modify(|inner| {
            if inner.connected || inner.since.is_none() {
                inner.since = Some(Instant::now());
            }
            inner.connected = false;
            inner.last_error = Some(error.to_owned());
        });
    }

    pub(super) fn applied(&self) {
        self.0.send_modify(|inner| inner.applied += 1);
    }

    pub(super) fn refused(&self, reasons: &[String]) {
        self.0.send_modify(|inner| {
            inner.refused += 1;
            inner.last_error = Some(format!("refused a revision: {}", reasons.join("; ")));
        });
    }
}

impl Inner {
    fn at(&self, now: Instant) -> FeedStatus {
        let ago = |then: Instant| now.saturating_duration_since(then);
        FeedStatus {
            connected: self.connected,
            lasting: self.since.map(ago),
            silent: self.heard.map(ago),
            last_error: self.last_error.clone(),
            streams: self.streams,
            applied: self.applied,
            refused: self.refused,
        }
    }
}

#[allow(clippy::ref_option, reason = "serde gives a reference to the field")]
fn seconds<S: serde::Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => serializer.serialize_some(&duration.as_secs_f64()),
        None => serializer.serialize_none(),
    }
}
