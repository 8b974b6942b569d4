//! What must hold whatever comes in. Each target's room has a body, `check`, that asserts it for one input,
//! and `seeds`, inputs to begin with.
//!
//! libFuzzer calls the bodies with inputs it makes up; `proxy/tests/fuzz_bodies.rs` calls the very same
//! as plain tests.

pub mod authority;
pub mod chunked;
pub mod forward;
pub mod found;
pub mod h2_frames;
pub mod hello;
pub mod http1;
pub mod reference;
pub mod request;
pub mod response;
pub mod route_update;

/// A fuzz target.
pub struct Target {
    /// What it is called.
    pub name: &'static str,
    /// Panics where what must hold does not.
    pub check: fn(&[u8]),
    seeds: fn() -> Vec<Vec<u8>>,
    found: &'static str,
}

/// All of them.
pub const TARGETS: [Target; 8] = [
    target("authority", authority::check, authority::seeds, include_str!("../found/authority.txt")),
    target("chunked", chunked::check, chunked::seeds, include_str!("../found/chunked.txt")),
    target("forward", forward::check, forward::seeds, include_str!("../found/forward.txt")),
    target("h2_frames", h2_frames::check, h2_frames::seeds, include_str!("../found/h2_frames.txt")),
    target("hello", hello::check, hello::seeds, include_str!("../found/hello.txt")),
    target("request", request::check, request::seeds, include_str!("../found/request.txt")),
    target("response", response::check, response::seeds, include_str!("../found/response.txt")),
    target(
        "route_update",
        route_update::check,
        route_update::seeds,
        include_str!("../found/route_update.txt"),
    ),
];

const fn target(
    name: &'static str,
    check: fn(&[u8]),
    seeds: fn() -> Vec<Vec<u8>>,
    found: &'static str,
) -> Target {
    Target { name, check, seeds, found }
}

impl Target {
    /// Inputs to begin with: those written by hand, and those a fuzzer found to lead elsewhere.
    pub fn inputs(&self) -> Vec<Vec<u8>> {
        (self.seeds)().into_iter().chain(found::read(self.found)).collect()
    }
}
