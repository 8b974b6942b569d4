use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use control::auth::Token;
use control::service::SystemChance;

use crate::client::read_token;
use crate::failure::Failure;

/// A data directory, ours alone as long as this is held.
pub(super) struct Room {
    path: PathBuf,
    /// The lock goes with the process, whatever kills it.
    _lock: File,
}

impl Room {
    /// Makes the directory if need be, readable by its owner alone, and takes it for this process.
    pub(super) fn enter(path: &Path) -> Result<Self, Failure> {
        let unusable = |error: io::Error| {
            let error = match error.kind() {
                io::ErrorKind::AlreadyExists => "it is not a directory".to_owned(),
                _ => error.to_string(),
            };
            Failure::refused(format_args!(
                "cannot use the data directory {}: {error}; mend it, or choose another with --data-dir DIR",
                path.display()
            ))
        };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut lock = options.open(path.join("lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(path, &mut lock)),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let note = || -> io::Result<()> {
            lock.set_len(0)?;
            write!(&lock, "{}", std::process::id())
        };
        note().map_err(unusable)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the proxy's token has been emptied, to have a new one made and the old ones refused.
    pub(super) fn token_is_to_be_renewed(&self) -> bool {
        std::fs::read_to_string(self.token_file()).is_ok_and(|text| text.trim().is_empty())
    }

    /// The token by which the proxy of this process follows the control plane of this process. The proxy
    /// starts first, so on a first start it is made here; the control plane takes it from the file.
    pub(super) fn proxy_token(&self) -> Result<String, Failure> {
        let path = self.token_file();
        if path.exists() {
            return read_token(&path);
        }
        let token = Token::draw(&SystemChance).map_err(Failure::refused)?;
        let line = format!("{}\n", token.secret());
        certs::write_private(&path, line.as_bytes()).map_err(Failure::refused)?;
        Ok(token.secret().to_owned())
    }

    fn token_file(&self) -> PathBuf {
        self.path.join("proxy.token")
    }
}

fn taken(path: &Path, lock: &mut File) -> Failure {
    let mut holder = String::new();
    // Who holds it is a courtesy.
    let _ = lock.read_to_string(&mut holder);
    let holder = if holder.is_empty() { String::new() } else { format!(" (process {holder})") };
    Failure::refused(format_args!(
        "{} is in use by another epr{holder}; stop it, or choose another with --data-dir DIR",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_one_at_a_time_and_keeps_its_token() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/data");
        let room = Room::enter(&path).unwrap();
        let refused = Room::enter(&path).err().unwrap().to_string();
        assert!(
            refused.contains(&format!("in use by another epr (process {})", std::process::id())),
            "{refused}"
        );
        let token = room.proxy_token().unwrap();
        drop(room);
        assert_eq!(Room::enter(&path).unwrap().proxy_token().unwrap(), token);
    }

    #[test]
    fn what_is_no_directory_is_said_so() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refused = Room::enter(&file).err().unwrap().to_string();
        assert!(
            refused.starts_with("cannot use the data directory") && refused.contains("--data-dir"),
            "{refused}"
        );
    }
}
