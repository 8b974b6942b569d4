use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::token::Record;
use super::{AuthError, NotAToken, Role, Token};
use crate::domain::record::{decode, encode};
use crate::domain::{Chance, NoChance, Timestamp, built_in_project};
use crate::store::{Batch, CommitError, Entry, Expect, Store};

/// Where the first tokens are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFiles {
    /// `admin.token`: for the operator.
    pub admin: PathBuf,
    /// `proxy.token`: for proxies, to follow the route feed.
    pub proxy: PathBuf,
}

impl TokenFiles {
    /// Where they are in a data directory.
    pub fn in_directory(directory: &Path) -> Self {
        Self { admin: directory.join("admin.token"), proxy: directory.join("proxy.token") }
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

/// Sees to it that `directory` holds a valid token for the operator and one for proxies.
///
/// - A token in the file is valid: one the store does not know (a new store, a token put there by hand)
///   is taken into it. Who may write the data directory may do anything anyway.
/// - No file: a new token is made. Earlier ones stay valid, for the file may have been moved on purpose.
/// - An empty file: a new token is made and all earlier ones made for this file are refused from now on.
pub async fn first_tokens(
    store: &dyn Store,
    directory: &Path,
    chance: &dyn Chance,
    now: Timestamp,
) -> Result<TokenFiles, TokenFileError> {
    let files = TokenFiles::in_directory(directory);
    for (role, path) in [(Role::Admin, &files.admin), (Role::Proxy, &files.proxy)] {
        let record = Record { role, project: built_in_project(), name: file_name(path), created: now };
        settle(store, path, record, chance).await?;
    }
    Ok(files)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

async fn settle(
    store: &dyn Store,
    path: &Path,
    record: Record,
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
    write_private(path, &token).map_err(failed)?;
    tracing::info!(file = %path.display(), refused = earlier.len(), "made a new token");
    Ok(())
}

/// Stores `token` unless it is there already, and removes `earlier`.
async fn accept(
    store: &dyn Store,
    token: &Token,
    record: &Record,
    earlier: &[Entry],
) -> Result<(), TokenFileError> {
    let value = encode("token", record).map_err(|error| TokenFileError::Store(error.to_string()))?;
    let batch = Batch::new().put(token.key(), Expect::Absent, value);
    match store.commit(batch).await {
        Ok(_) | Err(CommitError::Conflict { .. }) => {}
        Err(error) => return Err(TokenFileError::Store(error.to_string())),
    }
    for old in earlier {
        let batch = Batch::new().delete(old.key.clone(), Expect::Any);
        store.commit(batch).await.map_err(|error| TokenFileError::Store(error.to_string()))?;
    }
    Ok(())
}

/// The tokens that were made for the file called `name`.
async fn made_for(store: &dyn Store, name: &str) -> Result<Vec<Entry>, TokenFileError> {
    let failed = |error: AuthError| TokenFileError::Store(error.to_string());
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(&Token::place(), after.as_ref(), 1_000).await;
        let page = page.map_err(|error| failed(error.into()))?;
        after = page.entries.last().map(|entry| entry.key.clone());
        for entry in page.entries {
            let record: Record = decode("token", &entry.value).map_err(|error| failed(error.into()))?;
            if record.name == name {
                found.push(entry);
            }
        }
        if !page.more {
            return Ok(found);
        }
    }
}

/// Puts `token` at `path`, whole or not at all, and never readable by others: a new file beside it is
/// private from the moment it exists, and takes its place when it is complete.
fn write_private(path: &Path, token: &Token) -> io::Result<()> {
    let beside = path.with_extension("token.new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    writeln!(file, "{}", token.secret())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
