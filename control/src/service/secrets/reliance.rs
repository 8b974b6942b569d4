//! Secrets: to begin to use them.

use std::collections::BTreeMap;

use proto::ProjectId;

use super::super::{Error, Kind, Loaded, Service, keys};
use crate::domain::secret::SecretUse;
use crate::domain::{Faults, Secret, SecretName};
use crate::store::{Expect, Op, Operation};

impl Service {
    /// Judges what a package or deployment takes from secrets, and says what the batch that creates or
    /// changes it relies on: one operation for each secret. A secret that is deleted meanwhile makes that
    /// batch conflict.
    pub(in crate::service) async fn rely_on_secrets(
        &self,
        project: &ProjectId,
        uses: &[SecretUse],
        invalid: &mut Faults,
        refused: &mut Faults,
    ) -> Result<Vec<Operation>, Error> {
        let mut known: BTreeMap<&str, Option<Loaded<Secret>>> = BTreeMap::new();
        for wanted in uses {
            let name = wanted.secret.as_str();
            if !known.contains_key(name) {
                let found = match SecretName::parse(name) {
                    Ok(name) => self.load(Kind::Secret, &keys::secret(project, &name)).await?,
                    Err(_) => None,
                };
                known.insert(name, found);
            }
            judge(wanted, known.get(name).and_then(Option::as_ref), invalid, refused);
        }
        let relied_on = known.into_values().flatten().map(|found| Operation {
            key: keys::secret(project, &found.record.name),
            expect: Expect::At(found.version),
            op: Op::Check,
        });
        Ok(relied_on.collect())
    }
}

fn judge(wanted: &SecretUse, found: Option<&Loaded<Secret>>, invalid: &mut Faults, refused: &mut Faults) {
    let name = &wanted.secret;
    let Some(found) = found else {
        let message = format!("there is no secret {name:?} in this project; create it first");
        return invalid.add(&wanted.field, "secret_unknown", message);
    };
    if found.record.being_deleted {
        let message = format!("secret {name} is being deleted; wait, or delete it again");
        refused.add(&wanted.field, "secret_being_deleted", message);
    }
    invalid.take(&wanted.field, found.record.judge_use(wanted));
}
