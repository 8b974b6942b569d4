//! The admin server: health, numbers, and answers to why.
//!
//! | path | answer |
//! | --- | --- |
//! | `/live` | 200 while the process can answer at all |
//! | `/ready` | 200 while new connections are wanted: a table is served and no drain has begun; else 503 |
//! | `/metrics` | the Prometheus text format |
//! | `/routes?after=NAME&limit=N` | routes, a page at a time, with what was counted about each |
//! | `/routes?name=NAME` | one route |
//! | `/explain?url=URL&source=IP` | what a request would meet, step by step |
//!
//! Nobody is asked who they are, so it listens on a loopback address, answers only GET and HEAD and
//! changes nothing. On a loopback address it answers nobody who asks by another machine's name: 421.

mod asked;
mod explain;
mod page;
mod query;
mod respond;
mod route;
mod server;

use std::sync::Arc;

use certs::Certificates;

use crate::access_log::Losses;
use crate::config::ExtraMetrics;
use crate::drain::Signal;
use crate::feed::FeedState;
use crate::limits;
use crate::metrics::Metrics;
use crate::routes::Routes;
use crate::routes::cache::CacheState;
use crate::upstream::Networks;

pub use explain::{Explanation, explain};
pub use server::serve;

/// What the admin server looks at.
pub struct Admin {
    /// The table.
    pub routes: Arc<Routes>,
    /// The numbers.
    pub metrics: Arc<Metrics>,
    /// Who has how much.
    pub limits: Arc<limits::Common>,
    /// Where backends may be.
    pub networks: Arc<Networks>,
    /// What is served with TLS.
    pub certificates: Arc<Certificates>,
    /// Whether HTTPS names asked for in the clear are sent on.
    pub redirect_to_https: bool,
    /// How the feed is; none without one.
    pub feed: Option<Arc<FeedState>>,
    /// How the cache is; none without one.
    pub cache: Option<Arc<CacheState>>,
    /// What the access log lost.
    pub log: Arc<Losses>,
    /// More lines for `/metrics`.
    pub extra_metrics: Option<ExtraMetrics>,
    /// Tells of a drain.
    pub drain: Signal,
}

#[cfg(test)]
mod tests;
