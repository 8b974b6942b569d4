use std::net::SocketAddr;
use std::sync::Arc;

use proto::Revision;
use proto::wire::follow_request::Message;
use proto::wire::{self, FollowRequest};
use tokio::sync::watch;
use tonic::{Status, Streaming};

use super::super::Shared;
use super::super::fleet::{Membership, ProxyId, Refused};
use super::{Heard, Hello};
use crate::drain::Signal;

/// Bytes kept of what a proxy says its version is.
const MAX_VERSION: usize = 64;

/// Hears what a proxy says.
pub(super) struct Hearing {
    shared: Arc<Shared>,
    incoming: Streaming<FollowRequest>,
    peer: Option<SocketAddr>,
    heard: watch::Sender<Heard>,
}

/// Why a stream is over: the status the proxy is told, or none when it left by itself.
type Over = Option<Status>;

impl Hearing {
    pub(super) fn new(
        shared: Arc<Shared>,
        incoming: Streaming<FollowRequest>,
        peer: Option<SocketAddr>,
        heard: watch::Sender<Heard>,
    ) -> Self {
        Self { shared, incoming, peer, heard }
    }

    /// Hears the proxy out.
    pub(super) async fn run(mut self, signal: Signal) {
        let over = tokio::select! {
            over = self.converse() => over,
            () = signal.given() => Some(Status::unavailable("this control plane is stopping; connect again")),
        };
        self.heard.send_modify(|heard| heard.over = Some(over));
    }

    async fn converse(&mut self) -> Over {
        let hello = match tokio::time::timeout(self.shared.limits.hello, self.next()).await {
            Ok(Ok(Message::Hello(hello))) => hello,
            Ok(Ok(_)) => return Some(Status::invalid_argument("the first message must be hello")),
            Ok(Err(over)) => return over,
            Err(_) => return Some(Status::deadline_exceeded("no hello came; a proxy says hello first")),
        };
        match self.join(hello) {
            Ok(membership) => {
                let leaving = Leaving { shared: self.shared.clone(), membership };
                self.attend(&leaving.membership).await
            }
            Err(status) => Some(status),
        }
    }

    fn join(&self, hello: wire::Hello) -> Result<Membership, Status> {
        let id = ProxyId::parse(&hello.proxy_id).ok_or_else(|| {
            Status::invalid_argument("proxy_id must be 1 to 128 printable ASCII characters without spaces")
        })?;
        // Of another life of the store, or beyond ours (a copy was put back): it means nothing here.
        let holds = hello.holds.map(Revision::from).filter(|held| self.shared.published().knows(*held));
        let version = cut(hello.version, MAX_VERSION);
        let (peer, held) = (self.peer.map(tracing::field::display), holds.map(tracing::field::display));
        tracing::info!(proxy = id.as_str(), version, peer, holds = held, "a proxy follows");
        let membership = self.shared.fleet.join(id, version, self.peer, holds);
        let membership = membership.map_err(|full| Status::resource_exhausted(full.to_string()))?;
        self.shared.metrics.proxies.inc();
        self.heard.send_modify(|heard| heard.hello = Some(Hello { holds }));
        Ok(membership)
    }

    async fn attend(&mut self, membership: &Membership) -> Over {
        loop {
            let message = tokio::select! {
                message = self.next() => message,
                () = membership.taken_over.cancelled() => {
                    let status = Status::aborted("another stream of this proxy_id has taken over");
                    return Some(status);
                }
            };
            match message {
                Ok(Message::Ack(ack)) => self.ack(membership, ack),
                Ok(Message::Nack(nack)) => self.nack(membership, nack),
                Ok(Message::Hello(_)) => return Some(Status::invalid_argument("hello is said once")),
                Err(over) => return over,
            }
        }
    }

    /// The next message; an error when there will be none.
    async fn next(&mut self) -> Result<Message, Over> {
        let next = tokio::select! {
            next = self.incoming.message() => next,
            // Nobody polls what is sent any more: the proxy has gone.
            () = self.heard.closed() => return Err(None),
        };
        match next {
            Ok(Some(FollowRequest { message: Some(message) })) => Ok(message),
            Ok(Some(_)) => {
                Err(Some(Status::invalid_argument("a message of a kind this control plane lacks")))
            }
            Ok(None) => Err(None),
            Err(status) => Err(Some(status)),
        }
    }

    fn ack(&self, membership: &Membership, ack: wire::Ack) {
        let revision = ack.revision.map(Revision::from);
        let known = revision.filter(|revision| self.shared.published().knows(*revision));
        let Some(revision) = known else {
            let proxy = membership.id.as_str();
            tracing::warn!(proxy, ?revision, "a proxy acknowledges what was not sent");
            return;
        };
        self.heard.send_modify(|heard| heard.nacks_in_a_row = 0);
        self.shared.fleet.ack(membership, revision);
    }

    fn nack(&self, membership: &Membership, nack: wire::Nack) {
        let limits = &self.shared.limits;
        let reasons: Vec<_> = nack.reasons.into_iter().take(limits.reasons).collect();
        let reasons: Vec<_> = reasons.into_iter().map(|reason| cut(reason, limits.reason_bytes)).collect();
        let revision = nack.revision.map_or(self.shared.published().at(), Revision::from);
        tracing::warn!(proxy = membership.id.as_str(), %revision, ?reasons, "a proxy refuses a revision");
        self.shared.metrics.nacks.inc();
        self.shared.fleet.nack(membership, Refused { revision, reasons });
        self.heard.send_modify(|heard| {
            heard.nacks += 1;
            heard.nacks_in_a_row = heard.nacks_in_a_row.saturating_add(1);
            heard.refused = Some(revision);
        });
    }
}

/// Takes the stream out of the fleet, however its task ends.
struct Leaving {
    shared: Arc<Shared>,
    membership: Membership,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        tracing::info!(proxy = self.membership.id.as_str(), "a proxy's stream is over");
        self.shared.fleet.leave(&self.membership);
        self.shared.metrics.proxies.dec();
    }
}

/// `text`, cut to at most `most` bytes at a character.
fn cut(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}
