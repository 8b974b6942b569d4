//! What must hold whatever comes in. Each target's room has a body, `check`, that asserts it for one input,
//! and `seeds`, inputs to begin with.
//!
//! libFuzzer calls the bodies with inputs it makes up; `proxy/tests/fuzz_bodies.rs` calls the very same
//! as plain tests.

pub mod authority;
pub mod chunked;
pub mod hello;
pub mod http1;
pub mod reference;
pub mod request;
pub mod response;
pub mod route_update;
