//! Secrets: create, get, list, update, delete; and what they hold, for those who run what needs it.

use proto::ProjectId;

use super::{Error, Kind, Listed, Loaded, PageAsked, Prepared, Service, keys, stored};
use crate::domain::record::{GuidIndex, RecordError};
use crate::domain::sealing::SealError;
use crate::domain::secret::{JudgedSecret, SecretDraft};
use crate::domain::{Faults, Secret, SecretData, SecretGuid, SecretName};
use crate::store::{Batch, Expect, Operation};

mod at_start;
mod delete;
mod of_deployment;
mod reliance;

pub use at_start::{SecretsStand, look_at_secrets, seal_anew};

impl Service {
    /// Creates the secret `draft` describes; `faults` are those its transport found.
    pub async fn create_secret(
        &self,
        project: &ProjectId,
        draft: &SecretDraft,
        faults: Faults,
        dry_run: bool,
    ) -> Result<Secret, Error> {
        let judged = draft.judge(faults).map_err(Error::Invalid)?;
        let created =
            self.commit("the secret", || self.prepare_secret(project, judged.clone(), dry_run)).await?;
        Ok(created.record)
    }

    async fn prepare_secret(
        &self,
        project: &ProjectId,
        judged: JudgedSecret,
        dry_run: bool,
    ) -> Result<Prepared<Secret>, Error> {
        let key = keys::secret(project, &judged.name);
        if self.load::<Secret>(Kind::Secret, &key).await?.is_some() {
            let message = format!("secret {} exists already in this project; update it", judged.name);
            return Err(Error::AlreadyExists(Faults::one("metadata.name", "secret_exists", message)));
        }
        let secret = judged.create(project.clone(), self.now(), &self.keyring, self.chance.as_ref())?;
        let index = GuidIndex::Secret { name: secret.name.clone() };
        let batch = Batch::new().put(key, Expect::Absent, stored(Kind::Secret, &secret)?).put(
            keys::guid(project, secret.guid.as_str()),
            Expect::Absent,
            stored(Kind::Index, &index)?,
        );
        Ok(Prepared::new(secret, batch, dry_run))
    }

    /// The secret with this name or guid, without what it holds.
    pub async fn get_secret(&self, project: &ProjectId, name: &str) -> Result<Secret, Error> {
        Ok(self.find_secret(project, name).await?.record)
    }

    /// Secrets in the order of their names.
    pub async fn list_secrets(
        &self,
        project: &ProjectId,
        asked: &PageAsked,
    ) -> Result<Listed<Secret>, Error> {
        self.list_records(Kind::Secret, &keys::secrets(project), asked, |_| true).await
    }

    /// Replaces labels and what the secret called `name` holds; `faults` are those its transport found.
    pub async fn update_secret(
        &self,
        project: &ProjectId,
        name: &str,
        draft: &SecretDraft,
        faults: Faults,
    ) -> Result<Secret, Error> {
        let data = draft.judge_change(faults).map_err(Error::Invalid)?;
        let changed =
            self.commit("the secret", || self.prepare_secret_change(project, name, draft, &data)).await?;
        Ok(changed.record)
    }

    async fn prepare_secret_change(
        &self,
        project: &ProjectId,
        name: &str,
        draft: &SecretDraft,
        data: &SecretData,
    ) -> Result<Prepared<Secret>, Error> {
        let mut found = self.find_secret(project, name).await?;
        let secret = &mut found.record;
        let (is, asked) = (secret.shape.kind(), data.shape().kind());
        if is != asked {
            let message = format!("secret {} is {is} and cannot become {asked}; create another", secret.name);
            return Err(Error::Invalid(Faults::one("data", "secret_type_fixed", message)));
        }
        secret.fill(data, &self.keyring, self.chance.as_ref())?;
        secret.labels.clone_from(&draft.labels);
        secret.updated_at = self.now();
        let batch = Batch::new().with(put_secret(&found)?);
        Ok(Prepared::new(found.record, batch, false))
    }

    /// What the secret called `name` holds. For those who run what needs it, and nobody else.
    pub async fn secret_data(&self, project: &ProjectId, name: &str) -> Result<SecretData, Error> {
        let secret = self.find_secret(project, name).await?.record;
        secret.reveal(&self.keyring)?.ok_or_else(|| {
            let message = format!(
                "what secret {} held is gone, for the key it was sealed with was lost; update it",
                secret.name
            );
            Error::refused("name", "secret_lost", message)
        })
    }

    async fn find_secret(&self, project: &ProjectId, name: &str) -> Result<Loaded<Secret>, Error> {
        let not_found = || Error::not_found(Kind::Secret, name);
        let name = match SecretGuid::parse(name) {
            Ok(guid) => {
                let index = self.load::<GuidIndex>(Kind::Index, &keys::guid(project, guid.as_str())).await?;
                match index.map(|index| index.record) {
                    Some(GuidIndex::Secret { name }) => name,
                    _ => return Err(not_found()),
                }
            }
            Err(_) => SecretName::parse(name).map_err(|_| not_found())?,
        };
        self.load(Kind::Secret, &keys::secret(project, &name)).await?.ok_or_else(not_found)
    }
}

/// Writes a secret that was loaded.
fn put_secret(loaded: &Loaded<Secret>) -> Result<Operation, Error> {
    let key = keys::secret(&loaded.record.project, &loaded.record.name);
    let op = crate::store::Op::Put(stored(Kind::Secret, &loaded.record)?.into());
    Ok(Operation { key, expect: Expect::At(loaded.version), op })
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Chance(none) => Self::Chance(none),
            SealError::NoKey(_) | SealError::Broken => {
                Self::Record(RecordError { kind: Kind::Secret.as_str(), reason: error.to_string() })
            }
        }
    }
}
