use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::fault::{Fault, Reason};

/// Where certificates are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Pairs named one by one.
    pub pairs: Vec<Pair>,
    /// Directories in which, and one level below which, `NAME.key` stands beside `NAME.crt` or `NAME.pem`.
    pub directories: Vec<PathBuf>,
}

/// A certificate chain, leaf first, and its key: two PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The chain.
    pub chain: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// What is in a directory, by the path of the key: whichever half is missing, the pair is the same.
pub(crate) type Listing = BTreeMap<PathBuf, Pair>;

/// Pairs in one directory; an edge with more has been pointed at the wrong one.
const MOST: usize = 10_000;

impl From<Pair> for Sources {
    fn from(pair: Pair) -> Self {
        Self { pairs: vec![pair], directories: Vec::new() }
    }
}

/// The pairs in a directory and those below it.
pub(crate) fn list(directory: &Path) -> Result<Listing, Fault> {
    let mut found = Listing::new();
    for below in scan(directory, &mut found)? {
        scan(&below, &mut found)?;
    }
    match found.len() {
        0 => Err(Fault::new(
            directory,
            Reason::Count,
            "no certificate in it; NAME.crt or NAME.pem beside NAME.key is expected, here or one directory below",
        )),
        1..=MOST => Ok(found),
        more => Err(Fault::new(
            directory,
            Reason::Count,
            format!("{more} certificates in it; at most {MOST} are served"),
        )),
    }
}

/// Adds what is in one directory, and returns the directories in it.
fn scan(directory: &Path, found: &mut Listing) -> Result<Vec<PathBuf>, Fault> {
    let unreadable = |error| Fault::new(directory, Reason::Unreadable, format!("cannot be read: {error}"));
    let (mut below, mut chains) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        // Hidden ones are what mounts and editors keep their own books in.
        if path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b".")) {
            continue;
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            // Whose chain is missing: reading it says so.
            Some("key") => {
                let pair = Pair { chain: path.with_extension("crt"), key: path.clone() };
                found.insert(path, pair);
            }
            Some("crt" | "pem") => chains.push(path),
            _ if path.is_dir() => below.push(path),
            _ => {}
        }
    }
    chains.sort();
    for chain in chains {
        let key = chain.with_extension("key");
        // What issuers put beside a certificate for those who want to know them.
        if chain.file_stem().is_some_and(|stem| stem == "ca") && !found.contains_key(&key) {
            continue;
        }
        found.insert(key.clone(), Pair { chain, key });
    }
    below.sort();
    Ok(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_found_by_their_names() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        assert_eq!(list(dir.path()).unwrap_err().reason, Reason::Count);
        for name in [
            "a.pem",
            "a.key",
            "b.crt",
            "c.key",
            "ca.crt",
            "notes.txt",
            ".hidden/x.key",
            "shop/tls.crt",
            "shop/tls.key",
            "shop/ca.crt",
            "shop/deeper/tls.key",
        ] {
            put(name);
        }
        let found: Vec<_> = list(dir.path()).unwrap().into_values().collect();
        let pair = |chain: &str, key: &str| Pair { chain: dir.path().join(chain), key: dir.path().join(key) };
        let expected = [
            pair("a.pem", "a.key"),
            pair("b.crt", "b.key"),
            pair("c.crt", "c.key"),
            pair("shop/tls.crt", "shop/tls.key"),
        ];
        assert_eq!(found, expected);
    }
}
