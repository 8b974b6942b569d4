//! What deployments run: real servers, each on a port of its own, each ending with its owner.

mod http;
mod nginx;
mod python;
mod raw;
mod secure;

pub use http::HttpBackend;
pub use nginx::Nginx;
pub use python::{PythonBackend, grpc, websocket};
pub use raw::{RawBackend, Then};
pub use secure::SecureBackend;
