//! What a client is told by us: refusals, and the end of its connection.

use std::future::poll_fn;
use std::io::IoSlice;
use std::task::{Context, Poll, ready};

use http::HeaderValue;
use tokio::time::Instant;

use super::clock::Watch;
use super::line::ClientStream;
use super::prepare::Turned;
use super::{After, Connection};
use crate::buffers::Text;
use crate::http::refuse::{self, Then};
use crate::http1::Fault;
use crate::refusal::Refusal;
use crate::splice::Bare as _;

/// Under which name a request that is none is refused.
pub(super) fn refusal(fault: Fault) -> Refusal {
    match fault {
        Fault::Http2Preface => Refusal::Http2OnPlain,
        Fault::HeadTooLong | Fault::TooManyFields => Refusal::HeadTooLong,
        Fault::TargetTooLong => Refusal::TargetTooLong,
        Fault::UnknownCoding => Refusal::UnknownCoding,
        Fault::BadVersion => Refusal::VersionNotSupported,
        Fault::UnknownExpectation => Refusal::ExpectationFailed,
        Fault::NotHttp
        | Fault::BadRequestLine
        | Fault::BadStatusLine
        | Fault::BadTarget
        | Fault::BadField
        | Fault::BareLineFeed
        | Fault::BareCarriageReturn
        | Fault::Nul
        | Fault::ObsoleteFolding
        | Fault::AmbiguousLength
        | Fault::BadLength
        | Fault::BadCoding
        | Fault::CodingInHttp10
        | Fault::BadChunk
        | Fault::BadTrailer
        | Fault::Truncated => Refusal::BadRequest,
    }
}

impl<S: ClientStream> Connection<S> {
    /// Refuses the request that was just read.
    pub(super) async fn refuse(&mut self, turned: Turned) -> After {
        let Turned { declined, fault, is_head, is_http10, persists, meter } = turned;
        if declined.refusal == Refusal::ClientGone {
            return After::Breaks { reset: false };
        }
        let persists = persists && !self.client.context.is_draining();
        if let Some(mut meter) = meter {
            meter.refused(declined.refusal);
        } else {
            self.client.note(declined.refusal);
        }
        let location = declined.location.as_ref().map(HeaderValue::as_bytes);
        let text = refuse::message(
            declined.refusal,
            fault,
            location,
            is_head,
            match (persists, is_http10) {
                (false, _) => Then::Closes,
                (true, false) => Then::Persists,
                (true, true) => Then::PersistsAloud,
            },
            &self.client.context.date(),
        );
        match self.say(&text).await {
            Ok(()) if persists => After::Persists,
            Ok(()) => After::Closes { unheard: true },
            Err(_) => After::Breaks { reset: false },
        }
    }

    /// Refuses whatever comes on this connection, and closes it.
    pub(super) async fn refuse_all(&mut self, refusal: Refusal, fault: Option<Fault>) {
        self.client.note(refusal);
        let text = refuse::message(refusal, fault, None, false, Then::Closes, &self.client.context.date());
        if self.say(&text).await.is_ok() {
            self.close(true).await;
        }
    }

    /// Closes in order. Where the client may still be sending (`unheard`) it is listened to for a moment, or
    /// the kernel would send a reset that overtakes our last words (RFC 9112 9.6).
    pub(super) async fn close(&mut self, unheard: bool) {
        if !unheard && self.line.bare().is_some() {
            // What is dropped with nothing of it unread ends in order by that alone.
            return;
        }
        let due = Instant::now() + self.client.context.config().timeouts.linger;
        let mut is_shut = false;
        poll_fn(|cx| {
            if self.clock.is_past(cx, due) {
                return Poll::Ready(());
            }
            if !is_shut {
                match self.line.poll_shutdown(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Ready(Ok(())) => is_shut = true,
                }
            }
            if !unheard && self.line.inbound.is_empty() {
                return Poll::Ready(());
            }
            loop {
                let unread = self.line.inbound.unread().len();
                self.line.inbound.consume(unread);
                match ready!(self.line.poll_more_head(cx)) {
                    Ok(0) | Err(_) => return Poll::Ready(()),
                    Ok(_) => {}
                }
            }
        })
        .await;
    }

    /// Writes `text` whole.
    async fn say(&mut self, text: &Text) -> std::io::Result<()> {
        let stalled = self.client.context.config().timeouts.stalled;
        let (mut written, mut watch) = (0, Watch::new(Instant::now()));
        poll_fn(|cx| {
            if let Poll::Ready(said) = self.poll_say(cx, text, &mut written) {
                return Poll::Ready(said);
            }
            if watch.is_over(cx, &mut self.clock, written as u64, stalled) {
                return Poll::Ready(Err(std::io::ErrorKind::TimedOut.into()));
            }
            Poll::Pending
        })
        .await
    }

    fn poll_say(
        &mut self,
        cx: &mut Context<'_>,
        text: &[u8],
        written: &mut usize,
    ) -> Poll<std::io::Result<()>> {
        while let Some(rest @ [_, ..]) = text.get(*written..) {
            *written += ready!(self.line.poll_write(cx, &[IoSlice::new(rest)]))?;
        }
        self.line.poll_flush(cx)
    }
}
