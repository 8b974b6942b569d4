//! The command lines of what runs until it is told to stop.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use proto::Hostname;

use super::limits::LimitArgs;
use super::server::DataDir;
use super::timeouts::TimeoutArgs;
use super::values;

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
    /// Where the JSON API is served, which the rio client speaks
    #[arg(long, default_value = "127.0.0.1:7701", value_name = "ADDR", value_parser = values::addr)]
    pub(crate) api: SocketAddr,
    #[command(flatten)]
    pub(crate) base_domains: BaseDomains,
    #[command(flatten)]
    pub(crate) names: NameArgs,
    #[command(flatten)]
    pub(crate) secrets: SecretsArgs,
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
    /// Where the JSON API is served; beyond loopback only with --tls-cert and --tls-key
    #[arg(long, default_value = "127.0.0.1:7701", value_name = "ADDR", value_parser = values::addr)]
    pub(crate) api: SocketAddr,
    /// Where health and metrics are served [default: nowhere]
    #[arg(long, value_name = "ADDR", value_parser = values::addr)]
    pub(crate) admin: Option<SocketAddr>,
    /// PEM file with the certificate chain for gRPC and the JSON API
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
    pub(crate) names: NameArgs,
    #[command(flatten)]
    pub(crate) secrets: SecretsArgs,
    #[command(flatten)]
    pub(crate) data: DataDir,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SecretsArgs {
    /// File of the keys that seal secrets, one a line: the first seals, all open
    /// [default: DATA_DIR/secrets.key, made at the first start]
    #[arg(long, hide_env_values = true, env = "EPR_SECRETS_KEY", value_name = "FILE")]
    pub(crate) secrets_key: Option<PathBuf>,
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
    #[command(flatten)]
    pub(crate) certificates: CertArgs,
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

/// What a proxy ends TLS with.
#[derive(Debug, Args)]
pub(crate) struct CertArgs {
    /// PEM file with a certificate chain served at the edge, leaf first; may be repeated, each with its --key
    /// [default: a development certificate]
    #[arg(long = "cert", requires = "keys", value_name = "FILE")]
    pub(crate) certs: Vec<PathBuf>,
    /// PEM file with the private key of the --cert before it
    #[arg(long = "key", requires = "certs", value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// Directory of certificates, NAME.crt or NAME.pem beside NAME.key; may be repeated
    #[arg(long = "certs", value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,
    /// File of secrets, 64 hexadecimal digits a line, by which all proxies that have it resume each other's
    /// TLS sessions
    #[arg(long, hide_env_values = true, env = "EPR_TICKET_SECRETS", value_name = "FILE")]
    pub(crate) ticket_secrets: Option<PathBuf>,
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
    pub(crate) timeouts: Box<TimeoutArgs>,
    #[command(flatten)]
    pub(crate) limits: Box<LimitArgs>,
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

/// What may be had, and when again.
#[derive(Debug, Clone, Args)]
pub(crate) struct NameArgs {
    /// File of names nobody may claim as static routes beside the built-in ones: one a line, or the
    /// beginning of names and a *
    #[arg(long, value_name = "FILE")]
    pub(crate) reserved_words: Option<PathBuf>,
    /// Add the short id of their organization to the names of static routes
    #[arg(long)]
    pub(crate) organization_suffix: bool,
    /// How long the name of a random route is kept back after its deployment gave it up
    #[arg(long, default_value = "30d", value_name = "TIME", value_parser = values::duration)]
    pub(crate) tombstone: Duration,
    /// How long a backend address is kept from other projects after its last use
    #[arg(long, default_value = "10m", value_name = "TIME", value_parser = values::duration)]
    pub(crate) quarantine: Duration,
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
