use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::{Body as _, Frame};
use tokio::time::Instant;

use super::pulse::{Flush, Serving};
use super::window;
use crate::config::Config;
use crate::http::answer::Answer;
use crate::http::clock::{Clock, Watch};
use crate::http::exchange;
use crate::refusal::Refusal;
use crate::upload::Progress;

/// An answer's body on its way into a stream, as fast as the client's windows open.
pub(super) struct Outgoing<'s> {
    answer: Answer,
    send: SendStream<Bytes>,
    serving: &'s Serving,
    /// What was taken from the answer and did not go yet.
    waiting: Bytes,
    sent: u64,
    /// Of a client that opens its window slowly, or not at all.
    watch: Watch,
    /// The backend is waited for.
    rests: bool,
    /// Made when it is waited for first: most answers fit into the window.
    clock: Option<Clock>,
    /// What the client still sends, and how fast it has to.
    upload: Option<Lingering>,
    /// It breaks off with this reason, once what was taken from it before has gone.
    broken: Option<(Reason, Flush)>,
    config: &'s Config,
}

/// A body that still comes while its answer goes.
struct Lingering {
    progress: Rc<Progress>,
    pace: Option<(Clock, Watch)>,
}

impl<'s> Outgoing<'s> {
    pub(super) fn new(
        answer: Answer,
        send: SendStream<Bytes>,
        serving: &'s Serving,
        upload: Option<Rc<Progress>>,
        config: &'s Config,
    ) -> Self {
        // What has no length may be a conversation, and these are often quiet.
        let upload = upload.filter(|upload| upload.has_length);
        Self {
            answer,
            send,
            serving,
            waiting: Bytes::new(),
            sent: 0,
            watch: Watch::from_first_wait(),
            rests: false,
            clock: None,
            upload: upload.map(|progress| Lingering { progress, pace: None }),
            broken: None,
            config,
        }
    }

    /// Sends it to its end, or until one of both sides breaks it off. Dropped before, the stream is reset.
    pub(super) fn run(mut self) -> impl Future<Output = ()> {
        poll_fn(move |cx| self.poll(cx))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.send.poll_reset(cx).is_ready() {
                self.is_left();
                return Poll::Ready(());
            }
            if let Some((reason, flush)) = &mut self.broken {
                let reason = *reason;
                if self.serving.poll_flushed(cx, flush).is_pending() && !self.is_too_slow(cx) {
                    return Poll::Pending;
                }
                self.send.send_reset(reason);
                return Poll::Ready(());
            }
            if !self.waiting.is_empty() {
                match self.poll_waiting(cx) {
                    Poll::Ready(Ok(false)) => continue,
                    Poll::Ready(Ok(true)) => return Poll::Ready(()),
                    Poll::Ready(Err(_)) => {
                        self.is_left();
                        return Poll::Ready(());
                    }
                    Poll::Pending if self.is_too_slow(cx) => {
                        self.answer.cut(Refusal::SlowReader);
                        self.send.send_reset(Reason::CANCEL);
                        return Poll::Ready(());
                    }
                    Poll::Pending => return Poll::Pending,
                }
            }
            let frame = Pin::new(&mut self.answer).poll_frame(cx);
            if frame.is_pending() {
                self.watch.rests(self.sent);
                self.rests = true;
                if self.upload.as_mut().is_some_and(|upload| upload.is_too_slow(cx, self.config)) {
                    self.answer.cut(Refusal::BodyTimeout);
                    self.broken = Some((Reason::CANCEL, Flush::default()));
                    continue;
                }
            }
            match ready!(frame) {
                Some(Ok(frame)) => {
                    if self.take(frame) {
                        return Poll::Ready(());
                    }
                }
                // A reset takes back what h2 has not written yet.
                Some(Err(broken)) => self.broken = Some((broken.reason(), Flush::default())),
                None => {
                    let _gone = self.send.send_data(Bytes::new(), true);
                    return Poll::Ready(());
                }
            }
        }
    }

    /// The client wants no more of it, or is gone.
    fn is_left(&mut self) {
        if self.broken.is_none() {
            self.answer.cut(Refusal::ClientGone);
        }
    }

    /// Sends what the windows have room for; whether that was the end of it all.
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, h2::Error>> {
        let room = ready!(window::poll_room(&mut self.send, cx, self.waiting.len()))?;
        let piece = self.waiting.split_to(room);
        let is_last = self.waiting.is_empty() && self.answer.is_end_stream();
        self.send.send_data(piece, is_last)?;
        self.serving.has_answered(room);
        self.sent += room as u64;
        Poll::Ready(Ok(is_last))
    }

    /// Whether the client takes nothing for too long, or too little.
    fn is_too_slow(&mut self, cx: &mut Context<'_>) -> bool {
        let stalled = self.config.timeouts.stalled;
        let clock = self.clock.get_or_insert_with(|| Clock::new(Instant::now() + stalled));
        if std::mem::take(&mut self.rests) {
            self.watch.resumes(Instant::now(), self.sent);
        }
        self.watch.is_over(cx, clock, self.sent, stalled)
            || self.watch.takes_too_slowly(cx, clock, self.sent, self.config)
    }

    /// Takes the next frame of the answer; whether it was the last one.
    fn take(&mut self, frame: Frame<Bytes>) -> bool {
        match frame.into_data() {
            Ok(data) => {
                self.waiting = data;
                // An end that comes with no data.
                let is_over = self.waiting.is_empty() && self.answer.is_end_stream();
                if is_over {
                    let _gone = self.send.send_data(Bytes::new(), true);
                }
                is_over
            }
            Err(frame) => match frame.into_trailers() {
                Ok(trailers) => {
                    let _gone = self.send.send_trailers(trailers);
                    true
                }
                Err(_) => false,
            },
        }
    }
}

impl Lingering {
    /// Whether the client keeps its backend waiting for what it said that it would send.
    fn is_too_slow(&mut self, cx: &mut Context<'_>, config: &Config) -> bool {
        let is_too_slow = exchange::is_too_slow(cx, &self.progress, &mut self.pace, config);
        // Whoever reads the body for an HTTP/2 backend wakes nobody here when it has to wait.
        let now = Instant::now();
        let (clock, _) =
            self.pace.get_or_insert_with(|| (Clock::new(now + config.timeouts.body_grace), Watch::new(now)));
        let _looks_again = clock.is_past(cx, now + config.timeouts.body_grace);
        is_too_slow
    }
}
