//! The command lines of verbs on those who may do something, and on what they must keep to themselves.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use proto::wire::{Membership, Role, Subscription};

use super::server::ServerArgs;
use super::values;
use super::verbs::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it: it is shown this once
    Create(CreateTokenArgs),
    /// Show tokens
    #[command(visible_alias = "ls")]
    List(ListTokensArgs),
    /// Have tokens refused from now on
    #[command(visible_alias = "rm")]
    Delete(DeleteNamedArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CreateTokenArgs {
    /// What it is called, for people
    pub(crate) name: String,
    /// Whose it is, by email [default: yours]; tokens of the roles proxy and runtime are nobody's
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// What it may be used for, at most: admin, developer, viewer, proxy or runtime [default: whatever its
    /// user may]
    #[arg(long, value_name = "ROLE", value_parser = values::role)]
    pub(crate) role: Option<Role>,
    /// How long it is good for, like 30d [default: until it is deleted]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub(crate) lifetime: Option<Duration>,
    /// Write it to this file, readable by its owner alone, instead of printing it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListTokensArgs {
    /// Only those of this user
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only what carries this label; may be repeated: all are asked for
    #[arg(short = 'l', long = "selector", value_name = "LABEL=VALUE", value_parser = values::label)]
    pub(crate) labels: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListAllArgs {
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteNamedArgs {
    /// Names; of tokens the id that `epr token list` shows, of users the email
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectCommand {
    /// Make a project
    Create(CreateProjectArgs),
    /// Show projects
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Delete projects that hold nothing any more
    #[command(visible_alias = "rm")]
    Delete(DeleteNamedArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CreateProjectArgs {
    /// What it is called
    pub(crate) name: String,
    /// Its organization, by name or guid [default: that of your project]
    #[arg(long, value_name = "ORGANIZATION")]
    pub(crate) organization: Option<String>,
    #[command(flatten)]
    pub(crate) labels: Labels,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Labels {
    /// A label to be found by; may be repeated
    #[arg(short = 'l', long = "label", value_name = "LABEL=VALUE", value_parser = values::label)]
    pub(crate) labels: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrganizationCommand {
    /// Make an organization
    Create(SetOrganizationArgs),
    /// Give an organization another subscription
    Update(SetOrganizationArgs),
    /// Show organizations
    #[command(visible_alias = "ls")]
    List(ListAllArgs),
    /// Delete organizations that have no projects any more
    #[command(visible_alias = "rm")]
    Delete(DeleteNamedArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SetOrganizationArgs {
    /// What it is called
    pub(crate) name: String,
    /// How many static routes it may have: community 5, professional 50, enterprise as --static-routes says
    /// [default: no limit]
    #[arg(long, value_name = "PLAN", value_parser = values::subscription)]
    pub(crate) subscription: Option<Subscription>,
    /// Most static routes of an enterprise subscription [default: no limit]
    #[arg(long, value_name = "N", requires = "subscription")]
    pub(crate) static_routes: Option<u32>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make a user
    Create(SetUserArgs),
    /// Give a user other roles: those that are named, and no others
    Roles(SetUserArgs),
    /// Show users
    #[command(visible_alias = "ls")]
    List(ListAllArgs),
    /// Delete users, and their tokens with them
    #[command(visible_alias = "rm")]
    Delete(DeleteNamedArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SetUserArgs {
    /// The user
    pub(crate) email: String,
    /// Role in the whole installation: admin, developer or viewer [default: none]
    #[arg(long, value_name = "ROLE", value_parser = values::role)]
    pub(crate) role: Option<Role>,
    /// Role in one place, like project/shop=developer or organization/acme=viewer; may be repeated
    #[arg(long = "member", value_name = "PLACE=ROLE", value_parser = values::membership)]
    pub(crate) memberships: Vec<Membership>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Make a secret
    Create(SetSecretArgs),
    /// Let a secret hold something else
    Update(SetSecretArgs),
    /// Show secrets, without what they hold
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Delete secrets nothing refers to any more
    #[command(visible_alias = "rm")]
    Delete(DeleteNamedArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Credentials of an image registry; the password is asked for, or read from standard input or a file:
  epr secret create registry --docker --username robot
  epr secret create registry --docker --username robot --password-file token.txt
Keys and values; what a file holds is the value, - is standard input:
  epr secret create app --from-file api-key=key.txt --from-literal mode=live")]
// Without a word of what it is to hold, all the ways to say it are told.
#[group(id = "holds", required = true, multiple = true, args = ["docker", "literals", "files"])]
pub(crate) struct SetSecretArgs {
    /// What it is called
    pub(crate) name: String,
    /// It holds the credentials of an image registry
    #[arg(long, requires = "username", conflicts_with_all = ["literals", "files"])]
    pub(crate) docker: bool,
    /// Registry, like registry.example.net [default: Docker Hub]
    #[arg(long, requires = "docker", value_name = "URL")]
    pub(crate) registry: Option<String>,
    /// Who logs in at the registry
    #[arg(long, requires = "docker", value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// Email of the account, where the registry wants one
    #[arg(long, requires = "docker", value_name = "EMAIL")]
    pub(crate) email: Option<String>,
    /// File with the password [default: standard input, or it is asked for]
    #[arg(long, requires = "docker", value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// A key and its value; others see it in the list of processes and in the shell's history
    #[arg(long = "from-literal", value_name = "KEY=VALUE", value_parser = values::pair)]
    pub(crate) literals: Vec<(String, String)>,
    /// A key, and the file that holds its value; - is standard input; without a key it is the file's name
    #[arg(long = "from-file", value_name = "[KEY=]FILE", value_parser = values::keyed_file)]
    pub(crate) files: Vec<(String, PathBuf)>,
    #[command(flatten)]
    pub(crate) labels: Labels,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
