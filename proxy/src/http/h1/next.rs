use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as Task, Poll, ready};

use tokio::time::{Instant, sleep};

use super::Connection;
use super::line::ClientStream;
use super::say::refusal;
use crate::context::Context;
use crate::http1::{Bounds, Fault, HeadScan};
use crate::limits::idle::{self, IdleGuard};
use crate::refusal::Refusal;

/// What comes next on a connection.
pub(super) enum Next {
    /// A request, whose head is this part of what was read.
    Head(Range<usize>),
    /// Nothing: the client has closed, or was silent for long, or we end.
    End,
    /// Something that is no request; what is wrong with it where that is known.
    Refused(Refusal, Option<Fault>),
}

/// Where a connection waits of which nothing is known that it will ask.
enum Stand {
    /// It was just opened. Few wait here for long, so what it takes is not kept in place.
    Fresh(Pin<Box<dyn Future<Output = ()>>>),
    /// It has asked before.
    Idle(IdleGuard),
}

impl Stand {
    fn new(context: &Rc<Context>, is_fresh: bool) -> Self {
        if !is_fresh {
            return Self::Idle(idle::enter(&context.limits.idle));
        }
        let (mut drain, linger) = (context.drain.clone(), context.config().timeouts.linger);
        Self::Fresh(Box::pin(async move {
            drain.draining().await;
            sleep(linger).await;
        }))
    }

    /// Ready when it has to go.
    fn poll_leave(&mut self, cx: &mut Task<'_>) -> Poll<()> {
        match self {
            Self::Fresh(leave) => leave.as_mut().poll(cx),
            Self::Idle(guard) => guard.poll_leave(cx),
        }
    }
}

impl<S: ClientStream> Connection<S> {
    /// Waits for the next head.
    ///
    /// While nothing of it has come the connection may be closed at any time without a word: by a drain too.
    /// But who came through the queue as the drain began has asked, or is just about to: such a one is left a
    /// moment to.
    pub(super) async fn next(&mut self) -> Next {
        let context = self.client.context.clone();
        let timeouts = &context.config().timeouts;
        let is_fresh = self.served == 0;
        let patience = if is_fresh { timeouts.head } else { timeouts.keep_alive };
        let mut due = self.idle_since + patience;
        let (mut scan, mut has_begun, mut stand) = (HeadScan::request(), false, None);
        poll_fn(|cx| {
            if let Poll::Ready(next) = self.poll_next(cx, &mut scan, &context.bounds) {
                return Poll::Ready(next);
            }
            if !is_blank(self.line.inbound.unread()) && !std::mem::replace(&mut has_begun, true) && !is_fresh
            {
                due = Instant::now() + timeouts.head;
            }
            if has_begun {
                stand = None;
            } else if stand.get_or_insert_with(|| Stand::new(&context, is_fresh)).poll_leave(cx).is_ready() {
                return Poll::Ready(Next::End);
            }
            match self.clock.is_past(cx, due) {
                false => Poll::Pending,
                true if has_begun => Poll::Ready(Next::Refused(Refusal::HeadTimeout, None)),
                true => Poll::Ready(Next::End),
            }
        })
        .await
    }

    /// What the bytes say that are there.
    fn poll_next(&mut self, cx: &mut Task<'_>, scan: &mut HeadScan, bounds: &Bounds) -> Poll<Next> {
        loop {
            let is_empty = self.line.inbound.is_empty();
            if !is_empty {
                match scan.look(self.line.inbound.unread(), bounds) {
                    Ok(Some(head)) => return Poll::Ready(Next::Head(head)),
                    Ok(None) => {}
                    Err(fault) => return Poll::Ready(Next::Refused(refusal(fault), Some(fault))),
                }
            }
            if self.line.has_ended {
                let cut = Next::Refused(Refusal::BadRequest, Some(Fault::Truncated));
                return Poll::Ready(if is_blank(self.line.inbound.unread()) { Next::End } else { cut });
            }
            if ready!(self.line.poll_more_head(cx)).is_err() {
                return Poll::Ready(Next::End);
            }
        }
    }
}

/// Whether nothing of a request is there: blank lines before one are no part of it (RFC 9112 2.2).
fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
}
