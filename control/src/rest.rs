//! The JSON API in the v2 dialect of the rapyuta.io client: translate, call, translate back. Nothing is
//! decided here.
//!
//! - [`Api`]: all of it, on a listener, behind authentication.
//! - `router`: which path leads where.
//! - `call`, `query`, `body`: what a request says; `listing`, `answer`: what it is answered.
//! - `failure`, `status`: from errors to statuses, the only place.
//! - one file per resource.
//!
//! Architecture invariant: no rule of the domain stands here, and no access to the store. The dialect
//! itself stands in `proto::manifest`, for files and for this API alike.

mod answer;
mod body;
mod bookmarks;
mod call;
mod deployments;
mod failure;
mod identity;
mod listing;
mod openapi;
mod packages;
mod projects;
mod query;
mod router;
mod secrets;
mod server;
mod static_routes;
mod status;
mod taken;

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;

use crate::auth::Auth;
use crate::config::ApiLimits;
use crate::service::Service;

use bookmarks::Bookmarks;

pub use server::{Api, bind};

/// What the API works with. Cheap to clone.
#[derive(Clone)]
pub struct Parts {
    service: Service,
    auth: Auth,
    limits: ApiLimits,
    bookmarks: Arc<Bookmarks>,
    refusals: Counter,
}

impl Parts {
    /// Serves what `service` can do to whom `auth` knows; calls that are not admitted are counted in
    /// `refusals`.
    pub fn new(service: Service, auth: Auth, limits: ApiLimits, refusals: Counter) -> Self {
        Self { service, auth, limits, bookmarks: Arc::new(Bookmarks::new(limits.bookmarks)), refusals }
    }
}
