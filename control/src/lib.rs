//! The control plane.
//!
//! ```text
//!            grpc ──► service ──► domain
//!             │          │
//!   auth ◄────┤          ▼
//!             └──► feed ──► store ◄── lease
//! ```
//!
//! Each room uses only rooms of the rows below its own, which a test holds it to.
//!
//! | room | what it is |
//! | --- | --- |
//! | `control` | [`Control`]: all of it, opened, bound, and run until it is told to stop |
//! | [`admin`], [`grpc`], [`rest`] | health and numbers over HTTP; the services of `epr.v1` and the JSON API, which only translate |
//! | `convert` | between messages and the domain, for both of them |
//! | [`auth`], [`feed`], [`lease`], `key_file`, `watch`, `sweeper` | who calls, and may do what; from commits to what proxies serve; how long what a runtime reported counts as alive; the keys that seal secrets; the deployments runtimes are to run; the removal of what is kept for a time only |
//! | [`service`] | what can be done: parse, load, judge, commit |
//! | [`addresses`] | which project's deployments use which backend address |
//! | [`store`] | where the truth is kept |
//! | [`config`] | every number |
//! | [`domain`] | what the platform means. Pure |
//! | [`metrics`], [`drain`], [`tasks`], [`clock`], `private_file` | what everything else is made with |
//!
//! Architecture invariant: this crate knows nothing of how proxies serve traffic.

#![warn(clippy::indexing_slicing)]
#![cfg_attr(not(test), warn(clippy::string_slice))]

pub mod addresses;
pub mod admin;
pub mod auth;
pub mod clock;
pub mod config;
mod control;
mod convert;
pub mod domain;
pub mod drain;
pub mod feed;
pub mod grpc;
mod key_file;
pub mod lease;
pub mod metrics;
mod private_file;
pub mod rest;
pub mod service;
pub mod store;
mod sweeper;
pub mod tasks;
pub mod watch;

pub use config::Config;
pub use control::{Control, OpenError};
pub use convert::offline::Offline;
pub use grpc::ServeError;
pub use key_file::KeyFileError;
