mod values;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use proto::Hostname;

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

/// Which server a verb talks to, and as whom.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// gRPC address of the control plane [default: what runs with --data-dir]
    #[arg(long, hide_env_values = true, env = "EPR_SERVER", value_name = "URL")]
    pub(crate) server: Option<String>,
    /// File with the bearer token [default: DATA_DIR/admin.token; or the token itself in EPR_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// PEM file with the CA of an https:// server [default: DATA_DIR/tls/ca.pem, else the system's]
    #[arg(long, hide_env_values = true, env = "EPR_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataDir,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DataDir {
    /// Directory with the store, tokens and certificates
    #[arg(
        long,
        hide_env_values = true,
        env = "EPR_DATA_DIR",
        default_value = "epr-data",
        value_name = "DIR"
    )]
    pub(crate) data_dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// Manifests: files, directories (their *.yaml, *.yml, *.json), or - for standard input
    #[arg(short, long = "filename", required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) filenames: Vec<PathBuf>,
    /// Judge everything, create nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// What `get` and `delete` can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    #[value(name = "packages", aliases = ["package", "pkg", "pkgs"])]
    Packages,
    #[value(name = "deployments", aliases = ["deployment", "dep", "deps"])]
    Deployments,
    #[value(name = "static-routes", aliases = ["static-route", "staticroutes", "staticroute", "sr"])]
    StaticRoutes,
    #[value(name = "routes", alias = "route")]
    Routes,
    #[value(name = "proxies", alias = "proxy")]
    Proxies,
}

impl Kind {
    /// Several, and one.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Packages => ("packages", "package"),
            Self::Deployments => ("deployments", "deployment"),
            Self::StaticRoutes => ("static routes", "static route"),
            Self::Routes => ("routes", "route"),
            Self::Proxies => ("proxies", "proxy"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Yaml,
    /// `kind/name`, one a line
    Name,
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// What to show
    pub(crate) kind: Kind,
    /// Only the one of this name; for packages NAME or NAME@VERSION
    pub(crate) name: Option<String>,
    /// How to show it; json and yaml can be applied again
    #[arg(short, long, default_value = "table", value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// Wait until every connected proxy serves it, at most this long [default without a value: 5s]
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "5s",
        value_parser = values::duration)]
    pub(crate) wait: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct BindArgs {
    /// The static route, like hello-web
    pub(crate) route: String,
    /// The deployment, with the endpoint if it has several: hello-blue/WEB
    #[arg(value_name = "DEPLOYMENT[/ENDPOINT]")]
    pub(crate) target: String,
    /// Take the route from the deployment it serves now
    #[arg(long = "move")]
    pub(crate) take: bool,
    #[command(flatten)]
    pub(crate) wait: Wait,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UnbindArgs {
    /// The static route
    pub(crate) route: String,
    #[command(flatten)]
    pub(crate) wait: Wait,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// KIND NAME..., or KIND/NAME...: `delete deployment hello`, `delete package/hello@1.0.0`
    #[arg(value_name = "KIND NAME", required_unless_present = "filenames", conflicts_with = "filenames")]
    pub(crate) what: Vec<String>,
    /// Delete what these manifests declare
    #[arg(short, long = "filename", num_args = 1.., value_name = "PATH")]
    pub(crate) filenames: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A URL, or a host name to be judged for every protocol
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Also apply an example, start backends for it, and print lines to try
    #[arg(long)]
    pub(crate) demo: bool,
    #[command(flatten)]
    pub(crate) edge: EdgeArgs,
    /// Where gRPC is served
    #[arg(long, default_value = "127.0.0.1:7700", value_name = "ADDR", value_parser = values::addr)]
    pub(crate) grpc: SocketAddr,
    #[command(flatten)]
    pub(crate) base_domains: BaseDomains,
    #[command(flatten)]
    pub(crate) data: DataDir,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ControlArgs {
    /// Where gRPC is served; beyond loopback only with --tls-cert and --tls-key
    #[arg(long, default_value = "127.0.0.1:7700", value_name = "ADDR", value_parser = values::addr)]
    pub(crate) grpc: SocketAddr,
    /// Where health and metrics are served [default: nowhere]
    #[arg(long, value_name = "ADDR", value_parser = values::addr)]
    pub(crate) admin: Option<SocketAddr>,
    /// PEM file with the certificate chain for gRPC
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// PEM file with its private key
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) base_domains: BaseDomains,
    #[command(flatten)]
    pub(crate) backends: BackendArgs,
    /// Port of http:// URLs, as clients see it
    #[arg(long, default_value_t = 80, value_name = "PORT")]
    pub(crate) public_http: u16,
    /// Port of https:// and tls:// URLs, as clients see it
    #[arg(long, default_value_t = 443, value_name = "PORT")]
    pub(crate) public_https: u16,
    #[command(flatten)]
    pub(crate) data: DataDir,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ProxyArgs {
    /// gRPC address of the control plane, like http://127.0.0.1:7700
    #[arg(long, hide_env_values = true, env = "EPR_SERVER", value_name = "URL")]
    pub(crate) control: String,
    /// File with a token of the proxy role; control makes one: DATA_DIR/proxy.token
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: PathBuf,
    /// PEM file with the CA of an https:// control plane [default: the system's]
    #[arg(long, hide_env_values = true, env = "EPR_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Names this proxy in the fleet [default: HOSTNAME-HTTPPORT]
    #[arg(long, value_name = "NAME")]
    pub(crate) id: Option<String>,
    /// PEM file with the certificate chain served at the edge [default: a development certificate]
    #[arg(long, requires = "key", value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// PEM file with its private key
    #[arg(long, requires = "cert", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) edge: EdgeArgs,
    #[command(flatten)]
    pub(crate) base_domains: BaseDomains,
    /// Directory with the route cache and certificates
    #[arg(
        long,
        hide_env_values = true,
        env = "EPR_PROXY_DATA_DIR",
        default_value = "epr-proxy",
        value_name = "DIR"
    )]
    pub(crate) data_dir: PathBuf,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

/// Where a proxy listens, and how it serves.
#[derive(Debug, Args)]
pub(crate) struct EdgeArgs {
    /// Where HTTP and WebSocket are served
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR", value_parser = values::addr)]
    pub(crate) http: SocketAddr,
    /// Where HTTPS and Secure TCP are served
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDR", value_parser = values::addr)]
    pub(crate) https: SocketAddr,
    /// Where health, metrics and explanations are served
    #[arg(long, default_value = "127.0.0.1:9901", value_name = "ADDR", value_parser = values::addr)]
    pub(crate) admin: SocketAddr,
    /// Port of http:// URLs, as clients see it [default: the one bound]
    #[arg(long, value_name = "PORT")]
    pub(crate) public_http: Option<u16>,
    /// Port of https:// and tls:// URLs, as clients see it [default: the one bound]
    #[arg(long, value_name = "PORT")]
    pub(crate) public_https: Option<u16>,
    /// Threads that serve connections [default: one per core]
    #[arg(long, value_name = "N", value_parser = values::count)]
    pub(crate) workers: Option<NonZeroUsize>,
    /// Where requests are logged: a file, - for standard output, or off [default: DATA_DIR/access.log]
    #[arg(long, value_name = "FILE")]
    pub(crate) access_log: Option<String>,
    #[command(flatten)]
    pub(crate) backends: BackendArgs,
}

/// Where backends may be.
#[derive(Debug, Args)]
pub(crate) struct BackendArgs {
    /// Network backends may be in; may be repeated [default: private networks; this machine too under
    /// `up`, and where only this machine is served]
    #[arg(long = "backend-network", value_name = "CIDR", value_parser = values::network)]
    pub(crate) backend_networks: Vec<IpNet>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct BaseDomains {
    /// Domains routes live under, the primary one first
    #[arg(long = "base-domain", default_values = ["ep-r.io", "ep-r.localhost"], value_name = "DOMAIN")]
    pub(crate) base_domains: Vec<Hostname>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct LogArgs {
    /// What is logged: error, warn, info, debug, or directives like warn,proxy=debug [default: warn on a
    /// terminal, info elsewhere]
    #[arg(long, hide_env_values = true, env = "EPR_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How it is logged [default: text on a terminal, json elsewhere]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
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
