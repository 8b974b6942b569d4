//! One signal, cloned everywhere, that tells the proxy to finish.

use std::time::Duration;

use tokio::sync::watch;

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Serving as always.
    Serving,
    /// Nothing new is taken; what is open gets its grace.
    Draining,
    /// What is still open is cut.
    Cut,
}

/// The hand that gives the signal. Dropping it starts a drain, so that a proxy never outlives its owner.
#[derive(Debug)]
pub struct Drain(watch::Sender<Phase>);

/// The ear: cheap to clone, one for each who must know.
#[derive(Debug, Clone)]
pub struct Signal(watch::Receiver<Phase>);

/// A hand and an ear.
pub fn channel() -> (Drain, Signal) {
    let (sender, receiver) = watch::channel(Phase::Serving);
    (Drain(sender), Signal(receiver))
}

impl Drain {
    /// Begins to drain.
    pub fn start(&self) {
        self.raise(Phase::Draining);
    }

    /// Cuts at once what is still open.
    pub fn cut(&self) {
        self.raise(Phase::Cut);
    }

    fn raise(&self, to: Phase) {
        self.0.send_if_modified(|phase| {
            let raised = to > *phase;
            *phase = to.max(*phase);
            raised
        });
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.start();
    }
}

impl Signal {
    /// How far the end has come now.
    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Whether nothing new is to be taken.
    pub fn is_draining(&self) -> bool {
        self.phase() >= Phase::Draining
    }

    /// Returns once a drain has begun.
    pub async fn draining(&mut self) {
        self.reached(Phase::Draining).await;
    }

    /// Returns once what is open is to be cut. A dropped hand never cuts: grace runs out by itself.
    pub async fn cut(&mut self) {
        self.reached(Phase::Cut).await;
    }

    async fn reached(&mut self, phase: Phase) {
        if self.0.wait_for(|now| *now >= phase).await.is_err() && phase > self.phase() {
            std::future::pending::<()>().await;
        }
    }
}

/// How a drain went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DrainReport {
    /// From the signal to the end.
    pub took: Duration,
    /// Connections open when the drain began.
    pub open: usize,
    /// Of these, the ones that did not end within their grace and were cut.
    pub cut: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn phases_only_rise() {
        let (drain, mut signal) = channel();
        assert!(!signal.is_draining());
        drain.cut();
        drain.start();
        assert_eq!(signal.phase(), Phase::Cut);
        signal.draining().await;
        signal.cut().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_hand_drains_but_does_not_cut() {
        let (drain, mut signal) = channel();
        drop(drain);
        signal.draining().await;
        let cut = tokio::time::timeout(Duration::from_secs(60), signal.cut()).await;
        assert!(cut.is_err() && signal.is_draining());
    }
}
