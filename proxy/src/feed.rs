//! Follows the control plane: its routes become this proxy's, revision by revision.
//!
//! [`follow`] keeps one stream open, opens another when it ends or falls silent, and pauses longer each
//! time that fails. What a message means is decided by `session`, which does no I/O. The table that is
//! held is served on, however long control is away; [`FeedState`] tells how long that is.
//!
//! Architecture invariant: a revision is acknowledged only after it is served, and refused with every
//! fault found in it. Nothing of a refused one is served.

mod backoff;
mod connect;
mod session;
mod state;
mod stream;

use std::sync::Arc;

use crate::config::FeedConfig;
use crate::dice::Dice;
use crate::drain::Signal;
use crate::routes::Routes;

pub use state::{FeedState, FeedStatus};

use backoff::Backoff;
use stream::Ended;

/// Follows the feed of `config` until a drain begins. `most` is how many routes a table may have,
/// `seed` draws the pauses.
pub async fn follow(
    config: FeedConfig,
    routes: Arc<Routes>,
    most: usize,
    state: Arc<FeedState>,
    seed: u64,
    mut drain: Signal,
) {
    let (first, longest) = config.backoff;
    let mut backoff = Backoff::new(first, longest, Dice::new(seed));
    let mut fruitless = 0;
    loop {
        let stream = stream::run(&config, &routes, most, &state);
        let ended = tokio::select! {
            ended = stream => ended,
            () = drain.draining() => break,
        };
        state.disconnected(&ended.error);
        fruitless += 1;
        if ended.was_of_use {
            backoff.reset();
            fruitless = 0;
        }
        let pause = backoff.next();
        report(&config, &ended, pause, fruitless);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = drain.draining() => break,
        }
    }
}

/// Fruitless tries in a row that are nothing to tell anybody of: both halves may be starting.
const PATIENCE: u32 = 6;

fn report(config: &FeedConfig, ended: &Ended, pause: std::time::Duration, fruitless: u32) {
    let (url, error) = (config.url.as_str(), ended.error.as_str());
    if ended.was_of_use {
        tracing::warn!(url, error, ?pause, "lost the route feed; serving on with the routes held");
    } else if fruitless > PATIENCE {
        tracing::warn!(url, error, ?pause, "cannot follow the route feed; trying again");
    } else {
        tracing::debug!(url, error, ?pause, "cannot follow the route feed yet; trying again");
    }
}
