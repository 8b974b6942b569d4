//! What deployments run in a storm.

mod frames;
mod sound;
mod tunnel;
mod wild;

pub(super) use frames::{BREAKS, Frames};
pub(super) use sound::{Sound, pattern};
pub(super) use tunnel::{KEY, Tunnel};
pub(super) use wild::{WILD, Wild};

/// What an answer says whose it is, and to which request.
pub(super) const BY: &str = "x-backend";
/// The number of the request.
pub(super) const NUMBER: &str = "x-number";
/// What stands in bytes that belong to no answer: nobody may ever read it.
pub(super) const SMUGGLED: &str = "SMUGGLED";
/// What stands in a request that is hidden behind another: no backend may ever read it.
pub(super) const HIDDEN: &str = "/smuggled/";

/// What a request's target is: its number, and how large an answer it wants.
pub(super) fn target(number: u64, size: u64) -> String {
    format!("/n/{number}/{size}")
}

/// Number and size, of a target that was asked for by somebody.
fn asked(target: &str) -> Option<(u64, u64)> {
    let (number, size) = target.strip_prefix("/n/")?.split_once('/')?;
    Some((number.parse().ok()?, size.parse().ok()?))
}
