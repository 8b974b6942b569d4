use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::sources::Pair;

/// What tells that a file, or what its name leads to, has changed: a rename and a moved link change the
/// inode, writing in place the times, and the time of the last status change can't be set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Of both files of a pair.
    pub(crate) fn of_pair(pair: &Pair) -> [Option<Self>; 2] {
        [Self::of(&pair.chain), Self::of(&pair.key)]
    }

    /// None when there is no such file, or none that can be looked at.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let meta = fs::metadata(path).ok()?;
        Some(Self {
            device: meta.dev(),
            inode: meta.ino(),
            length: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        })
    }
}
