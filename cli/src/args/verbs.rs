//! The command lines of verbs on resources.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use proto::wire::Phase;

use super::kinds::Kind;
use super::server::ServerArgs;
use super::serving::BaseDomains;
use super::values;

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// Manifests: files, directories (their *.yaml, *.yml, *.json), patterns like 'shop/*.yaml', or - for
    /// standard input
    #[arg(short, long = "filename", required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) filenames: Vec<PathBuf>,
    /// Show what would change, change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Manifests: files, directories (their *.yaml, *.yml, *.json), patterns like 'shop/*.yaml', or - for
    /// standard input
    #[arg(short, long = "filename", required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) filenames: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) base_domains: BaseDomains,
}

/// How resources are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    // Without doc comments, which would make every page of help a long one.
    Table,
    Wide,
    Json,
    Yaml,
    Name,
}

#[derive(Debug, Args)]
pub(crate) struct Output {
    /// As a table that fits the terminal, one with every column and nothing cut, documents (those of manifests'
    /// kinds can be applied again), or kind/name
    #[arg(short = 'o', long = "output", default_value = "table", value_name = "FORMAT")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// What to show
    pub(crate) kind: Kind,
    /// Only those of these names; for packages NAME or NAME@VERSION
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Only what carries this label; may be repeated: all are asked for
    #[arg(short = 'l', long = "selector", value_name = "LABEL=VALUE", value_parser = values::label,
        conflicts_with = "names")]
    pub(crate) labels: Vec<(String, String)>,
    /// Only deployments in this phase; may be repeated: any will do
    #[arg(long = "phase", value_name = "PHASE", value_parser = values::phase, conflicts_with = "names")]
    pub(crate) phases: Vec<Phase>,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DescribeArgs {
    /// What it is
    pub(crate) kind: Kind,
    /// Its name; for packages NAME or NAME@VERSION
    pub(crate) name: String,
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
#[command(after_help = "\
What can be waited for:
  deployments     succeeded, running, served, stopped, phase=PHASE
  static-routes   bound, unbound, served
  proxies         current
  any kind        deleted
`served` means that requests from everywhere would be answered by a backend: there is a healthy one for
every URL, and all connected proxies know it. Ends with exit code 4 when the time is over, with 1 when it
can no longer come true.")]
pub(crate) struct WaitArgs {
    /// What it is
    pub(crate) kind: Kind,
    /// Its name
    pub(crate) name: String,
    /// What to wait for
    #[arg(long = "for", value_name = "STATE")]
    pub(crate) state: String,
    /// How long, at most
    #[arg(long, default_value = "5m", value_name = "TIME", value_parser = values::duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RestartArgs {
    /// The deployments
    #[arg(required = true, value_name = "DEPLOYMENT")]
    pub(crate) deployments: Vec<String>,
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
pub(crate) struct WhoAmIArgs {
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell to be completed in
    pub(crate) shell: clap_complete::Shell,
}
