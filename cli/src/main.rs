//! `epr`: the one binary. Its halves live in the `control` and `proxy` crates, what it says on the wire
//! in `proto`; here is what a person types and reads.
//!
//! - [`args`]: the command line. [`failure`]: how commands end. [`output`]: what they print, [`words`] what
//!   things are called there.
//! - Verbs over gRPC ([`client`]): [`apply`], [`delete`]; [`get`], [`describe`], [`mod@wait`], [`explain`]; [`bind`],
//!   [`restart`]; [`identity`], [`secret`]. [`validate`] needs no server.
//! - [`serve`]: `up`, `control` and `proxy`. [`demo`]: what `up --demo` adds.

mod apply;
mod args;
mod bind;
mod client;
mod delete;
mod demo;
mod describe;
mod explain;
mod failure;
mod get;
mod identity;
mod listening;
mod output;
mod restart;
mod secret;
mod serve;
mod validate;
mod wait;
mod words;

use std::process::ExitCode;

use args::Command;
use client::block_on;
use failure::Failure;

/// A request is some dozen pieces of memory, large and small, which glibc's allocator sorts and merges
/// (docs/PERFORMANCE.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match args::parse() {
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
        Command::Validate(args) => validate::run(&args),
        Command::Apply(args) => block_on(apply::run(args)),
        Command::Delete(args) => block_on(delete::run(args)),
        Command::Get(args) => block_on(get::run(args)),
        Command::Describe(args) => block_on(describe::run(args)),
        Command::Wait(args) => block_on(wait::run(args)),
        Command::Explain(args) => block_on(explain::run(args)),
        Command::Bind(args) => block_on(bind::bind(args)),
        Command::Unbind(args) => block_on(bind::unbind(args)),
        Command::Restart(args) => block_on(restart::run(args)),
        Command::Whoami(args) => block_on(identity::whoami(args)),
        Command::Secret(command) => block_on(secret::run(*command)),
        Command::Token(command) => block_on(identity::token(*command)),
        Command::User(command) => block_on(identity::user(command)),
        Command::Project(command) => block_on(identity::project(command)),
        Command::Organization(command) => block_on(identity::organization(command)),
        Command::Completions(args) => output::write_all(|out| args::complete(args.shell, out)),
    }
}
