//! `epr`: the one binary. Its halves live in the `control` and `proxy` crates, what it says on the wire
//! in `proto`; here is what a person types and reads.
//!
//! - [`args`]: the command line. [`failure`]: how commands end. [`output`]: what they print.
//! - Verbs over gRPC ([`client`]): [`apply`], [`get`], [`bind`], [`delete`], [`explain`].
//! - [`serve`]: `up`, `control` and `proxy`. [`demo`]: what `up --demo` adds.

mod apply;
mod args;
mod bind;
mod client;
mod delete;
mod demo;
mod explain;
mod failure;
mod get;
mod listening;
mod output;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return args::explain(&error),
    };
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Up(args) => serve::up(args),
        Command::Control(args) => serve::control_alone(args),
        Command::Proxy(args) => serve::proxy_alone(args),
        Command::Apply(args) => client::block_on(apply::run(args)),
        Command::Get(args) => client::block_on(get::run(args)),
        Command::Bind(args) => client::block_on(bind::bind(args)),
        Command::Unbind(args) => client::block_on(bind::unbind(args)),
        Command::Delete(args) => client::block_on(delete::run(args)),
        Command::Explain(args) => client::block_on(explain::run(args)),
    }
}
