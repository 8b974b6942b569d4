use std::time::SystemTime;

use proto::manifest::render;
use proto::wire::{self, secret::Data};
use serde_json::Value;
use tonic::Status;

use super::{Resource, Wanted, age_of, guid_of, labels_of, name_of, only, pages};
use crate::args::Kind;
use crate::client::Client;
use crate::output::{Cell, Column, Cut};

impl Resource for wire::Secret {
    const KIND: Kind = Kind::Secrets;
    const COLUMNS: &'static [Column] = &[
        Column::new("NAME").cut(Cut::End),
        Column::new("TYPE"),
        Column::new("HOLDS").cut(Cut::End),
        Column::new("AGE"),
        Column::new("LABELS").wide(),
        Column::new("GUID").wide(),
    ];

    async fn list(client: &Client, wanted: &Wanted) -> Result<Vec<Self>, Status> {
        pages(async |page| {
            let request =
                wire::ListSecretsRequest { page, project: client.project(), filter: wanted.filter() };
            let list = client.secrets().list_secrets(request).await?.into_inner();
            Ok((list.secrets, list.page))
        })
        .await
    }

    async fn named(client: &Client, name: &str) -> Result<Vec<Self>, Status> {
        let request = wire::GetSecretRequest { name: name.to_owned(), project: client.project() };
        only(client.secrets().get_secret(request).await)
    }

    fn row(&self, now: SystemTime) -> Vec<Cell> {
        let (kind, holds) = contents(self);
        vec![
            self.name().into(),
            kind.into(),
            holds.into(),
            age_of(self.metadata.as_ref(), now),
            labels_of(self.metadata.as_ref()).into(),
            guid_of(self.metadata.as_ref()).into(),
        ]
    }

    fn document(&self) -> Value {
        render::secret(self)
    }

    fn name(&self) -> String {
        name_of(self.metadata.as_ref()).to_owned()
    }
}

/// What kind of secret it is, and what may be told of what it holds.
pub(crate) fn contents(secret: &wire::Secret) -> (&'static str, String) {
    match &secret.data {
        Some(Data::Docker(docker)) => ("docker", format!("{} at {}", docker.username, registry(docker))),
        Some(Data::Opaque(opaque)) => {
            let mut keys: Vec<_> = opaque.values.keys().map(String::as_str).collect();
            keys.sort_unstable();
            ("opaque", keys.join(", "))
        }
        None => ("", String::new()),
    }
}

/// The registry as people call it.
pub(crate) fn registry(docker: &wire::DockerCredentials) -> &str {
    match docker.registry.as_str() {
        "" | "https://index.docker.io/v1/" => "Docker Hub",
        other => other,
    }
}
