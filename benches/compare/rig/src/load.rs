//! Units of work for a proxy, from one thread: in a closed loop (each connection asks as soon as it was
//! answered) or at a rate, where times count from when a request was meant to be sent.

mod answer;
mod connection;
mod engine;
mod script;
mod tally;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::json;

use crate::clock::{now, seconds};
use crate::sample;
use crate::tls::Group;
use engine::Engine;
use script::Script;
pub(crate) use script::one_get;

/// What a unit of work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// A GET of a body of the size.
    Get,
    /// A POST of a body of the size.
    Upload,
    /// A WebSocket frame of the size and its echo.
    Websocket,
    /// Bytes of the size, from a connection that is passed through by its SNI.
    Passthrough,
}

#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    target: SocketAddr,
    #[arg(long, value_enum, default_value = "get")]
    kind: Kind,
    #[arg(long, default_value_t = 64)]
    size: u64,
    /// File with a host name a line; each unit, or connection under TLS, takes one by chance.
    #[arg(long)]
    hosts: PathBuf,
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// A connection for each unit.
    #[arg(long)]
    once: bool,
    /// Units a second, whatever the answers take; without it the loop is closed.
    #[arg(long)]
    rate: Option<f64>,
    #[arg(long)]
    tls: bool,
    #[arg(long, value_enum, default_value = "x25519")]
    group: Group,
    /// Take up earlier TLS sessions.
    #[arg(long)]
    resume: bool,
    /// Seconds before the measured ones.
    #[arg(long, default_value_t = 1.0)]
    warm: f64,
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    watched: sample::Args,
}

pub(crate) fn run(args: &Args) -> io::Result<()> {
    let script = Script::of(args)?;
    let mut engine = Engine::new(args, script)?;
    engine.run_until(now() + seconds(args.warm))?;
    let warm = engine.tally.units;
    engine.tally.begin();
    let before = sample::take(&args.watched)?;
    engine.run_until(now() + seconds(args.seconds))?;
    let after = sample::take(&args.watched)?;
    let results = engine.tally.results();
    crate::tell(&json!({ "warm_units": warm, "before": before, "after": after, "results": results }))
}
