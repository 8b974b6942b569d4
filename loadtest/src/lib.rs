//! The rig: the real binary, real backends and real clients, on ports of their own.
//!
//! - [`play`] sets a [`Stage`] (a temporary directory, a loopback address of its own), plays a story on it
//!   under a time limit, and shows every log when the story fails.
//! - [`Epr`] is a running `epr up`, `epr control` or `epr proxy`; [`Epr::run`] types an operator's verbs,
//!   [`Epr::api`] speaks gRPC.
//! - [`backend`]: what deployments run: HTTP/1.1, gRPC over h2c, TLS, WebSocket, nginx.
//! - [`Curl`], [`KeepAlive`], [`Talk`], [`load`], [`hello`]: who asks.
//! - [`Reporter`]: the example platform service, as it is, which runs deployments.
//! - [`Rio`]: the real rapyuta.io client, as it is, and its library.
//! - [`chaos`]: a storm over one edge, in which nobody who behaves may come to harm.
//! - [`switch`]: a static route that goes to and fro under load, with a receipt of each turn.
//! - [`manifest`]: the packages, deployments and static routes of the stories.
//!
//! Nothing here is a stand-in: what is missing on the machine fails with the words `run .ci/setup`.

pub mod backend;
pub mod chaos;
mod client;
mod curl;
mod epr;
mod fault;
pub mod hello;
pub mod load;
pub mod manifest;
mod process;
mod reporter;
mod rio;
pub mod scenario;
mod stage;
pub mod switch;
mod talk;
pub mod tools;

pub use client::{Answer, KeepAlive};
pub use curl::{Curl, Page};
pub use epr::{Api, Authenticated, Bearer, Epr, Listening, Start};
pub use fault::{Fault, OrFault, Outcome};
pub use process::Process;
pub use reporter::Reporter;
pub use rio::Rio;
pub use stage::{Stage, eventually, play};
pub use talk::Talk;
