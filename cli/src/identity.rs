//! Organizations, projects, users and their tokens, and who one is.

use std::path::Path;

use proto::wire;
use serde_json::json;
use tonic::Status;

use crate::args::{
    CreateProjectArgs, CreateTokenArgs, Format, Kind, Labels, ListTokensArgs, OrganizationCommand,
    ProjectCommand, SetOrganizationArgs, SetUserArgs, TokenCommand, UserCommand, WhoAmIArgs,
};
use crate::client::Client;
use crate::delete;
use crate::describe::project_by_name;
use crate::failure::Failure;
use crate::get::{Resource as _, Wanted, by_names, guid_of, show_all};
use crate::output::{Facts, Out, remark};
use crate::words;

pub(crate) async fn whoami(args: WhoAmIArgs) -> Result<(), Failure> {
    let client = Client::of(&args.server).await?;
    let answer = client.identity().who_am_i(wire::WhoAmIRequest {}).await;
    let answer = answer.map_err(|status| Failure::of_call("cannot ask who you are", &status));
    let mut answer = answer?.into_inner();
    if let Some(user) = &mut answer.user {
        by_names(&client, user).await;
    }
    let named = client.project();
    let project = project_by_name(&client, if named.is_empty() { &answer.project } else { &named }).await;
    let mut out = Out::new();
    match args.output.format {
        Format::Json => out.json(&whoami_document(&answer)),
        Format::Yaml => out.yaml(&whoami_document(&answer))?,
        Format::Name => out.line(answer.user.as_ref().map_or(&answer.token_name, |user| &user.email)),
        Format::Table | Format::Wide => whoami_facts(&answer, project).print(&mut out),
    }
    out.finish()
}

fn whoami_document(answer: &wire::WhoAmIResponse) -> serde_json::Value {
    json!({
        "user": answer.user.as_ref().map(wire::User::document),
        "role": words::role(answer.role()),
        "token": answer.token_name,
        "project": answer.project,
    })
}

fn whoami_facts(answer: &wire::WhoAmIResponse, project: String) -> Facts {
    let mut facts = Facts::new();
    match &answer.user {
        Some(user) => {
            facts.add("user", user.email.as_str());
            facts.add("role", words::role(user.role()));
            for (i, membership) in user.memberships.iter().enumerate() {
                facts.add(if i == 0 { "member of" } else { "" }, membership_in_words(membership));
            }
        }
        None => facts.add("user", "none: the token is a service's"),
    }
    let most = if answer.user.is_some() { "at most " } else { "" };
    facts.add("token", format!("{} ({most}{})", answer.token_name, words::role(answer.role())));
    facts.add("project", project);
    facts
}

/// `project shop, as developer`.
pub(crate) fn membership_in_words(membership: &wire::Membership) -> String {
    use wire::membership::Where;
    let role = words::role(membership.role());
    match &membership.r#where {
        Some(Where::Organization(name)) => format!("organization {name}, as {role}"),
        Some(Where::Project(name)) => format!("project {name}, as {role}"),
        None => role.to_owned(),
    }
}

pub(crate) async fn token(command: TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Create(args) => create_token(args).await,
        TokenCommand::List(ListTokensArgs { user, output, server }) => {
            let client = Client::of(&server).await?;
            let wanted = Wanted { user: user.unwrap_or_default(), ..Default::default() };
            show_all::<wire::Token>(&client, &wanted, output.format).await
        }
        TokenCommand::Delete(args) => delete::named(Kind::Tokens, args).await,
    }
}

async fn create_token(args: CreateTokenArgs) -> Result<(), Failure> {
    let client = Client::of(&args.server).await?;
    if let Some(path) = args.out.as_deref().filter(|path| path.exists()) {
        // A token that cannot be kept is lost, so this is asked before there is one.
        return Err(Failure::refused(format_args!("{} is there already; name another file", path.display())));
    }
    let lifetime = args.lifetime.map(prost_types::Duration::try_from).transpose();
    let request = wire::CreateTokenRequest {
        name: args.name.clone(),
        user: args.user.unwrap_or_default(),
        role: args.role.unwrap_or_default().into(),
        lifetime: lifetime.map_err(|_| Failure::usage("--lifetime: longer than can be said"))?,
        project: client.project(),
    };
    let created = client.identity().create_token(request).await;
    let created = created.map_err(|status| cannot("create token", &args.name, &status))?.into_inner();
    let token = created.token.unwrap_or_default();
    let mut out = Out::new();
    match &args.out {
        Some(path) => keep_token(path, &created.secret)?,
        // Nothing else on standard output, so that a script can take it from there.
        None => out.line(&created.secret),
    }
    out.finish()?;
    let role = words::role(token.role());
    remark(format_args!(
        "token {} ({}), {role}; `epr token delete {}` ends it",
        args.name, token.id, token.id
    ));
    if args.out.is_none() {
        remark("keep it well: it is not shown again");
    }
    Ok(())
}

fn keep_token(path: &Path, secret: &str) -> Result<(), Failure> {
    certs::write_private(path, format!("{secret}\n").as_bytes()).map_err(Failure::refused)?;
    remark(format_args!("written to {}", path.display()));
    Ok(())
}

pub(crate) async fn project(command: ProjectCommand) -> Result<(), Failure> {
    match command {
        ProjectCommand::Create(args) => create_project(args).await,
        ProjectCommand::List(args) => {
            let client = Client::of(&args.server).await?;
            let wanted = Wanted { labels: args.labels, ..Default::default() };
            show_all::<wire::Project>(&client, &wanted, args.output.format).await
        }
        ProjectCommand::Delete(args) => delete::named(Kind::Projects, args).await,
    }
}

async fn create_project(args: CreateProjectArgs) -> Result<(), Failure> {
    let client = Client::of(&args.server).await?;
    let metadata = Some(named_with(&args.name, args.labels));
    let organization = args.organization.unwrap_or_default();
    let project = Some(wire::Project { metadata, organization, ..Default::default() });
    let created = client.identity().create_project(wire::CreateProjectRequest { project }).await;
    let created = created.map_err(|status| cannot("create project", &args.name, &status))?.into_inner();
    let guid = guid_of(created.metadata.as_ref());
    said(format_args!("project/{} created", args.name))?;
    remark(format_args!("{guid}; --project {} or EPR_PROJECT={} names it", args.name, args.name));
    Ok(())
}

/// Metadata of what a command line makes.
pub(crate) fn named_with(name: &str, labels: Labels) -> wire::Metadata {
    wire::Metadata {
        name: name.to_owned(),
        labels: labels.labels.into_iter().collect(),
        ..Default::default()
    }
}

pub(crate) async fn organization(command: OrganizationCommand) -> Result<(), Failure> {
    match command {
        OrganizationCommand::Create(args) => {
            let client = Client::of(&args.server).await?;
            let request = wire::CreateOrganizationRequest { organization: Some(organization_of(&args)) };
            let created = client.identity().create_organization(request).await;
            created.map_err(|status| cannot("create organization", &args.name, &status))?;
            said(format_args!("organization/{} created", args.name))
        }
        OrganizationCommand::Update(args) => {
            let client = Client::of(&args.server).await?;
            let request = wire::UpdateOrganizationRequest { organization: Some(organization_of(&args)) };
            let updated = client.identity().update_organization(request).await;
            updated.map_err(|status| cannot("update organization", &args.name, &status))?;
            said(format_args!("organization/{} updated", args.name))
        }
        OrganizationCommand::List(args) => {
            let client = Client::of(&args.server).await?;
            show_all::<wire::Organization>(&client, &Wanted::default(), args.output.format).await
        }
        OrganizationCommand::Delete(args) => delete::named(Kind::Organizations, args).await,
    }
}

fn organization_of(args: &SetOrganizationArgs) -> wire::Organization {
    wire::Organization {
        metadata: Some(wire::Metadata { name: args.name.clone(), ..Default::default() }),
        subscription: args.subscription.unwrap_or_default().into(),
        static_routes: args.static_routes.unwrap_or_default(),
        ..Default::default()
    }
}

pub(crate) async fn user(command: UserCommand) -> Result<(), Failure> {
    match command {
        UserCommand::Create(args) => create_user(args).await,
        UserCommand::Roles(args) => {
            let client = Client::of(&args.server).await?;
            let (email, memberships) = (args.email.clone(), args.memberships);
            let role = args.role.unwrap_or_default().into();
            let request = wire::SetUserRolesRequest { email, role, memberships };
            let set = client.identity().set_user_roles(request).await;
            set.map_err(|status| cannot("set the roles of", &args.email, &status))?;
            said(format_args!("user/{} updated", args.email))
        }
        UserCommand::List(args) => {
            let client = Client::of(&args.server).await?;
            show_all::<wire::User>(&client, &Wanted::default(), args.output.format).await
        }
        UserCommand::Delete(args) => delete::named(Kind::Users, args).await,
    }
}

async fn create_user(args: SetUserArgs) -> Result<(), Failure> {
    let client = Client::of(&args.server).await?;
    let user = wire::User {
        email: args.email.clone(),
        role: args.role.unwrap_or_default().into(),
        memberships: args.memberships,
        ..Default::default()
    };
    let created = client.identity().create_user(wire::CreateUserRequest { user: Some(user) }).await;
    created.map_err(|status| cannot("create user", &args.email, &status))?;
    said(format_args!("user/{} created", args.email))?;
    remark(format_args!("`epr token create NAME --user {}` makes a token for them", args.email));
    Ok(())
}

pub(crate) fn cannot(doing: &str, name: &str, status: &Status) -> Failure {
    Failure::of_call(format_args!("cannot {doing} {name}"), status)
}

/// Prints one line.
pub(crate) fn said(line: impl std::fmt::Display) -> Result<(), Failure> {
    let mut out = Out::new();
    out.line(line);
    out.finish()
}
