//! Secrets, in and out.

use std::collections::HashMap;

use proto::wire;

use super::{labels_in, labels_out, timestamp};
use crate::domain::secret::{DataDraft, Hidden, SecretDraft, Shape};
use crate::domain::{Secret, SecretData, UserGuid};

/// The draft of a message.
pub(crate) fn draft(secret: wire::Secret, creator: Option<UserGuid>) -> SecretDraft {
    let metadata = secret.metadata.unwrap_or_default();
    let data = secret.data.map(|data| match data {
        wire::secret::Data::Docker(docker) => DataDraft::Docker {
            registry: docker.registry,
            username: docker.username,
            password: Hidden::new(docker.password),
            email: docker.email,
        },
        wire::secret::Data::Opaque(opaque) => {
            let values = opaque.values.into_iter().map(|(key, value)| (key, Hidden::new(value)));
            DataDraft::Opaque(values.collect())
        }
    });
    SecretDraft { name: metadata.name, labels: labels_in(metadata.labels), data, creator }
}

/// The message of a secret: all but what is secret in it.
pub(crate) fn message(secret: Secret) -> wire::Secret {
    let data = match secret.shape {
        Shape::Docker { registry, username, email } => wire::secret::Data::Docker(wire::DockerCredentials {
            registry,
            username,
            password: String::new(),
            email,
        }),
        Shape::Opaque { keys } => {
            let values = keys.into_iter().map(|key| (key, String::new()));
            wire::secret::Data::Opaque(wire::OpaqueData { values: values.collect() })
        }
    };
    let metadata = wire::Metadata {
        name: secret.name.to_string(),
        guid: secret.guid.to_string(),
        project: secret.project.to_string(),
        labels: labels_out(secret.labels),
        created_at: timestamp(secret.created_at),
        updated_at: timestamp(secret.updated_at),
        creator: secret.creator.map(String::from).unwrap_or_default(),
    };
    wire::Secret { metadata: Some(metadata), data: Some(data) }
}

/// What a secret holds, for a runtime.
pub(crate) fn data_message(name: String, data: &SecretData) -> wire::SecretData {
    let data = match data {
        SecretData::Docker { registry, username, password, email } => {
            wire::secret_data::Data::Docker(wire::DockerCredentials {
                registry: registry.clone(),
                username: username.clone(),
                password: password.reveal().to_owned(),
                email: email.clone(),
            })
        }
        SecretData::Opaque { values } => {
            let values: HashMap<_, _> =
                values.iter().map(|(key, value)| (key.clone(), value.reveal().to_owned())).collect();
            wire::secret_data::Data::Opaque(wire::OpaqueData { values })
        }
    };
    wire::SecretData { name, data: Some(data) }
}
