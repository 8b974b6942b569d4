use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use proto::{Epoch, Revision};
use redb::backends::FileBackend;
use redb::{
    Builder, Database, DatabaseError, ReadOnlyTable, ReadTransaction, ReadableDatabase as _, StorageError,
    TableDefinition, TableError,
};

use super::super::{Entry, Key, Page, Prefix, StoreError, Version, Versioned};
use super::EmbeddedConfig;

/// Every key with its version and value.
pub(super) const ENTRIES: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("entries");
/// [`FORMAT`], [`EPOCH`] and [`REVISION`].
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// The number of the last commit.
pub(super) const REVISION: &str = "revision";
/// The epoch of the last commit.
pub(super) const EPOCH: &str = "epoch";
const FORMAT: &str = "format";
/// How the two tables are to be read. Raise it when an older epr must not touch a newer file.
const FORMAT_NOW: u64 = 1;

/// Why a store could not be opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// Someone holds the file.
    #[error("another epr runs on this data directory ({} is locked): stop it, or choose another directory with --data-dir", .0.display())]
    Locked(PathBuf),
    /// The directory or the file is not ours to read and write.
    #[error("cannot open the store {}: {reason}; check the directory's owner, permissions and free space", path.display())]
    Unreachable {
        /// The directory or file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is something else, or damaged.
    #[error("{} is not a store, or is damaged: {reason}; restore it from a copy, or move it away to begin anew", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A newer epr has written it.
    #[error(
        "the store has format {found}, and this epr knows formats up to {FORMAT_NOW}: run the newer epr that wrote it"
    )]
    Format {
        /// The format it says it has.
        found: u64,
    },
    /// No thread could be started for the writer.
    #[error("cannot start the store's writer: {0}")]
    Thread(String),
}

/// Opens the database; only with `true` is it made when it is not there.
pub(super) type Opener = Box<dyn Fn(bool) -> Result<Database, OpenError> + Send>;

/// How to open the file `config` names, now and after a failure.
pub(super) fn opener(config: &EmbeddedConfig) -> Result<Opener, OpenError> {
    let (path, cache) = (config.path.clone(), config.limits.cache_bytes);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Mode 0700 for those it makes: what is kept here are tokens and keys.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|e| unreachable(directory, &e))?;
    Ok(Box::new(move |create| {
        let file = open_private(&path, create).map_err(|error| unreachable(&path, &error))?;
        let backend = FileBackend::new(file).map_err(|error| refused(&path, error))?;
        let database = Builder::new().set_cache_size(cache).create_with_backend(backend);
        database.map_err(|error| refused(&path, error))
    }))
}

fn open_private(path: &Path, create: bool) -> io::Result<File> {
    let file =
        OpenOptions::new().read(true).write(true).create(create).truncate(false).mode(0o600).open(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(file)
}

fn unreachable(path: &Path, error: &io::Error) -> OpenError {
    OpenError::Unreachable { path: path.into(), reason: error.to_string() }
}

fn refused(path: &Path, error: DatabaseError) -> OpenError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            OpenError::Locked(path.into())
        }
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() != io::ErrorKind::InvalidData => {
            unreachable(path, &error)
        }
        other => OpenError::Unreadable { path: path.into(), reason: other.to_string() },
    }
}

/// What the store in `database`, which is the file at `path`, stands at; `fresh` names the epoch a new one
/// begins with.
pub(super) fn stand(database: &Database, fresh: Epoch, path: &Path) -> Result<Revision, OpenError> {
    let failed = |error: redb::Error| match error {
        redb::Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => unreachable(path, &error),
        other => OpenError::Unreadable { path: path.into(), reason: other.to_string() },
    };
    let Some((format, stand)) = read_meta(database).map_err(failed)? else {
        return begin(database, fresh).map_err(failed);
    };
    match format {
        FORMAT_NOW => Ok(stand),
        found => Err(OpenError::Format { found }),
    }
}

/// None in a database nobody has written to.
fn read_meta(database: &Database) -> Result<Option<(u64, Revision)>, redb::Error> {
    let meta = match database.begin_read()?.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some((number_of(&meta, FORMAT)?, revision_in(&meta)?)))
}

fn revision_in(meta: &ReadOnlyTable<&'static str, u64>) -> Result<Revision, redb::Error> {
    Ok(Revision::new(Epoch(number_of(meta, EPOCH)?), number_of(meta, REVISION)?))
}

fn number_of(meta: &ReadOnlyTable<&'static str, u64>, name: &str) -> Result<u64, redb::Error> {
    let missing = || redb::Error::Corrupted(format!("it has no {name}"));
    Ok(meta.get(name)?.ok_or_else(missing)?.value())
}

fn begin(database: &Database, fresh: Epoch) -> Result<Revision, redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(ENTRIES)?;
    let mut meta = transaction.open_table(META)?;
    meta.insert(FORMAT, FORMAT_NOW)?;
    meta.insert(EPOCH, fresh.0)?;
    meta.insert(REVISION, 0)?;
    drop(meta);
    transaction.commit()?;
    Ok(Revision::new(fresh, 0))
}

pub(super) fn get(database: &Database, key: &Key) -> Result<Option<Versioned>, StoreError> {
    let read = || -> Result<_, redb::Error> {
        // The table stays to the end: what it hands out does not keep its pages from being reused.
        let entries = database.begin_read()?.open_table(ENTRIES)?;
        let found = entries.get(key.as_str())?;
        Ok(found.map(|found| {
            let (version, value) = found.value();
            Versioned { value: Bytes::copy_from_slice(value), version: Version(version) }
        }))
    };
    read().map_err(|error| failed("read", &error))
}

pub(super) fn list(
    database: &Database,
    prefix: &Prefix,
    after: Option<&Key>,
    limit: usize,
) -> Result<Page, StoreError> {
    let read = || -> Result<_, redb::Error> { list_in(&database.begin_read()?, prefix, after, limit) };
    read().map_err(|error| failed("list", &error))
}

fn list_in(
    transaction: &ReadTransaction,
    prefix: &Prefix,
    after: Option<&Key>,
    limit: usize,
) -> Result<Page, redb::Error> {
    let revision = revision_in(&transaction.open_table(META)?)?;
    let from = match after {
        Some(key) if key.as_str() >= prefix.as_str() => Bound::Excluded(key.as_str()),
        _ => Bound::Included(prefix.as_str()),
    };
    let mut page = Page { entries: Vec::new(), more: false, revision };
    for entry in transaction.open_table(ENTRIES)?.range::<&str>((from, Bound::Unbounded))? {
        let (key, stored) = entry?;
        if !key.value().starts_with(prefix.as_str()) {
            break;
        }
        if page.entries.len() == limit {
            page.more = true;
            break;
        }
        let (version, value) = stored.value();
        page.entries.push(Entry {
            key: Key::from_stored(key.value()),
            value: Bytes::copy_from_slice(value),
            version: Version(version),
        });
    }
    Ok(page)
}

/// What the storage engine said, for those who asked for `doing`.
pub(super) fn failed(doing: &'static str, error: &redb::Error) -> StoreError {
    let full = matches!(error, redb::Error::Io(error) if error.kind() == io::ErrorKind::StorageFull);
    let advice = if full { "; make room on its disk, then try again: no restart is needed" } else { "" };
    StoreError { doing, reason: format!("{error}{advice}") }
}

/// Whether each commit also saves which pages are free, so that opening after an unclean stop need not
/// walk the whole file.
///
/// Measured on 1M keys with values of 200 bytes (570 MB): opening after kill -9 takes 0.9 ms with it and
/// 656 ms without; a commit of one key 0.55 ms (p50) and 0.36 ms. Commits are grouped; a start, and the
/// reopening that a full disk asks for, keep everyone waiting.
pub(super) const QUICK_REPAIR: bool = true;
