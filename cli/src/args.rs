//! The command line: [`serving`] what runs until it is told to stop, [`verbs`] and [`identity`] what is done
//! and over. [`help`] is what `epr` alone says.

#[cfg(test)]
mod documented;
mod help;
mod identity;
mod kinds;
mod limits;
mod server;
mod serving;
mod timeouts;
mod values;
mod verbs;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{FromArgMatches as _, Parser, Subcommand};

pub(crate) use identity::{
    CreateProjectArgs, CreateTokenArgs, DeleteNamedArgs, Labels, ListTokensArgs, OrganizationCommand,
    ProjectCommand, SecretCommand, SetOrganizationArgs, SetSecretArgs, SetUserArgs, TokenCommand,
    UserCommand,
};
pub(crate) use kinds::Kind;
pub(crate) use server::ServerArgs;
pub(crate) use serving::{
    BackendArgs, CertArgs, ControlArgs, EdgeArgs, LogArgs, LogFormat, NameArgs, ProxyArgs, UpArgs,
};
pub(crate) use values::phase;
pub(crate) use verbs::{
    ApplyArgs, BindArgs, CompletionsArgs, DeleteArgs, DescribeArgs, ExplainArgs, Format, GetArgs,
    RestartArgs, UnbindArgs, ValidateArgs, Wait, WaitArgs, WhoAmIArgs,
};

use crate::failure::Exit;

/// External proxy for rapyuta.io deployments: declare, deploy, bind, serve.
#[derive(Debug, Parser)]
#[command(name = "epr", version, arg_required_else_help = true)]
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
    /// Judge manifests without a server, and tell all that is wrong with them
    Validate(ValidateArgs),
    /// Create or update what manifests declare; returns when the connected proxies serve it
    Apply(ApplyArgs),
    /// Delete resources, stop deployments
    Delete(DeleteArgs),
    /// Show resources of a kind
    Get(GetArgs),
    /// Tell all there is to know of one resource
    Describe(DescribeArgs),
    /// Wait until a resource is as it should be
    Wait(WaitArgs),
    /// Tell what a request to a URL would meet, and why
    Explain(ExplainArgs),
    /// Let a static route serve a deployment
    Bind(BindArgs),
    /// Let a static route serve nothing
    Unbind(UnbindArgs),
    /// Start deployments anew as they are
    Restart(RestartArgs),
    /// Tell who you are, and what you may do
    Whoami(WhoAmIArgs),
    /// Image registries' credentials, and values for executables alone
    #[command(subcommand)]
    Secret(Box<SecretCommand>),
    /// What callers prove with who they are
    #[command(subcommand)]
    Token(Box<TokenCommand>),
    /// Who may do what
    #[command(subcommand)]
    User(UserCommand),
    /// What resources belong to
    #[command(subcommand)]
    Project(ProjectCommand),
    /// What projects belong to
    #[command(subcommand, visible_alias = "org")]
    Organization(OrganizationCommand),
    /// Write what a shell needs to complete command lines of epr
    Completions(CompletionsArgs),
}

/// Reads the command line of this process.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    read(std::env::args_os())
}

fn read(line: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>) -> Result<Cli, clap::Error> {
    let mut command = help::command();
    let mut matches = command.try_get_matches_from_mut(line)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Writes to `out` the completions for a shell.
pub(crate) fn complete(shell: clap_complete::Shell, out: &mut dyn std::io::Write) {
    clap_complete::generate(shell, &mut help::command(), "epr", out);
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

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        help::command().debug_assert();
    }

    #[test]
    fn a_secret_holds_something() {
        let told = read(["epr", "secret", "create", "app"]).unwrap_err().to_string();
        assert!(told.contains("--docker|--from-literal <KEY=VALUE>|--from-file <[KEY=]FILE>"), "{told}");
        read(["epr", "secret", "create", "app", "--from-literal", "a=1", "--from-file", "b=c"]).unwrap();
    }

    #[test]
    fn the_data_directory_may_come_before_the_command() {
        let dir = |line: &[&str]| match read(line).unwrap().command {
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
        let wait = |line: &[&str]| match read(line).unwrap().command {
            Command::Bind(args) => (args.wait.wait, args.target),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(&["epr", "bind", "r", "d"]).0, None);
        let (length, target) = wait(&["epr", "bind", "r", "--wait", "d/WEB"]);
        assert_eq!((length, target.as_str()), (Some(Duration::from_secs(5)), "d/WEB"));
        assert_eq!(wait(&["epr", "bind", "--wait=250ms", "r", "d"]).0, Some(Duration::from_millis(250)));
    }
}
