use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use tokio::time::Instant;

use super::super::clock::{Awaited, Clock, Watch};
use super::super::line::{ClientStream, Line};
use crate::buffers::Text;
use crate::config::Config;
use crate::refusal::Refusal;

/// The head of an interim answer on its way to the client (RFC 9110 15.2).
#[derive(Default)]
pub(super) struct Saying {
    text: Text,
    written: usize,
    /// Of a client that does not take it at once.
    watch: Option<Watch>,
}

impl Saying {
    /// `head` is to be said; what was before is said.
    pub(super) fn begin(&mut self, head: Text) {
        *self = Self { text: head, ..Self::default() };
    }

    /// Whether there is something to be said.
    pub(super) fn is_under_way(&self) -> bool {
        !self.text.is_empty()
    }

    /// Whether the client has a part of it, so that nothing but the rest may follow.
    pub(super) fn has_begun(&self) -> bool {
        (1..self.text.len()).contains(&self.written)
    }

    /// Says it to its end.
    pub(super) fn poll<S: ClientStream>(
        &mut self,
        cx: &mut Context<'_>,
        line: &mut Line<S>,
    ) -> Poll<io::Result<()>> {
        if !self.is_under_way() {
            return Poll::Ready(Ok(()));
        }
        while let Some(rest @ [_, ..]) = self.text.get(self.written..) {
            self.written += ready!(line.poll_write(cx, &[IoSlice::new(rest)]))?;
        }
        ready!(line.poll_flush(cx))?;
        self.text.clear();
        Poll::Ready(Ok(()))
    }

    /// Ready when the client takes it too slowly.
    pub(super) fn poll_lapse(
        &mut self,
        cx: &mut Context<'_>,
        clock: &mut Clock,
        config: &Config,
    ) -> Poll<Refusal> {
        let watch = self.watch.get_or_insert_with(|| Watch::new(Instant::now()));
        match watch.judge(cx, clock, Awaited::Reader, self.written as u64, config) {
            Ok(()) => Poll::Pending,
            Err(refusal) => Poll::Ready(refusal),
        }
    }
}
