//! That a caller still is who they were when they were judged.

use super::super::{Changed, Error, Kind, Prepared, Service, keys};
use crate::domain::token::TokenRecord;
use crate::domain::{Caller, User};
use crate::store::{Batch, Expect, Key, Version};

impl Service {
    /// As [`Service::commit`], for what hangs on what `caller` may do: the commit relies on their token and
    /// their roles too. Otherwise two who take a role from each other would both succeed, and who is being
    /// put out could leave a token behind.
    pub(super) async fn commit_as<T, F>(
        &self,
        caller: &Caller,
        what: &'static str,
        prepare: impl Fn() -> F,
    ) -> Result<Changed<T>, Error>
    where
        F: Future<Output = Result<Prepared<T>, Error>>,
    {
        let prepare = || {
            let prepared = prepare();
            async {
                let Prepared { record, batch } = prepared.await?;
                let batch = match batch {
                    Some(batch) => Some(self.standing(caller, batch).await?),
                    None => None,
                };
                Ok(Prepared { record, batch })
            }
        };
        self.commit(what, prepare).await
    }

    /// Makes `batch` rely on `caller`'s having the token and the roles they were judged by.
    pub(super) async fn standing(&self, caller: &Caller, batch: Batch) -> Result<Batch, Error> {
        let changed = || Error::Forbidden("what you may do has changed meanwhile; nothing was done".into());
        let mut batch = batch;
        if let Some(hash) = caller.token() {
            let key = keys::token(hash);
            let found = self.load::<TokenRecord>(Kind::Token, &key).await?.ok_or_else(changed)?;
            batch = relying_on(batch, key, found.version);
        }
        if let Some(guid) = &caller.user {
            let key = keys::user(guid);
            let found = self.load::<User>(Kind::User, &key).await?;
            let found = found.filter(|found| caller.has(&found.record.roles)).ok_or_else(changed)?;
            batch = relying_on(batch, key, found.version);
        }
        Ok(batch)
    }
}

/// What `batch` changes it relies on already.
fn relying_on(batch: Batch, key: Key, version: Version) -> Batch {
    if batch.operations().iter().any(|operation| operation.key == key) {
        return batch;
    }
    batch.check(key, Expect::At(version))
}
