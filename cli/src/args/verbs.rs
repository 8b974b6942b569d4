//! The command lines of verbs.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::server::ServerArgs;
use super::values;

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
