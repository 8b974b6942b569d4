//! Which control plane a verb talks to, as whom, and in which project.

use std::path::PathBuf;

use clap::Args;

/// Which server a verb talks to, and as whom.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// Project the verb is about, by name or guid [default: the token's]
    #[arg(long, hide_env_values = true, env = "EPR_PROJECT", value_name = "PROJECT")]
    pub(crate) project: Option<String>,
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
