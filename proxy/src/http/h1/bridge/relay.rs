use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::time::Instant;

use super::super::Connection;
use super::super::clock::{Awaited, Watch};
use super::super::line::ClientStream;
use super::super::upload::{Broke, Step};
use super::feed::Feeder;
use super::frames::Outgoing;
use crate::refusal::Refusal;
use crate::upload::Progress;

/// An answer on its way to a client that may still be sending.
pub(super) struct Relay<'r, S> {
    connection: &'r mut Connection<S>,
    feeder: Feeder,
    answer: Outgoing,
    /// Of what the client has said that it would send. What has no length may be one half of a conversation, and
    /// these are often quiet.
    owed: Option<Rc<Progress>>,
    sending: Watch,
    taking: Watch,
}

impl<'r, S: ClientStream> Relay<'r, S> {
    /// Of an upload that came as far as `progress` says.
    pub(super) fn new(
        connection: &'r mut Connection<S>,
        feeder: Feeder,
        progress: Option<Rc<Progress>>,
        answer: Outgoing,
    ) -> Self {
        let owed = progress.filter(|upload| upload.has_length);
        let (sending, taking) = (Watch::from_first_wait(), Watch::new(Instant::now()));
        Self { connection, feeder, answer, owed, sending, taking }
    }

    /// Whether the upload came to its end.
    pub(super) fn is_whole(&self) -> bool {
        self.feeder.is_over()
    }

    /// Passes on what there is. Ready at the answer's end.
    ///
    /// # Errors
    /// Why it ends before its end.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        let moved = self.poll_both(cx);
        if let Poll::Ready(Err(refusal)) = moved {
            self.answer.cut(refusal);
        }
        moved
    }

    fn poll_both(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        let sends = self.poll_upload(cx)?;
        let takes = self.answer.poll(cx, &mut self.connection.line)?;
        let config = self.connection.client.context.config();
        let clock = &mut self.connection.clock;
        if let Some(upload) = &self.owed {
            let sent = upload.bytes.get();
            match sends {
                Step::Client => self.sending.judge(cx, clock, Awaited::Sender, sent, config)?,
                Step::Backend | Step::Done => self.sending.rests(sent),
            }
        }
        let taken = self.answer.passed();
        match takes {
            Step::Done => return Poll::Ready(Ok(())),
            Step::Client => self.taking.judge(cx, clock, Awaited::Reader, taken, config)?,
            // The answer keeps its own time.
            Step::Backend => self.taking.rests(taken),
        }
        Poll::Pending
    }

    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Result<Step, Refusal> {
        let line = &mut self.connection.line;
        match self.feeder.poll(cx, line) {
            Ok(Step::Done) if line.poll_gone(cx).is_err() => Err(Refusal::ClientGone),
            Ok(step) => Ok(step),
            Err(Broke::Client(refusal)) => Err(refusal),
            Err(Broke::Backend) => Ok(Step::Done),
        }
    }
}
