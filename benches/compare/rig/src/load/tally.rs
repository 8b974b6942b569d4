use std::collections::BTreeMap;
use std::io;

use rustls::{Connection, HandshakeKind};
use serde_json::{Value, json};

use crate::histogram::Histogram;

/// Kinds of errors told apart; there are few in a round that counts.
const ERRORS_MAX: usize = 20;

/// What was done since the measured time began.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) units: u64,
    pub(crate) failed: u64,
    opened: u64,
    /// Units that were not begun, since too many waited.
    pub(crate) dropped: u64,
    latency: Histogram,
    handshakes: BTreeMap<&'static str, u64>,
    groups: BTreeMap<String, u64>,
    errors: BTreeMap<String, u64>,
}

impl Tally {
    /// Forgets what came before.
    pub(crate) fn begin(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn opened(&mut self) {
        self.opened += 1;
    }

    pub(crate) fn done(&mut self, took: u64) {
        self.units += 1;
        self.latency.record(took);
    }

    pub(crate) fn failed(&mut self, error: &io::Error) {
        self.failed += 1;
        let text = error.to_string();
        if self.errors.len() < ERRORS_MAX || self.errors.contains_key(&text) {
            *self.errors.entry(text).or_default() += 1;
        }
    }

    /// How the session came about.
    pub(crate) fn shook_hands(&mut self, session: &Connection) {
        let kind = match session.handshake_kind() {
            Some(HandshakeKind::Full) => "full",
            Some(HandshakeKind::FullWithHelloRetryRequest) => "retried",
            Some(HandshakeKind::Resumed) => "resumed",
            _ => "unknown",
        };
        *self.handshakes.entry(kind).or_default() += 1;
        let group = session.negotiated_key_exchange_group();
        let group = group.map_or_else(|| "none".to_owned(), |group| format!("{:?}", group.name()));
        *self.groups.entry(group).or_default() += 1;
    }

    pub(crate) fn results(&self) -> Value {
        let shares = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)];
        let latency: BTreeMap<_, _> =
            shares.iter().map(|&(name, share)| (name, self.latency.quantile(share))).collect();
        json!({
            "units": self.units,
            "failed": self.failed,
            "opened": self.opened,
            "dropped": self.dropped,
            "errors": self.errors,
            "handshakes": self.handshakes,
            "groups": self.groups,
            "latency": latency,
            "longest": self.latency.largest(),
            "timed": self.latency.total(),
        })
    }
}
