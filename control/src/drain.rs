//! One signal, cloned everywhere, that tells the control plane to finish.

use tokio_util::sync::CancellationToken;

/// The hand that gives the signal. Dropping it gives it too, so that nothing outlives its owner.
#[derive(Debug, Default)]
pub struct Drain(CancellationToken);

/// The ear: cheap to clone, one for each who must know.
#[derive(Debug, Clone)]
pub struct Signal(CancellationToken);

impl Drain {
    /// A hand that has not given the signal yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// An ear for this hand.
    pub fn signal(&self) -> Signal {
        Signal(self.0.clone())
    }

    /// Gives the signal: nothing new is taken, streams end, what is under way is finished.
    pub fn start(&self) {
        self.0.cancel();
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.start();
    }
}

impl Signal {
    /// Whether the signal has been given.
    pub fn is_given(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Returns once the signal has been given.
    pub async fn given(&self) {
        self.0.cancelled().await;
    }
}
