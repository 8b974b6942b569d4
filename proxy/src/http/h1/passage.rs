//! One request to one backend, and its answer back: both ways at once, on one task.

mod interim;

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use tokio::time::Instant;

use super::Connection as Client;
use super::clock::{Awaited, Watch};
use super::download::Download;
use super::line::ClientStream;
use super::prepare::Prepared;
use super::reply::{self, Asked, Reply};
use super::upload::{Broke, Step, Upload};
use crate::http::meter::Meter;
use crate::http::vigil::Vigil;
use crate::http1::HeadScan;
use crate::refusal::Refusal;
use crate::upstream::{Connection, Fault};

use interim::Saying;

/// A request under way.
pub(super) struct Passage<'p, S> {
    pub(super) client: &'p mut Client<S>,
    pub(super) backend: Connection,
    pub(super) upload: &'p mut Upload,
    pub(super) vigil: &'p mut Vigil,
    pub(super) asked: &'p Asked,
    pub(super) started: Instant,
    meter: &'p mut Meter,
    /// What the client is told before the answer.
    saying: Saying,
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
    /// The same, where the client has a part of an interim answer, or takes none of it: nothing can be said to it.
    Cut(Refusal),
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
        let (started, saying) = (*started, Saying::default());
        Self { client, backend, upload, vigil, asked, started, meter, saying, is_sent: false, is_deaf: false }
    }

    /// Sends the request and waits for the head of its final answer; interim ones go to the client.
    pub(super) async fn answer(&mut self) -> Result<Reply, Failed> {
        let mut scan = HeadScan::response();
        let mut watch = Watch::new(self.started);
        let answered = poll_fn(|cx| self.poll_answer(cx, &mut scan, &mut watch)).await;
        answered.map_err(|failed| match failed {
            Failed::Refused(refusal) if self.saying.has_begun() => Failed::Cut(refusal),
            failed => failed,
        })
    }

    fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        scan: &mut HeadScan,
        watch: &mut Watch,
    ) -> Poll<Result<Reply, Failed>> {
        self.check_source(cx)?;
        let waited = self.upload.waits_for_word();
        let step = self.poll_upload(cx)?;
        if let Poll::Ready(reply) = self.poll_reply(cx, scan)? {
            return Poll::Ready(Ok(reply));
        }
        if self.is_sent && self.client.line.poll_gone(cx).is_err() {
            return Poll::Ready(Err(Refusal::ClientGone.into()));
        }
        let config = self.client.client.context.config();
        let clock = &mut self.client.clock;
        if self.saying.is_under_way() {
            // Neither is the backend heard meanwhile nor can the client be told anything else.
            return Poll::Ready(Err(Failed::Cut(ready!(self.saying.poll_lapse(cx, clock, config)))));
        }
        let waits = self.upload.waits_for_word();
        if waited && !waits {
            // The client's time begins with the word.
            *watch = Watch::new(Instant::now());
        }
        let awaited = match step {
            Step::Client if !waits => Awaited::Sender,
            Step::Client | Step::Backend | Step::Done => Awaited::Backend(config.timeouts.first_byte),
        };
        watch.judge(cx, clock, awaited, self.upload.passed(), config)?;
        Poll::Pending
    }

    /// Passes the answer on to its end, and what the client still sends.
    ///
    /// # Errors
    /// Why it ends before its end: if the client has some of it, it must see that it is not all.
    pub(super) async fn relay(&mut self, download: &mut Download) -> Result<(), Refusal> {
        let [mut silent, mut taking, mut uploading] = [const { Watch::from_first_wait() }; 3];
        poll_fn(|cx| {
            self.check_source(cx)?;
            let sends = self.poll_upload(cx).map_err(Failed::refusal)?;
            let step = match download.poll(cx, &mut self.client.line, &mut self.backend) {
                Ok(Step::Done) => return Poll::Ready(Ok(())),
                Ok(step) => step,
                Err(refusal) => return Poll::Ready(Err(refusal)),
            };
            if self.is_sent && self.client.line.poll_gone(cx).is_err() {
                return Poll::Ready(Err(Refusal::ClientGone));
            }
            let (sent, taken) = (self.upload.passed(), download.passed());
            // It may end here without another word, by the end of a drain.
            self.meter.moved_straight(sent, taken);
            let config = self.client.client.context.config();
            let clock = &mut self.client.clock;
            if sends == Step::Client && self.upload.is_owed() {
                uploading.judge(cx, clock, Awaited::Sender, sent, config)?;
            } else {
                uploading.rests(sent);
            }
            match step {
                // What it sends meanwhile does not buy it time to take.
                Step::Client => taking.judge(cx, clock, Awaited::Reader, taken, config)?,
                Step::Backend | Step::Done => {
                    taking.pauses(taken);
                    let awaited = Awaited::Backend(config.timeouts.body_idle);
                    silent.judge(cx, clock, awaited, sent + taken, config)?;
                }
            }
            Poll::Pending
        })
        .await
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

    fn poll_reply(&mut self, cx: &mut Context<'_>, scan: &mut HeadScan) -> Poll<Result<Reply, Failed>> {
        let context = self.client.client.context.clone();
        loop {
            ready!(self.saying.poll(cx, &mut self.client.line)).map_err(|_| Refusal::ClientGone)?;
            let length = match ready!(self.backend.poll_head(cx, scan, &context.bounds)) {
                Ok(length) => length,
                Err(fault) => return Poll::Ready(Err(Failed::Backend(fault))),
            };
            let head = self.backend.unread().get(..length).unwrap_or_default();
            let is_whole = self.is_sent && !self.is_deaf;
            let reply = reply::read(head, self.asked, is_whole, &context)?;
            match reply {
                Reply::Interim(reply::Interim { head, is_continue }) => {
                    self.saying.begin(head);
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

impl Failed {
    /// What the client is told.
    pub(super) fn refusal(self) -> Refusal {
        match self {
            Self::Backend(fault) => fault.refusal(),
            Self::Refused(refusal) | Self::Cut(refusal) => refusal,
        }
    }
}
