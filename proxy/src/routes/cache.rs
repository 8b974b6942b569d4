//! The last good table on disk, so that a proxy that starts without control serves it.
//!
//! The file: magic, format version, epoch, number, count of routes (all little-endian), then each
//! route as a length and a `Route` message, then the SHA-256 of all that. It is written beside its
//! place, synced and renamed, so that there is always a whole one or none.

mod file;
mod keep;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use proto::{Epoch, FieldFaults, Revision, Route, RouteUpdate, wire};

use super::Table;

pub use keep::{CacheState, keep};

use file::{Header, Reading, Writing};

/// Why a cache file gives no table. The proxy goes on without it.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It could not be read.
    #[error("cannot read the route cache {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is not whole, or not a route cache.
    #[error("the route cache {path} is damaged ({what}); it is ignored and will be written anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: Damage,
    },
}

/// What is wrong with a cache file.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// It does not begin as route caches do.
    #[error("it is no route cache")]
    Magic,
    /// A newer epr wrote it.
    #[error("it has format {0}, of a newer epr")]
    Version(u32),
    /// It ends early or goes on after its end.
    #[error("its length is wrong")]
    Length,
    /// Its content is not what was written.
    #[error("its checksum is wrong")]
    Checksum,
    /// A route in it is not one.
    #[error("route {0}: {1}")]
    Route(u64, String),
}

/// Writes `table` to `path`, replacing what is there. Nothing is written for a table at no revision.
/// Takes a second or two for a million routes: call it where nobody waits.
pub fn save(path: &Path, table: &Table) -> io::Result<()> {
    let Some(revision) = table.revision() else { return Ok(()) };
    let beside = beside(path);
    // What a crash may have left; made anew so that its permissions are ours.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    let mut writing = Writing::new(BufWriter::with_capacity(256 * 1024, file));
    write_table(&mut writing, revision, table)?;
    writing.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&beside, path)?;
    sync_directory(path)
}

/// Reads the table at `path`; none when there is no file.
pub fn load(path: &Path) -> Result<Option<RouteUpdate>, CacheError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(CacheError::Io { path: path.to_owned(), error }),
    };
    match read_table(BufReader::with_capacity(256 * 1024, file)) {
        Ok(Ok(update)) => Ok(Some(update)),
        Ok(Err(what)) => Err(CacheError::Damaged { path: path.to_owned(), what }),
        Err(error) => Err(CacheError::Io { path: path.to_owned(), error }),
    }
}

fn write_table<W: Write>(writing: &mut Writing<W>, revision: Revision, table: &Table) -> io::Result<()> {
    let routes = table.len() as u64;
    writing.header(&Header { epoch: revision.epoch.0, number: revision.number, routes })?;
    let mut result = Ok(());
    table.for_each(None, |entry| match writing.message(&wire::Route::from(&entry.route)) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            result = Err(error);
            ControlFlow::Break(())
        }
    });
    result
}

/// The outer error is the system's, the inner one the file's.
fn read_table(input: impl io::Read) -> io::Result<Result<RouteUpdate, Damage>> {
    let mut reading = Reading::new(input);
    match read_whole(&mut reading) {
        Ok(update) => Ok(Ok(update)),
        Err(file::ReadError::Damaged(what)) => Ok(Err(what)),
        Err(file::ReadError::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Ok(Err(Damage::Length))
        }
        Err(file::ReadError::Io(error)) => Err(error),
    }
}

fn read_whole<R: io::Read>(reading: &mut Reading<R>) -> Result<RouteUpdate, file::ReadError> {
    let header = reading.header()?;
    let mut upserts = Vec::new();
    for at in 0..header.routes {
        let route: wire::Route = reading.message(at)?;
        let route =
            Route::try_from(route).map_err(|faults: FieldFaults| Damage::Route(at, faults.to_string()))?;
        upserts.push(route);
    }
    reading.finish()?;
    let revision = Revision::new(Epoch(header.epoch), header.number);
    Ok(RouteUpdate { revision, base: None, upserts, removals: Vec::new() })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// A rename is on disk only once its directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests;
