//! Secrets: whether the keys that are there open those that are stored, and sealing them with the newest.

use super::super::{Error, Kind, Loaded, keys};
use super::put_secret;
use crate::domain::record::decode;
use crate::domain::{Chance, Keyring, Project, Secret};
use crate::store::{Batch, CommitError, Key, Store};

/// Records read at once.
const PORTION: usize = 256;

/// How the stored secrets stand to some keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretsStand {
    /// Secrets that hold something.
    pub sealed: usize,
    /// Those that none of the keys opens.
    pub closed: usize,
    /// The id of a key that one of these takes.
    pub missing: Option<String>,
    /// Those sealed with another key than the first.
    pub older: usize,
}

/// How the secrets in `store` stand to `keyring`, or to no keys at all.
pub async fn look_at_secrets(store: &dyn Store, keyring: Option<&Keyring>) -> Result<SecretsStand, Error> {
    let mut stand = SecretsStand::default();
    let mut walk = Walk::default();
    while let Some(portion) = walk.next(store).await? {
        for sealed in portion.iter().filter_map(|found| found.record.sealed.as_ref()) {
            stand.sealed += 1;
            if !keyring.is_some_and(|keyring| keyring.opens(sealed)) {
                stand.closed += 1;
                stand.missing.get_or_insert_with(|| sealed.key().to_owned());
            } else if !keyring.is_some_and(|keyring| keyring.is_current(sealed)) {
                stand.older += 1;
            }
        }
    }
    Ok(stand)
}

/// Seals every secret with the first key of `keyring` that was sealed with another of its keys, so that
/// the others can be given up. With `forget`, what none of them opens is given up for lost. A secret that
/// does not open though its key is there is left as it is.
pub async fn seal_anew(
    store: &dyn Store,
    keyring: &Keyring,
    forget: bool,
    chance: &dyn Chance,
) -> Result<(), Error> {
    let mut walk = Walk::default();
    while let Some(portion) = walk.next(store).await? {
        for mut found in portion {
            let Some(sealed) = found.record.sealed.clone() else {
                continue;
            };
            if !keyring.opens(&sealed) && forget {
                found.record.sealed = None;
            } else if keyring.opens(&sealed) && !keyring.is_current(&sealed) {
                match found.record.reveal(keyring) {
                    Ok(Some(data)) => found.record.fill(&data, keyring, chance)?,
                    Ok(None) => continue,
                    Err(error) => {
                        let (project, name) = (&found.record.project, &found.record.name);
                        tracing::error!(%project, %name, %error, "a secret could not be sealed anew");
                        continue;
                    }
                }
            } else {
                continue;
            }
            match store.commit(Batch::new().with(put_secret(&found)?)).await {
                // Whoever changed it meanwhile sealed it with the first key.
                Ok(_) | Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// Goes through the secrets of all projects, a portion at a time.
#[derive(Default)]
struct Walk {
    projects: Vec<Project>,
    last_project: Option<Key>,
    no_more_projects: bool,
    last_secret: Option<Key>,
}

impl Walk {
    /// The next ones, or none when there are no more. A portion may be empty.
    async fn next(&mut self, store: &dyn Store) -> Result<Option<Vec<Loaded<Secret>>>, Error> {
        let Some(project) = self.projects.last() else {
            if self.no_more_projects {
                return Ok(None);
            }
            self.more_projects(store).await?;
            return Ok(Some(Vec::new()));
        };
        let page = store.list(&keys::secrets(&project.guid), self.last_secret.as_ref(), PORTION).await?;
        self.last_secret = page.entries.last().map(|entry| entry.key.clone());
        if !page.more {
            self.projects.pop();
            self.last_secret = None;
        }
        let read = |entry: crate::store::Entry| {
            let record = decode(Kind::Secret.as_str(), &entry.value)?;
            Ok(Loaded { record, version: entry.version })
        };
        page.entries.into_iter().map(read).collect::<Result<_, Error>>().map(Some)
    }

    async fn more_projects(&mut self, store: &dyn Store) -> Result<(), Error> {
        let page = store.list(&keys::projects(), self.last_project.as_ref(), PORTION).await?;
        self.last_project = page.entries.last().map(|entry| entry.key.clone());
        self.no_more_projects = !page.more;
        for entry in page.entries {
            self.projects.push(decode(Kind::Project.as_str(), &entry.value)?);
        }
        Ok(())
    }
}
