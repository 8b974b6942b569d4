use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use http::StatusCode;
use tokio::time::Instant;

use super::headers::RequestId;
use super::{Client, Door};
use crate::access_log::{End, Note, Words};
use crate::config::Timeouts;
use crate::metrics::{Tunnel, Via};
use crate::refusal::Refusal;
use crate::relay::TunnelMeter;
use crate::routes::RouteEntry;
use crate::upload::Progress;
use crate::upstream::Lease;

/// What is told of a request's head.
pub(super) struct Seen<'h> {
    pub(super) is_h2: bool,
    pub(super) method: &'h str,
    /// With its query, which is not recorded.
    pub(super) path: &'h str,
    pub(super) user_agent: Option<&'h [u8]>,
}

/// The account of one request. Whatever way the request ends, dropping this counts and logs it.
pub(crate) struct Meter {
    client: Rc<Client>,
    via: Via,
    started: Instant,
    entry: Option<Arc<RouteEntry>>,
    upload: Option<Rc<Progress>>,
    bytes_in: u64,
    status: Option<StatusCode>,
    refusal: Option<Refusal>,
    bytes_out: u64,
    /// Only where lines go somewhere.
    note: Option<Box<Note>>,
}

impl Meter {
    /// For a request whose head was just read, at `started`.
    pub(super) fn new(client: Rc<Client>, seen: &Seen<'_>, started: Instant) -> Self {
        let via = match (&client.door, seen.is_h2) {
            (Door::Plain, _) => Via::Http,
            (Door::Tls { .. }, true) => Via::HttpsH2,
            (Door::Tls { .. }, false) => Via::HttpsH1,
        };
        let note = client.context.log.is_on().then(|| {
            let protocol = if seen.is_h2 { "h2" } else { "http/1.1" };
            let words = Words::new(seen.method, seen.path, seen.user_agent);
            let tls = via != Via::Http;
            Box::new(Note { words, ..Note::new(SystemTime::now(), client.peer, protocol, tls) })
        });
        Self {
            client,
            via,
            started,
            entry: None,
            upload: None,
            bytes_in: 0,
            status: None,
            refusal: None,
            bytes_out: 0,
            note,
        }
    }

    /// When its head was read.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// Whose it is, if anyone's.
    pub(super) fn found(&mut self, name: &str, entry: Option<&Arc<RouteEntry>>) {
        self.entry = entry.cloned();
        if let (Some(note), None) = (&mut self.note, entry) {
            note.asked = Some(name.into());
        }
    }

    /// The id it goes to the backend with.
    pub(super) fn named(&mut self, id: &RequestId<'_>) {
        if let Some(note) = &mut self.note {
            note.words.named(id.as_bytes());
        }
    }

    /// Whether it brings a body.
    pub(super) fn uploads(&mut self, upload: Option<Rc<Progress>>) {
        self.upload = upload;
    }

    /// How far its body came.
    pub(super) fn upload(&self) -> Option<Rc<Progress>> {
        self.upload.clone()
    }

    /// The backend it goes to; the second one when there are two.
    pub(super) fn goes_to(&mut self, lease: &Lease, retried: bool) {
        if retried {
            self.client.context.metrics().retries.inc();
        }
        if let Some(note) = &mut self.note {
            note.retried = retried;
            note.upstream = Some(lease.upstream().clone());
        }
    }

    /// The head of the answer is there.
    pub(super) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// It is not served.
    pub(super) fn refused(&mut self, refusal: Refusal) {
        self.refusal = Some(refusal);
        self.status = Some(refusal.status());
    }

    /// Bytes of the answer were taken by the client's connection.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.bytes_out += bytes as u64;
    }

    /// Bytes of bodies that went straight through: from the client, and to it.
    pub(super) fn moved_straight(&mut self, from: u64, to: u64) {
        (self.bytes_in, self.bytes_out) = (from, to);
    }

    /// The backend failed in the middle of its answer, whose status is said already. The client sees
    /// that it does not end as it should.
    pub(super) fn cut_short(&mut self, refusal: Refusal) {
        self.refusal = Some(refusal);
    }

    /// Bytes of both bodies so far.
    pub(super) fn moved(&self) -> u64 {
        self.bytes_out + self.upload.as_ref().map_or(0, |upload| upload.bytes.get())
    }

    /// How long what is accounted for here may take.
    pub(super) fn timeouts(&self) -> &Timeouts {
        &self.client.context.config().timeouts
    }

    /// The account of the tunnel the request has become. The record is written when that ends.
    pub(super) fn become_tunnel(&mut self, entry: &Arc<RouteEntry>) -> TunnelMeter {
        let mut note = self.note.take();
        if let Some(note) = &mut note {
            note.protocol = "websocket";
            note.status = self.status;
        }
        let context = self.client.context.clone();
        TunnelMeter::begin(context, Tunnel::WebSocket, entry.clone(), self.started, note)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let metrics = self.client.context.metrics();
        if self.status.is_none() {
            // Nobody waited for the answer.
            self.refusal = Some(Refusal::ClientGone);
        }
        let bytes_in = self.upload.as_ref().map_or(self.bytes_in, |upload| upload.bytes.get());
        let status = self.status.unwrap_or(Refusal::ClientGone.status());
        metrics.request(self.via, status, took);
        metrics.bytes_in.add(bytes_in);
        metrics.bytes_out.add(self.bytes_out);
        if let Some(refusal) = self.refusal {
            metrics.refusal(refusal);
        }
        if let Some(entry) = &self.entry {
            let counters = entry.counters(self.client.context.worker);
            counters.requests.inc();
            counters.refused.add(u64::from(self.refusal.is_some()));
            counters.bytes_in.add(bytes_in);
            counters.bytes_out.add(self.bytes_out);
        }
        if let Some(note) = &mut self.note {
            note.status = self.status;
            let (entry, refusal, bytes_out) = (self.entry.as_deref(), self.refusal, self.bytes_out);
            self.client.context.log.write(note, &End { took, entry, refusal, bytes_in, bytes_out });
        }
    }
}
