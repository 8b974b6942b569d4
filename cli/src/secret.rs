//! `epr secret`: what executables and image registries are told, and nobody else.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;

use proto::wire::{self, secret::Data};

use crate::args::{Kind, SecretCommand, SetSecretArgs};
use crate::client::Client;
use crate::delete;
use crate::failure::Failure;
use crate::get::{Wanted, show_all};
use crate::identity::{cannot, named_with, said};
use crate::output::ask_secret;

/// Most bytes of one value; the server says how many it takes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

pub(crate) async fn run(command: SecretCommand) -> Result<(), Failure> {
    match command {
        SecretCommand::Create(args) => {
            let (name, client) = (args.name.clone(), Client::of(&args.server).await?);
            let secret = Some(secret_of(args, &client)?);
            let created =
                client.secrets().create_secret(wire::CreateSecretRequest { secret, dry_run: false }).await;
            created.map_err(|status| cannot("create secret", &name, &status))?;
            said(format_args!("secret/{name} created"))
        }
        SecretCommand::Update(args) => {
            let (name, client) = (args.name.clone(), Client::of(&args.server).await?);
            let secret = Some(secret_of(args, &client)?);
            let updated = client.secrets().update_secret(wire::UpdateSecretRequest { secret }).await;
            updated.map_err(|status| cannot("update secret", &name, &status))?;
            said(format_args!("secret/{name} updated"))
        }
        SecretCommand::List(args) => {
            let client = Client::of(&args.server).await?;
            let wanted = Wanted { labels: args.labels, ..Default::default() };
            show_all::<wire::Secret>(&client, &wanted, args.output.format).await
        }
        SecretCommand::Delete(args) => delete::named(Kind::Secrets, args).await,
    }
}

fn secret_of(args: SetSecretArgs, client: &Client) -> Result<wire::Secret, Failure> {
    let data = if args.docker { docker(&args)? } else { opaque(&args)? };
    let metadata = named_with(&args.name, args.labels);
    let metadata = Some(wire::Metadata { project: client.project(), ..metadata });
    Ok(wire::Secret { metadata, data: Some(data) })
}

fn docker(args: &SetSecretArgs) -> Result<Data, Failure> {
    let password = match &args.password_file {
        Some(path) => read(path)?,
        None => ask_secret("Password")
            .map_err(|error| Failure::refused(format_args!("cannot read the password: {error}")))?,
    };
    // What a file or a pipe ends in is not part of it.
    let password = password.trim_end_matches(['\n', '\r']).to_owned();
    if password.is_empty() {
        return Err(Failure::usage(
            "the password is empty; type it, pipe it in, or name --password-file FILE",
        ));
    }
    Ok(Data::Docker(wire::DockerCredentials {
        registry: args.registry.clone().unwrap_or_default(),
        username: args.username.clone().unwrap_or_default(),
        email: args.email.clone().unwrap_or_default(),
        password,
    }))
}

/// Values are kept as they are, to the last byte.
fn opaque(args: &SetSecretArgs) -> Result<Data, Failure> {
    let mut values = HashMap::new();
    let mut add = |key: &str, value: String| match values.insert(key.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(Failure::usage(format_args!("the key {key:?} is given twice"))),
    };
    for (key, value) in &args.literals {
        add(key, value.clone())?;
    }
    for (key, path) in &args.files {
        add(key, read(path)?)?;
    }
    Ok(Data::Opaque(wire::OpaqueData { values }))
}

fn read(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let unreadable =
        |why: &dyn std::fmt::Display| Failure::refused(format_args!("cannot read {}: {why}", path.display()));
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
    };
    let length = read.map_err(|error| unreadable(&error))?;
    if length as u64 > MOST_BYTES {
        return Err(unreadable(&"it is larger than 4 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| unreadable(&"it is not UTF-8; encode it, in base64 for instance"))
}
