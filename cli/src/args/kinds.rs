use clap::ValueEnum;

/// What verbs name by KIND.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Kind {
    #[value(name = "packages", aliases = ["package", "pkg", "pkgs"])]
    Packages,
    #[value(name = "deployments", aliases = ["deployment", "dep", "deps"])]
    Deployments,
    #[value(name = "static-routes", aliases = ["static-route", "staticroutes", "staticroute", "sr"])]
    StaticRoutes,
    #[value(name = "secrets", alias = "secret")]
    Secrets,
    #[value(name = "routes", alias = "route")]
    Routes,
    #[value(name = "proxies", alias = "proxy")]
    Proxies,
    #[value(name = "projects", alias = "project")]
    Projects,
    #[value(name = "organizations", aliases = ["organization", "orgs", "org"])]
    Organizations,
    #[value(name = "users", alias = "user")]
    Users,
    #[value(name = "tokens", alias = "token")]
    Tokens,
}

impl Kind {
    /// Several, and one, as a sentence has them.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Packages => ("packages", "package"),
            Self::Deployments => ("deployments", "deployment"),
            Self::StaticRoutes => ("static routes", "static route"),
            Self::Secrets => ("secrets", "secret"),
            Self::Routes => ("routes", "route"),
            Self::Proxies => ("proxies", "proxy"),
            Self::Projects => ("projects", "project"),
            Self::Organizations => ("organizations", "organization"),
            Self::Users => ("users", "user"),
            Self::Tokens => ("tokens", "token"),
        }
    }

    /// As labels have it: `static-route/hello`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::StaticRoutes => "static-route",
            other => other.names().1,
        }
    }

    /// Of what a resource carries labels to be found by.
    pub(crate) fn has_labels(self) -> bool {
        match self {
            Self::Packages | Self::Deployments | Self::StaticRoutes | Self::Secrets | Self::Projects => true,
            Self::Routes | Self::Proxies | Self::Organizations | Self::Users | Self::Tokens => false,
        }
    }

    /// Whether it is there because somebody made it, and can be deleted.
    pub(crate) fn is_made(self) -> bool {
        !matches!(self, Self::Routes | Self::Proxies)
    }
}
