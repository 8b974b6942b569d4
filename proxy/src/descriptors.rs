//! How many files this process may have open, which bounds the connections it can serve.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Left for listeners, logs, the feed and kept connections to backends; a quarter where there are few.
const RESERVE: u64 = 256;

/// Raises the soft limit to the hard one and returns how many connections fit: each may need a second
/// descriptor for its backend. Taking more would only trade waiting in the kernel's queue for failing.
pub(crate) fn raise_and_count() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Refused, the soft limit stays what it is.
    let _ = setrlimit(Resource::Nofile, limit);
    match getrlimit(Resource::Nofile).current {
        Some(files) => usize::try_from((files - RESERVE.min(files / 4)) / 2).unwrap_or(usize::MAX).max(1),
        None => usize::MAX,
    }
}
