use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;

use super::Client;
use crate::limits::Admitted;
use crate::routes::{RouteEntry, TunnelEnd};

/// Watches, while a request is under way, that its client stays among the sources of its route.
///
/// Most requests are over before anything can change. Until one has lasted for a while this costs a look at
/// one flag, and only whoever looks learns of a change; from then on it wakes the one who waits.
pub(super) struct Vigil {
    client: Rc<Client>,
    admitted: Admitted,
    watching: Option<Pin<Box<dyn Future<Output = ()>>>>,
    is_forbidden: bool,
}

impl Vigil {
    /// For a request of `client` that was admitted.
    pub(super) fn new(client: Rc<Client>, admitted: Admitted) -> Self {
        Self { client, admitted, watching: None, is_forbidden: false }
    }

    /// The route the request goes over, as it was when it came.
    pub(super) fn entry(&self) -> &Arc<RouteEntry> {
        self.admitted.entry()
    }

    /// What goes on counting when the request becomes a tunnel, which is watched in another way.
    pub(super) fn into_admitted(self) -> Admitted {
        self.admitted
    }

    /// Wakes whoever asks from now on, and tells what has happened since the entry was looked up.
    pub(super) fn begin(&mut self) {
        if self.watching.is_none() {
            let mut watch = self.client.context.shared.routes.watch(self.entry());
            let source = self.client.peer.ip();
            self.watching = Some(Box::pin(async move {
                // A request in flight keeps its backend: a move is no reason to end it.
                while watch.ended(source).await != TunnelEnd::Forbidden {}
            }));
        }
    }

    /// Whether whoever waits is woken by a change.
    pub(super) fn is_watching(&self) -> bool {
        self.watching.is_some()
    }

    /// Whether the client may not have what it asked for any more.
    pub(super) fn is_forbidden(&mut self, cx: &mut Context<'_>) -> bool {
        if self.entry().has_ended() {
            self.begin();
        }
        if let Some(watching) = self.watching.as_mut().filter(|_| !self.is_forbidden) {
            self.is_forbidden = watching.as_mut().poll(cx).is_ready();
        }
        self.is_forbidden
    }
}
