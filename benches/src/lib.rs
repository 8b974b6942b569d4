//! What the micro-benches share: clocks, rounds, hosts that repeat, and how results are shown.
//!
//! - [`clock`]: what a piece of work cost, in CPU time of its thread and in wall time.
//! - [`rounds`]: contenders take turns, so that whatever disturbs the machine disturbs them all.
//! - [`Series`], [`Histogram`]: medians with their spread, and percentiles.
//! - [`hosts`], [`Random`]: the same names and routes on every run.
//! - [`Table`], [`machine_line`]: for people in Markdown, for programs in one line of JSON.
#![allow(clippy::cast_possible_truncation, reason = "measurements: far from the bounds of 64 bits")]

pub mod clock;
mod histogram;
pub mod hosts;
pub mod memory;
mod random;
mod report;
pub mod rounds;
mod series;

pub use histogram::Histogram;
pub use random::Random;
pub use report::{Table, bytes, machine_line, nanoseconds, print};
pub use series::Series;
