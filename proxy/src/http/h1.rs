//! HTTP/1.1 with clients: heads are read strictly, bodies are passed on as they come.
//!
//! [`serve`] is the life of a connection, [`one`] that of a request on it. A request to an HTTP/1.1 backend
//! takes the straight way: its rewritten head and its body are written to a backend's connection by the
//! client's own task ([`passage`]). What goes to an HTTP/2 backend goes as frames ([`bridge`]).
//!
//! Architecture invariant: nothing a client sends reaches a backend that [`crate::http1`] has not found to
//! be one message with one framing.

mod bridge;
mod download;
mod line;
mod next;
mod passage;
mod prepare;
mod reply;
mod say;
mod straight;
mod tunnel;
mod upload;

use std::future::Future;
use std::ops::Range;
use std::rc::Rc;

use tokio::time::Instant;

use super::{Client, clock};
pub(crate) use line::ClientStream;

use clock::Clock;
use line::Line;
use next::Next;
use prepare::Way;
use straight::Passed;

/// A client's connection on which HTTP/1.1 is spoken.
struct Connection<S> {
    line: Line<S>,
    clock: Clock,
    client: Rc<Client>,
    /// When it was opened, or its last answer ended.
    idle_since: Instant,
    /// Requests answered so far.
    served: u32,
}

/// What becomes of a connection after a request.
enum After {
    /// The next request may come.
    Persists,
    /// It closes in order. Where `unheard`, the client may still be sending.
    Closes { unheard: bool },
    /// The client must see that what it has is not all. Where only the connection's end could tell it
    /// otherwise, or what is on its way shall not wait for it, that has to be a `reset`.
    Breaks { reset: bool },
    /// It became something else, which is over.
    Over,
}

/// Serves HTTP/1.0 and HTTP/1.1 to the connection's end.
///
/// Not an `async fn`: that would hold all it is given twice, and this is held by each idle connection.
pub(crate) fn serve<S: ClientStream>(stream: S, client: Rc<Client>) -> impl Future<Output = ()> {
    let now = Instant::now();
    let config = client.context.config();
    let clock = Clock::new(now + config.timeouts.head);
    let line = Line::new(stream, config.limits.http1_buffer());
    let mut connection = Connection { line, clock, client, idle_since: now, served: 0 };
    async move {
        loop {
            let head = match connection.next().await {
                Next::Head(head) => head,
                Next::End => return connection.close(false).await,
                Next::Refused(refusal, fault) => return connection.refuse_all(refusal, fault).await,
            };
            // Most connections wait for a request, and shall not carry the room for one.
            match Box::pin(one(&mut connection, head)).await {
                After::Persists => {
                    connection.idle_since = Instant::now();
                    connection.served = connection.served.saturating_add(1);
                }
                After::Closes { unheard } => {
                    // Who did not ask for the end may have asked for more already.
                    let is_ours = connection.is_at_its_last() || connection.client.context.is_draining();
                    return connection.close(unheard || is_ours).await;
                }
                After::Breaks { reset: true } => return connection.line.reset(),
                After::Breaks { reset: false } | After::Over => return,
            }
        }
    }
}

impl<S> Connection<S> {
    /// Whether no more requests may come than the one that is next, or under way.
    fn is_at_its_last(&self) -> bool {
        let most = self.client.context.config().limits.requests_per_connection.get();
        self.served >= most - 1
    }
}

/// Serves the request whose head was read.
async fn one<S: ClientStream>(connection: &mut Connection<S>, head: Range<usize>) -> After {
    let bytes = connection.line.inbound.unread().get(head.clone()).unwrap_or_default();
    let is_last = connection.is_at_its_last();
    let prepared = prepare::prepare(&connection.client, bytes, Instant::now(), is_last);
    connection.line.inbound.consume(head.end);
    // Most requests go neither in frames nor become a tunnel, and shall not carry the room for that.
    let turned = match prepared {
        Ok((Way::Straight(mut upload), mut prepared)) => {
            match straight::pass(connection, &mut prepared, &mut upload).await {
                Passed::Over(after) => return after,
                Passed::Switched(answered) => {
                    Box::pin(straight::switch(connection, prepared, answered)).await;
                    return After::Over;
                }
                Passed::Refused(refusal) => straight::turned(prepared, refusal, &upload),
            }
        }
        Ok((Way::Frames(frames), prepared)) => {
            return Box::pin(bridge::pass(connection, prepared, frames)).await;
        }
        Err(turned) => *turned,
    };
    connection.refuse(turned).await
}
