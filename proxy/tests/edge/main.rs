//! The edge from outside: a real proxy on ports of its own, real backends, real clients.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what goes wrong in a test, or in what it sets up, fails it; clippy knows only `#[test]` functions"
)]

mod backend;
mod backends;
mod client;
mod drain;
mod grpc;
mod h2;
mod http1;
mod limits;
mod loops;
mod matrix;
mod moving;
mod observed;
mod passthrough;
mod slow_readers;
mod sources;
mod stage;
mod tls;
mod tracing;
mod websocket;
mod wire;
