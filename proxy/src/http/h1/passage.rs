//! One request to one backend, and its answer back: both ways at once, on one task.

use std::future::poll_fn;
use std::io::IoSlice;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use super::Connection as Client;
use super::clock::Watch;
use super::download::Download;
use super::line::ClientStream;
use super::prepare::Prepared;
use super::reply::{self, Asked, Reply};
use super::upload::{Broke, Step, Upload};
use crate::buffers::Text;
use crate::http::meter::Meter;
use crate::http::vigil::Vigil;
use crate::http1::HeadScan;
use crate::refusal::Refusal;
use crate::upstream::{Connection, Fault};

/// A request under way.
pub(super) struct Passage<'p, S> {
    pub(super) client: &'p mut Client<S>,
    pub(super) backend: Connection,
    pub(super) upload: &'p mut Upload,
    pub(super) vigil: &'p mut Vigil,
    pub(super) asked: &'p Asked,
    pub(super) started: Instant,
    meter: &'p mut Meter,
    /// Whether the request is whole, at the backend.
    pub(super) is_sent: bool,
    /// Whether the backend takes no more of it.
    pub(super) is_deaf: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// The backend failed before a byte of an answer.
    Backend(Fault),
    /// Whatever it is, it is the end of this request.
    Refused(Refusal),
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<'p, S: ClientStream> Passage<'p, S> {
    /// Over `backend`, to which nothing of the request was sent yet.
    pub(super) fn new(
        client: &'p mut Client<S>,
        backend: Connection,
        upload: &'p mut Upload,
        prepared: &'p mut Prepared,
    ) -> Self {
        let Prepared { vigil, asked, started, meter, .. } = prepared;
        let (started, is_sent, is_deaf) = (*started, false, false);
        Self { client, backend, upload, vigil, asked, started, meter, is_sent, is_deaf }
    }

    /// Sends the request and waits for the head of its final answer; interim ones go to the client.
    pub(super) async fn answer(&mut self) -> Result<Reply, Failed> {
        let mut scan = HeadScan::response();
        let mut interim = Interim::default();
        let mut watch = Watch::new(self.started);
        poll_fn(|cx| {
            self.check_source(cx)?;
            let waited = self.upload.waits_for_word();
            let step = self.poll_upload(cx)?;
            if let Poll::Ready(reply) = self.poll_reply(cx, &mut scan, &mut interim)? {
                return Poll::Ready(Ok(reply));
            }
            if self.is_sent && self.client.line.poll_gone(cx).is_err() {
                return Poll::Ready(Err(Refusal::ClientGone.into()));
            }
            let waits = self.upload.waits_for_word();
            if waited && !waits {
                // The client's time begins with the word.
                watch = Watch::new(Instant::now());
            }
            let step = if waits { Step::Backend } else { step };
            let first_byte = self.client.client.context.config().timeouts.first_byte;
            match self.lapse(cx, &mut watch, step, self.upload.passed(), first_byte) {
                Some(Step::Client) => Poll::Ready(Err(Refusal::BodyTimeout.into())),
                Some(Step::Backend | Step::Done) => Poll::Ready(Err(Refusal::BackendTimeout.into())),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Passes the answer on to its end, and what the client still sends.
    ///
    /// # Errors
    /// Why it ends before its end: if the client has some of it, it must see that it is not all.
    pub(super) async fn relay(&mut self, download: &mut Download) -> Result<(), Refusal> {
        let mut watch = Watch::from_first_wait();
        poll_fn(|cx| {
            self.check_source(cx)?;
            self.poll_upload(cx).map_err(Failed::refusal)?;
            let step = match download.poll(cx, &mut self.client.line, &mut self.backend) {
                Ok(Step::Done) => return Poll::Ready(Ok(())),
                Ok(step) => step,
                Err(refusal) => return Poll::Ready(Err(refusal)),
            };
            if self.is_sent && self.client.line.poll_gone(cx).is_err() {
                return Poll::Ready(Err(Refusal::ClientGone));
            }
            // It may end here without another word, by the end of a drain.
            self.meter.moved_straight(self.upload.passed(), download.passed());
            let body_idle = self.client.client.context.config().timeouts.body_idle;
            let moved = self.upload.passed() + download.passed();
            match self.lapse(cx, &mut watch, step, moved, body_idle) {
                Some(Step::Client) => Poll::Ready(Err(Refusal::SlowReader)),
                Some(Step::Backend | Step::Done) => Poll::Ready(Err(Refusal::BackendTimeout)),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Who has kept everyone waiting for too long, if anyone has: the client, or the backend for `limit`.
    fn lapse(
        &mut self,
        cx: &mut Context<'_>,
        watch: &mut Watch,
        waits_for: Step,
        moved: u64,
        limit: Duration,
    ) -> Option<Step> {
        let config = self.client.client.context.config();
        let clock = &mut self.client.clock;
        let is_over = match waits_for {
            Step::Client => {
                watch.is_over(cx, clock, moved, config.timeouts.stalled)
                    || watch.is_too_slow(cx, clock, moved, config)
            }
            Step::Backend | Step::Done => {
                watch.rests(moved);
                watch.is_over(cx, clock, moved, limit)
            }
        };
        is_over.then_some(waits_for)
    }

    /// Sends on what the client sends. A backend that takes no more may still answer.
    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Result<Step, Failed> {
        if self.is_sent || self.is_deaf {
            return Ok(Step::Done);
        }
        match self.upload.poll(cx, &mut self.client.line, &mut self.backend) {
            Ok(Step::Done) => self.is_sent = true,
            Ok(step) => return Ok(step),
            Err(Broke::Client(refusal)) => return Err(refusal.into()),
            Err(Broke::Backend) => self.is_deaf = true,
        }
        Ok(Step::Done)
    }

    fn poll_reply(
        &mut self,
        cx: &mut Context<'_>,
        scan: &mut HeadScan,
        interim: &mut Interim,
    ) -> Poll<Result<Reply, Failed>> {
        let context = self.client.client.context.clone();
        loop {
            ready!(interim.poll(cx, self.client)).map_err(|_| Refusal::ClientGone)?;
            let length = match ready!(self.backend.poll_head(cx, scan, &context.bounds)) {
                Ok(length) => length,
                Err(fault) => return Poll::Ready(Err(Failed::Backend(fault))),
            };
            let head = self.backend.unread().get(..length).unwrap_or_default();
            let is_whole = self.is_sent && !self.is_deaf;
            let reply = reply::read(head, self.asked, is_whole, &context)?;
            match reply {
                Reply::Interim(reply::Interim { head, is_continue }) => {
                    *interim = Interim { text: head, written: 0 };
                    if is_continue {
                        self.upload.is_asked_for();
                    }
                }
                Reply::Final(_) => {
                    self.backend.consume(length);
                    return Poll::Ready(Ok(reply));
                }
            }
            let counted = self.backend.consume_interim(length, &context.bounds);
            counted.map_err(Failed::Backend)?;
            *scan = HeadScan::response();
        }
    }

    /// Whether the client may still have what it asked for.
    fn check_source(&mut self, cx: &mut Context<'_>) -> Result<(), Refusal> {
        let watched_after = self.client.client.context.config().timeouts.watched_after;
        if !self.vigil.is_watching() && self.client.clock.is_past(cx, self.started + watched_after) {
            self.vigil.begin();
        }
        if self.vigil.is_forbidden(cx) { Err(Refusal::SourceNotAllowed) } else { Ok(()) }
    }
}

/// The head of an interim answer on its way to the client (RFC 9110 15.2).
#[derive(Default)]
struct Interim {
    text: Text,
    written: usize,
}

impl Interim {
    fn poll<S: ClientStream>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Client<S>,
    ) -> Poll<std::io::Result<()>> {
        if self.text.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while let Some(rest @ [_, ..]) = self.text.get(self.written..) {
            self.written += ready!(client.line.poll_write(cx, &[IoSlice::new(rest)]))?;
        }
        ready!(client.line.poll_flush(cx))?;
        self.text.clear();
        Poll::Ready(Ok(()))
    }
}

impl Failed {
    /// What the client is told.
    pub(super) fn refusal(self) -> Refusal {
        match self {
            Self::Backend(fault) => fault.refusal(),
            Self::Refused(refusal) => refusal,
        }
    }
}
