//! The file of the keys that seal secrets.
//!
//! It lies beside the store, or wherever an operator says, and never in it: a copy of the store alone opens
//! no secret. A store whose secrets its keys do not open is not served, for whoever deployed something with
//! one would find out too late.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::domain::sealing::KeyFault;
use crate::domain::{Chance, Keyring, NoChance};
use crate::private_file;
use crate::service::{self, SecretsStand, look_at_secrets, seal_anew};
use crate::store::Store;

/// What the file is called in the data directory.
const NAME: &str = "secrets.key";

/// Why there are no keys to seal and open secrets with.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file is not ours to read or write.
    #[error("cannot use the key file {}: {source}; check its path, owner, permissions and the free space", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{} cannot be used as key file: {fault}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it holds.
        fault: KeyFault,
    },
    /// What is stored was sealed with keys that are not there.
    #[error(
        "{} of {} secrets in the store are sealed with keys that are not in {} (one is {}); put the file back as it \
         was, or add those keys to it, one a line; if they are lost for good, leave an empty file there: a new \
         key is made, and those secrets must then be updated",
        stand.closed,
        stand.sealed,
        path.display(),
        stand.missing.as_deref().unwrap_or_default()
    )]
    Closed {
        /// The file.
        path: PathBuf,
        /// What it does not open.
        stand: SecretsStand,
    },
    /// No random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] service::Error),
}

/// The keys in the file `given`, else in the one in `directory`, which is made when nothing in `store` is
/// sealed yet. All of the secrets in `store` are sealed with the first of them when this returns.
pub(crate) async fn open(
    store: &dyn Store,
    given: Option<&Path>,
    directory: &Path,
    chance: &dyn Chance,
) -> Result<Keyring, KeyFileError> {
    let path = given.map_or_else(|| directory.join(NAME), Path::to_owned);
    let failed = |source| KeyFileError::File { path: path.clone(), source };
    let found = match fs::read_to_string(&path) {
        Ok(text) => Some(Zeroizing::new(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && given.is_none() => None,
        Err(error) => return Err(failed(error)),
    };
    // What an operator gives is theirs to write.
    let emptied = given.is_none() && found.as_ref().is_some_and(|text| text.trim().is_empty());
    let text = match found.filter(|_| !emptied) {
        Some(text) => text,
        None => {
            if !emptied {
                refuse_closed(&path, look_at_secrets(store, None).await?)?;
            }
            let line = Keyring::draw(chance)?;
            private_file::write(&path, &line).map_err(failed)?;
            tracing::info!(file = %path.display(), "made a key for secrets; keep a copy apart from the store's");
            line
        }
    };
    if given.is_none() {
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
    }
    let keyring =
        Keyring::parse(&text).map_err(|fault| KeyFileError::Content { path: path.clone(), fault })?;
    let stand = look_at_secrets(store, Some(&keyring)).await?;
    if emptied && stand.closed > 0 {
        tracing::warn!(lost = stand.closed, "what these secrets held is given up for lost; update them");
    } else {
        refuse_closed(&path, stand.clone())?;
    }
    if stand.closed + stand.older > 0 {
        seal_anew(store, &keyring, emptied, chance).await?;
        tracing::info!(secrets = stand.older, "sealed secrets anew with the first key of the file");
    }
    Ok(keyring)
}

fn refuse_closed(path: &Path, stand: SecretsStand) -> Result<(), KeyFileError> {
    if stand.closed == 0 {
        return Ok(());
    }
    Err(KeyFileError::Closed { path: path.to_owned(), stand })
}
