use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{NotAToken, Role, Token};
use crate::domain::record::{decode, encode};
use crate::domain::token::TokenRecord;
use crate::domain::{Chance, NoChance, Timestamp, UserGuid, built_in_project};
use crate::private_file;
use crate::service::{self, built_in, keys};
use crate::store::{Batch, CommitError, Entry, Expect, Store, StoreError};

/// Where the first tokens are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFiles {
    /// `admin.token`: for the operator.
    pub admin: PathBuf,
    /// `proxy.token`: for proxies, to follow the route feed.
    pub proxy: PathBuf,
    /// `runtime.token`: for runtimes, to run what is deployed in any project.
    pub runtime: PathBuf,
}

impl TokenFiles {
    /// Where they are in a data directory.
    pub fn in_directory(directory: &Path) -> Self {
        let [admin, proxy, runtime] =
            ["admin.token", "proxy.token", "runtime.token"].map(|name| directory.join(name));
        Self { admin, proxy, runtime }
    }
}

/// Why the first tokens could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// The file is not ours to read and write.
    #[error("cannot use the token file {}: {source}; check its owner, permissions and the free space", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} does not hold a token ({NotAToken}); empty it to have a new one made, and the old ones of its role refused", .0.display())]
    Content(PathBuf),
    /// No random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// The store failed.
    #[error("cannot store the first tokens: {0}")]
    Store(String),
}

impl From<StoreError> for TokenFileError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

impl From<service::Error> for TokenFileError {
    fn from(error: service::Error) -> Self {
        Self::Store(error.to_string())
    }
}

/// Sees to it that `directory` holds a valid token for the operator, one for proxies and one for runtimes,
/// and that the store has the organization, the project and the user they belong to.
///
/// - A token in the file is valid: one the store does not know (a new store, a token put there by hand)
///   is taken into it. Who may write the data directory may do anything anyway.
/// - No file: a new token is made. Earlier ones stay valid, for the file may have been moved on purpose.
/// - An empty file: a new token is made and all earlier ones made for this file are refused from now on.
///
/// The operator's tokens are those of the user `admin`. An installation may have made others its admins and
/// deleted that one: then `admin.token` is left as it is, unless it is empty, which makes `admin` anew.
pub async fn first_tokens(
    store: &dyn Store,
    directory: &Path,
    chance: &dyn Chance,
    now: Timestamp,
) -> Result<TokenFiles, TokenFileError> {
    built_in::make(store, chance, now).await?;
    let files = TokenFiles::in_directory(directory);
    let record = |role, path: &Path, user| TokenRecord {
        role,
        project: built_in_project(),
        name: file_name(path),
        created: now,
        user,
        expires_at: None,
        within: None,
    };
    match operator(store, &files.admin, chance, now).await? {
        Some(admin) => {
            settle(store, &files.admin, record(Role::Admin, &files.admin, Some(admin)), chance).await?;
        }
        None => tracing::info!(file = %files.admin.display(), "there is no admin `admin`; left as it is"),
    }
    for (role, path) in [(Role::Proxy, &files.proxy), (Role::Runtime, &files.runtime)] {
        settle(store, path, record(role, path, None), chance).await?;
    }
    Ok(files)
}

/// The user the operator's token is for; none when there is no such admin any more.
async fn operator(
    store: &dyn Store,
    path: &Path,
    chance: &dyn Chance,
    now: Timestamp,
) -> Result<Option<UserGuid>, TokenFileError> {
    let admin = built_in::admin(store).await?;
    let emptied = fs::read_to_string(path).is_ok_and(|text| text.trim().is_empty());
    if admin.is_some() || !emptied {
        return Ok(admin);
    }
    Ok(Some(built_in::make_admin(store, chance, now).await?))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

async fn settle(
    store: &dyn Store,
    path: &Path,
    record: TokenRecord,
    chance: &dyn Chance,
) -> Result<(), TokenFileError> {
    let failed = |source| TokenFileError::File { path: path.into(), source };
    let earlier = match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => made_for(store, &record.name).await?,
        Ok(text) => {
            let token = Token::parse(&text).map_err(|NotAToken| TokenFileError::Content(path.into()))?;
            fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
            return accept(store, &token, &record, &[]).await;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(failed(error)),
    };
    let token = Token::draw(chance)?;
    // Stored first: a token in the file that is not valid would be worse than one nobody knows.
    accept(store, &token, &record, &earlier).await?;
    private_file::write(path, token.secret()).map_err(failed)?;
    tracing::info!(file = %path.display(), refused = earlier.len(), "made a new token");
    Ok(())
}

/// Stores `token` unless it is there already, and removes `earlier`.
async fn accept(
    store: &dyn Store,
    token: &Token,
    record: &TokenRecord,
    earlier: &[Entry],
) -> Result<(), TokenFileError> {
    let key = keys::token(&token.hash());
    let found = store.get(&key).await?;
    let expect = match &found {
        None => Some(Expect::Absent),
        // One of a time without users: it belongs to the operator from now on.
        Some(found) => {
            let there: TokenRecord = read(&found.value)?;
            let ownerless = there.user.is_none() && record.user.is_some() && there.role == record.role;
            ownerless.then_some(Expect::At(found.version))
        }
    };
    if let Some(expect) = expect {
        let value = encode("token", record).map_err(|error| TokenFileError::Store(error.to_string()))?;
        match store.commit(Batch::new().put(key, expect, value)).await {
            Ok(_) | Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(TokenFileError::Store(error.to_string())),
        }
    }
    for old in earlier {
        let batch = Batch::new().delete(old.key.clone(), Expect::Any);
        store.commit(batch).await.map_err(|error| TokenFileError::Store(error.to_string()))?;
    }
    Ok(())
}

/// The tokens that were made for the file called `name`.
async fn made_for(store: &dyn Store, name: &str) -> Result<Vec<Entry>, TokenFileError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(&keys::tokens(), after.as_ref(), 1_000).await?;
        after = page.entries.last().map(|entry| entry.key.clone());
        for entry in page.entries {
            if read(&entry.value)?.name == name {
                found.push(entry);
            }
        }
        if !page.more {
            return Ok(found);
        }
    }
}

fn read(value: &[u8]) -> Result<TokenRecord, TokenFileError> {
    decode("token", value).map_err(|error| TokenFileError::Store(error.to_string()))
}
