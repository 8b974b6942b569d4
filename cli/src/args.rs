//! The command line: [`serving`] what runs until it is told to stop, [`verbs`] what is done and over.

mod server;
mod serving;
mod values;
mod verbs;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

pub(crate) use server::ServerArgs;
pub(crate) use serving::{BackendArgs, ControlArgs, EdgeArgs, LogArgs, LogFormat, ProxyArgs, UpArgs};
pub(crate) use verbs::{
    ApplyArgs, BindArgs, DeleteArgs, ExplainArgs, Format, GetArgs, Kind, UnbindArgs, Wait,
};

use crate::failure::Exit;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused or failed
  2  wrong command line
  3  no server reached";

/// External proxy for rapyuta.io deployments: declare, deploy, bind, serve.
#[derive(Debug, Parser)]
#[command(name = "epr", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Every command has this option; here it may stand before the command as well
    #[arg(long, global = true, hide = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything: control plane and proxy in one process
    Up(UpArgs),
    /// Run the control plane alone
    Control(ControlArgs),
    /// Run a proxy alone, following a control plane
    Proxy(ProxyArgs),
    /// Create what manifests declare; returns when the connected proxies serve it
    Apply(ApplyArgs),
    /// Show resources
    Get(GetArgs),
    /// Let a static route serve a deployment
    Bind(BindArgs),
    /// Let a static route serve nothing
    Unbind(UnbindArgs),
    /// Delete packages and static routes, stop deployments
    Delete(DeleteArgs),
    /// Tell what a request to a URL would meet, and why
    Explain(ExplainArgs),
}

/// Answers a command line that is not to be run: help, version, or what is wrong with it.
pub(crate) fn explain(error: &clap::Error) -> ExitCode {
    // Standard output for help, standard error for errors; if it is closed there is nobody to tell.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(Exit::Usage as u8),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_data_directory_may_come_before_the_command() {
        let dir = |line: &[&str]| match Cli::try_parse_from(line).unwrap().command {
            Command::Get(args) => args.server.data.data_dir,
            Command::Proxy(args) => args.data_dir,
            other => panic!("{other:?}"),
        };
        let proxy = ["epr", "proxy", "--control", "http://c", "--token-file", "t"];
        assert_eq!(dir(&["epr", "--data-dir", "d", "get", "routes"]), PathBuf::from("d"));
        assert_eq!(dir(&["epr", "get", "routes", "--data-dir", "d"]), PathBuf::from("d"));
        assert_eq!(dir(&["epr", "get", "routes"]), PathBuf::from("epr-data"));
        assert_eq!(dir(&proxy), PathBuf::from("epr-proxy"));
        assert_eq!(dir(&[&["epr", "--data-dir", "d"], &proxy[1..]].concat()), PathBuf::from("d"));
    }

    #[test]
    fn waiting_has_a_default_length() {
        let wait = |line: &[&str]| match Cli::try_parse_from(line).unwrap().command {
            Command::Bind(args) => (args.wait.wait, args.target),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(&["epr", "bind", "r", "d"]).0, None);
        let (length, target) = wait(&["epr", "bind", "r", "--wait", "d/WEB"]);
        assert_eq!((length, target.as_str()), (Some(Duration::from_secs(5)), "d/WEB"));
        assert_eq!(wait(&["epr", "bind", "--wait=250ms", "r", "d"]).0, Some(Duration::from_millis(250)));
    }
}
