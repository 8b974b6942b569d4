//! The rules of the house that the compiler does not check: which crate and which room may use which,
//! and how large a file may grow. docs/ARCHITECTURE.md has the reasons.

#![allow(clippy::unwrap_used, reason = "what cannot be read fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

/// What each crate may use of ours. `cli`, `loadtest` and `benches` see everything.
const CRATES: [(&str, &[&str]); 4] =
    [("proto", &[]), ("certs", &["proto"]), ("proxy", &["proto", "certs"]), ("control", &["proto", "certs"])];

const OURS: [&str; 7] = ["proto", "certs", "proxy", "control", "cli", "loadtest", "benches"];

/// Where generated messages and tonic may be spoken, as prefixes of paths.
///
/// The route cache is among them because routes lie on disk in the form in which they travel.
const SPEAKS_GRPC: [&str; 6] =
    ["proto/", "proxy/src/feed", "proxy/src/routes/cache", "control/src/grpc", "control/src/feed", "cli/"];

/// Where messages may be spoken besides, but not tonic: the JSON API says in messages what gRPC says.
const SPEAKS_MESSAGES: [&str; 2] = ["control/src/convert", "control/src/rest"];

/// Calls that configure TLS; certs alone makes them.
const TLS_CONFIGURATION: [&str; 3] = ["ServerConfig::builder", "ClientConfig::builder", "CryptoProvider"];

const MOST_LINES: usize = 600;

struct Source {
    path: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file under `dir`, with its path relative to the root.
fn sources(dir: &str) -> Vec<Source> {
    let (mut found, mut pending) = (Vec::new(), vec![root().join(dir)]);
    while let Some(next) = pending.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("target") {
                    pending.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push(Source { path, text });
            }
        }
    }
    assert!(!found.is_empty(), "no sources under {dir}");
    found
}

/// Lines of code with their numbers, comments and the tests at a file's end left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end].lines().enumerate().map(|(i, line)| (i + 1, line.split("//").next().unwrap_or_default()))
}

/// Code that ships: what only tests see may use what it likes.
fn shipped(dir: &str) -> impl Iterator<Item = Source> + use<> {
    sources(dir).into_iter().filter(|source| !source.path.contains("tests"))
}

/// Whether `line` names `path` followed by `::` as a path of its own, not as the tail of another.
fn names(line: &str, path: &str) -> bool {
    let path = format!("{path}::");
    line.match_indices(&path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':'))
    })
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn crates_use_only_what_is_under_them() {
    let mut faults = Vec::new();
    for (member, may_use) in CRATES {
        for source in shipped(&format!("{member}/src")) {
            for (number, line) in code(&source.text) {
                let forbidden = OURS.iter().filter(|other| **other != member && !may_use.contains(other));
                for other in forbidden.filter(|other| names(line, other)) {
                    faults.push(format!("{}:{number}: {member} must not use {other}", source.path));
                }
                if member == "certs" && names(line, "proto") && !line.contains("proto::Hostname") {
                    faults.push(format!("{}:{number}: certs may use proto's Hostname alone", source.path));
                }
            }
        }
    }
    assert_none(&faults);
}

/// The rows of the map in a crate's lib.rs, from the top: rooms, and what stands on what.
fn map(member: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join(member).join("src/lib.rs")).unwrap();
    let cells = text.lines().filter_map(|line| line.strip_prefix("//! | ")?.split(" | ").next());
    let rooms = |cell: &str| cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect::<Vec<_>>();
    cells.map(rooms).filter(|row| !row.is_empty()).collect()
}

/// The rooms of its own crate that a line names.
fn rooms_named(line: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| !(c.is_alphanumeric() || c == '_');
    line.split("crate::").skip(1).filter_map(move |rest| rest.split(ends).next())
}

#[test]
fn rooms_use_only_rooms_below_them() {
    let mut faults = Vec::new();
    for member in ["proxy", "control"] {
        let (map, src) = (map(member), format!("{member}/src/"));
        let row = |room: &str| map.iter().position(|row| row.iter().any(|known| known == room));
        for source in shipped(&src) {
            let room = source.path[src.len()..].split(['/', '.']).next().unwrap();
            let own = row(room);
            if own.is_none() && room != "lib" {
                faults.push(format!("{}: {room} is not on the map of {member}/src/lib.rs", source.path));
            }
            let lines = code(&source.text).flat_map(|(n, line)| rooms_named(line).map(move |room| (n, room)));
            for (number, other) in lines.filter(|(_, other)| *other != room) {
                if own.is_some() && row(other).is_some_and(|other| Some(other) <= own) {
                    faults.push(format!("{}:{number}: {other} is not below {room}", source.path));
                }
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn grpc_is_spoken_in_its_rooms_alone() {
    let mut faults = Vec::new();
    for source in ["certs/src", "proxy/src", "control/src"].into_iter().flat_map(shipped) {
        if SPEAKS_GRPC.iter().any(|room| source.path.starts_with(room)) {
            continue;
        }
        let messages = SPEAKS_MESSAGES.iter().any(|room| source.path.starts_with(room));
        for (number, line) in code(&source.text) {
            let of_messages = names(line, "wire") || line.contains("proto::wire");
            if names(line, "tonic") || (of_messages && !messages) {
                faults.push(format!(
                    "{}:{number}: tonic stays in {SPEAKS_GRPC:?}, messages there and in {SPEAKS_MESSAGES:?}",
                    source.path
                ));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn tls_is_configured_in_certs_alone() {
    let mut faults = Vec::new();
    for source in ["proto/src", "proxy/src", "control/src", "cli/src"].into_iter().flat_map(shipped) {
        for (number, line) in code(&source.text) {
            if TLS_CONFIGURATION.iter().any(|call| line.contains(call)) {
                faults.push(format!("{}:{number}: TLS is configured in certs", source.path));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn files_stay_readable() {
    let mut faults = Vec::new();
    for source in OURS.into_iter().flat_map(sources) {
        let lines = source.text.lines().count();
        if lines > MOST_LINES {
            faults.push(format!("{}: {lines} lines; {MOST_LINES} at most", source.path));
        }
        if source.path.ends_with("mod.rs") {
            faults.push(format!("{}: name it after its folder, beside it", source.path));
        }
    }
    assert_none(&faults);
}
