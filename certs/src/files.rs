//! Files that nobody else may read, replaced as a whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::CertsError;

/// Creates `dir` and what leads to it, readable by the owner alone; does nothing where it exists.
pub(crate) fn create_private_dir(dir: &Path) -> Result<(), CertsError> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(CertsError::io("create", dir))
}

/// Writes `content` to `path` with mode 0600, durably and as a whole: a reader sees the old file or
/// the new one, and a crash leaves one of the two.
///
/// # Errors
/// What the system said, with the path.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), CertsError> {
    write_then_rename(path, content).map_err(CertsError::io("write", path))
}

fn write_then_rename(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    // Left over from a crash; made anew so that its mode is ours.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn is_private_from_the_first_byte_and_survives_a_left_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("edge.key");
        fs::write(dir.path().join("edge.tmp"), "left over").unwrap();
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
