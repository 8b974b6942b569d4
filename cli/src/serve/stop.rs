use std::future::Future;

use proxy::drain::{Drain, Signal};
use tokio::signal::unix::{self, SignalKind};

use crate::failure::Failure;
use crate::output::remark;

/// SIGTERM and SIGINT: the first asks everything to end, the second cuts what has not ended.
pub(super) struct Stop {
    drain: Drain,
    signal: Signal,
    received: tokio::sync::Mutex<(unix::Signal, unix::Signal)>,
}

impl Stop {
    /// Listens from now on; must be called within a runtime.
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            unix::signal(kind)
                .map_err(|error| Failure::refused(format_args!("cannot listen to signals: {error}")))
        };
        let received = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?).into();
        let (drain, signal) = proxy::drain::channel();
        Ok(Self { drain, signal, received })
    }

    /// For the proxy, which drains by itself.
    pub(super) fn signal(&self) -> Signal {
        self.signal.clone()
    }

    /// Returns once everything is to end.
    pub(super) async fn asked(&self) {
        self.signal.clone().draining().await;
    }

    /// Returns once what has not ended is to be cut.
    pub(super) async fn cut(&self) {
        self.signal.clone().cut().await;
    }

    /// Asks as a signal would.
    pub(super) fn ask(&self) {
        self.drain.start();
    }

    /// Cuts as a second signal would.
    pub(super) fn cut_now(&self) {
        self.drain.cut();
    }

    /// Runs `work` to its end, passing signals on meanwhile.
    pub(super) async fn until_done<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            done = work => done,
            () = self.pass_on() => std::future::pending().await,
        }
    }

    async fn pass_on(&self) {
        let mut received = self.received.lock().await;
        let (terminate, interrupt) = &mut *received;
        for asked_before in [false, true] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if asked_before {
                self.drain.cut();
            } else {
                remark("stopping: what is open is given time to finish; once more to cut it");
                self.drain.start();
            }
        }
        std::future::pending().await
    }
}
