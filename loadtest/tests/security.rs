//! docs/SECURITY.md promises nothing that is not tested: every path it names is in the tree, and every promise names some.

#![allow(clippy::unwrap_used, reason = "what cannot be read fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

/// What paths begin with; other words between backticks are flags, fields and names.
const ROOTS: [&str; 12] = [
    ".ci/",
    "benches/",
    "certs/",
    "cli/",
    "control/",
    "docs/",
    "examples/",
    "loadtest/",
    "proto/",
    "proxy/",
    "Cargo.toml",
    "deny.toml",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn page() -> String {
    fs::read_to_string(root().join("docs/SECURITY.md")).unwrap()
}

/// The paths a text names between backticks.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split('`').skip(1).step_by(2);
    words.filter(|word| ROOTS.iter().any(|root| word.starts_with(root)))
}

#[test]
fn every_path_is_in_the_tree() {
    let page = page();
    let missing: Vec<_> = paths(&page).filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "docs/SECURITY.md names what is not there: {missing:?}");
}

#[test]
fn every_promise_names_its_tests() {
    let page = page();
    let (_, promises) = page.split_once("\n## Promises\n").unwrap();
    let (promises, _) = promises.split_once("\n## ").unwrap();
    let promises: Vec<_> = promises.split("\n### ").skip(1).collect();
    assert!(!promises.is_empty());
    for (number, promise) in (1..).zip(promises) {
        let title = promise.lines().next().unwrap();
        assert!(title.starts_with(&format!("{number}. ")), "{title}: not number {number}");
        let tests = promise.split_once("\nTested by: ").map_or("", |(_, tests)| tests);
        assert!(paths(tests).next().is_some(), "{title}: no test is named");
    }
}

#[test]
fn it_is_found_from_where_people_begin() {
    for page in ["README.md", "docs/ARCHITECTURE.md", "docs/OPERATIONS.md"] {
        assert!(fs::read_to_string(root().join(page)).unwrap().contains("SECURITY.md)"), "{page}");
    }
}
