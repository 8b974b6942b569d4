//! The control plane.
//!
//! ```text
//!            grpc ──► service ──► domain
//!             │          │
//!   auth ◄────┤          ▼
//!             └──► feed ──► store ◄── lease
//! ```
//!
//! - [`Control`]: all of it, opened, bound, and run until it is told to stop. [`config`]: every number.
//! - [`domain`]: what the platform means. Pure.
//! - [`service`]: what can be done: parse, load, judge, commit.
//! - [`store`]: where the truth is kept.
//! - [`feed`]: from commits to what proxies serve, and who serves what.
//! - [`lease`]: how long what a runtime reported counts as alive.
//! - [`grpc`]: the services of `epr.v1`; translates only.
//! - [`auth`]: who calls, and what they may do.
//! - [`admin`]: health and numbers over HTTP.
//! - [`metrics`], [`drain`], [`tasks`], [`clock`]: what everything else is made with.
//!
//! Architecture invariant: this crate knows nothing of how proxies serve traffic.

pub mod admin;
pub mod auth;
pub mod clock;
pub mod config;
mod control;
pub mod domain;
pub mod drain;
pub mod feed;
pub mod grpc;
pub mod lease;
pub mod metrics;
pub mod service;
pub mod store;
pub mod tasks;

pub use config::Config;
pub use control::{Control, OpenError};
pub use grpc::ServeError;
