//! The rig of the side-by-side comparison: everything but the proxies, cheap enough to leave them the
//! scarce core. One thread each, epoll, no allocation for each request.
//!
//! - `load`: units of work, in a closed loop or at a rate, and what they cost the proxy.
//! - `hold`: connections that asked once and are then idle.
//! - `backend`: fixed bodies, an upload sink, WebSocket echo; bytes asked for behind a ClientHello.
//! - `floor`: the bare relay that no proxy can be cheaper than.
//! - `sink`: reads access logs and counts their lines.
//! - `sample`: what processes and cores have worked until now.
#![allow(clippy::cast_possible_truncation, reason = "measurements: far from the bounds of 64 bits")]

mod backend;
mod clock;
mod floor;
mod hold;
mod load;
mod poll;
mod sample;
mod sink;
mod tls;
mod wire;

// They belong to the micro-benches, whose crate brings both halves of epr along.
#[path = "../../../src/histogram.rs"]
#[allow(unreachable_pub, reason = "public in the crate it belongs to")]
mod histogram;
#[path = "../../../src/random.rs"]
#[allow(dead_code, unreachable_pub, reason = "public in the crate it belongs to, which also shuffles")]
mod random;

use std::io::{self, Write as _};

use clap::Parser;

#[derive(Parser)]
#[command(about = "What the side-by-side comparison drives proxies with")]
enum Command {
    /// Asks for units of work and tells what they cost.
    Load(load::Args),
    /// Opens connections that ask once each, as many as standard input says, and keeps them.
    Hold(hold::Args),
    /// Answers what the others ask for.
    Backend(backend::Args),
    /// Relays every connection to the backend, and does nothing else.
    Floor(floor::Args),
    /// Reads a pipe of log lines to its end and counts them.
    Sink(sink::Args),
    /// Tells what processes and cores have worked until now.
    Sample(sample::Args),
}

fn main() -> io::Result<()> {
    match Command::parse() {
        Command::Load(args) => load::run(&args),
        Command::Hold(args) => hold::run(&args),
        Command::Backend(args) => backend::run(&args),
        Command::Floor(args) => floor::run(&args),
        Command::Sink(args) => sink::run(&args),
        Command::Sample(args) => tell(&sample::take(&args)?),
    }
}

/// One line of JSON for whoever started this.
fn tell(what: &serde_json::Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{what}")?;
    out.flush()
}
