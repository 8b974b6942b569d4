//! Values of options, with errors that show what a right one looks like.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use proto::manifest::render;
use proto::wire::membership::Where;
use proto::wire::{Membership, Phase, Role, Subscription};

pub(super) fn addr(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "an IP address and a port are expected, like 127.0.0.1:8080 or [::1]:8080")
}

pub(super) fn network(text: &str) -> Result<IpNet, &'static str> {
    text.parse().map_err(|_| "an IP address and a prefix length are expected, like 10.0.0.0/8 or 10.0.0.7/32")
}

pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "a number with its unit is expected, like 5s or 500ms")
}

/// How long something may take: no time at all would be none, and times are added to that of a clock.
pub(super) fn patience(text: &str) -> Result<Duration, &'static str> {
    const MOST: Duration = Duration::from_secs(366 * 24 * 60 * 60);
    let time = duration(text).ok().filter(|time| !time.is_zero() && *time <= MOST);
    time.ok_or("a time of at most a year is expected, like 500ms, 5s or 1m30s")
}

pub(super) fn count(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "a whole number from 1 up is expected")
}

/// Bytes a second. Above the most, what is counted in nanoseconds would be none.
pub(super) fn byte_rate(text: &str) -> Result<NonZeroU32, &'static str> {
    let rate = text.parse::<NonZeroU32>().ok().filter(|rate| rate.get() <= 100_000_000);
    rate.ok_or("a number of bytes from 1 to 100000000 is expected")
}

/// A window of HTTP/2: at least what one has without a word, at most what the protocol knows (RFC 9113 6.9.1).
pub(super) fn window(text: &str) -> Result<u32, &'static str> {
    let window = text.parse().ok().filter(|window| (65_535..=0x7fff_ffff).contains(window));
    window.ok_or("a number of bytes from 65535 to 2147483647 is expected")
}

/// `KEY=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a key and its value are expected, like mode=live"),
    }
}

/// `LABEL=VALUE`.
pub(super) fn label(text: &str) -> Result<(String, String), &'static str> {
    pair(text).map_err(|_| "a label and its value are expected, like team=shop")
}

/// `KEY=FILE`, or `FILE`, which is its own key.
pub(super) fn keyed_file(text: &str) -> Result<(String, PathBuf), &'static str> {
    if let Ok((key, file)) = pair(text)
        && !file.is_empty()
    {
        return Ok((key, file.into()));
    }
    let name = Path::new(text).file_name().and_then(|name| name.to_str());
    match name {
        Some(name) if !text.contains('=') && name != "-" => Ok((name.to_owned(), text.into())),
        _ => Err("a key and a file are expected, like api-key=key.txt"),
    }
}

const PHASES: [Phase; 6] = [
    Phase::InProgress,
    Phase::Provisioning,
    Phase::Succeeded,
    Phase::FailedToUpdate,
    Phase::FailedToStart,
    Phase::Stopped,
];

pub(crate) fn phase(text: &str) -> Result<Phase, &'static str> {
    let is_it = |phase: &Phase| render::phase(*phase).eq_ignore_ascii_case(text);
    PHASES.into_iter().find(is_it).ok_or(
        "a phase is expected: InProgress, Provisioning, Succeeded, FailedToUpdate, FailedToStart or Stopped",
    )
}

pub(super) fn role(text: &str) -> Result<Role, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "admin" => Ok(Role::Admin),
        "developer" => Ok(Role::Developer),
        "viewer" => Ok(Role::Viewer),
        "proxy" => Ok(Role::Proxy),
        "runtime" => Ok(Role::Runtime),
        _ => Err("a role is expected: admin, developer, viewer, proxy or runtime"),
    }
}

pub(super) fn subscription(text: &str) -> Result<Subscription, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "community" => Ok(Subscription::Community),
        "professional" => Ok(Subscription::Professional),
        "enterprise" => Ok(Subscription::Enterprise),
        _ => Err("a subscription is expected: community, professional or enterprise"),
    }
}

/// `project/NAME=ROLE` or `organization/NAME=ROLE`.
pub(super) fn membership(text: &str) -> Result<Membership, &'static str> {
    const EXPECTED: &str =
        "a place and a role are expected, like project/shop=developer or organization/acme=viewer";
    let (place, role) = text.rsplit_once('=').ok_or(EXPECTED)?;
    let place = match place.split_once('/') {
        Some((_, "")) | None => return Err(EXPECTED),
        Some(("project", name)) => Where::Project(name.to_owned()),
        Some(("organization" | "org", name)) => Where::Organization(name.to_owned()),
        Some(_) => return Err(EXPECTED),
    };
    Ok(Membership { r#where: Some(place), role: self::role(role)?.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_neither_none_nor_endless() {
        assert_eq!(patience("1m30s"), Ok(Duration::from_secs(90)));
        for bad in ["0s", "5", "2years", "584542046090years", ""] {
            assert!(patience(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn files_are_their_own_keys() {
        let read = |text: &str| keyed_file(text).map(|(key, file)| (key, file.display().to_string()));
        assert_eq!(read("key=dir/f.txt"), Ok(("key".into(), "dir/f.txt".into())));
        assert_eq!(read("dir/f.txt"), Ok(("f.txt".into(), "dir/f.txt".into())));
        assert_eq!(read("key=-"), Ok(("key".into(), "-".into())));
        for bad in ["-", "key=", "=f", ""] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn roles_have_places() {
        let read = |text: &str| membership(text).map(|member| (member.role(), member.r#where.unwrap()));
        assert_eq!(read("project/shop=viewer"), Ok((Role::Viewer, Where::Project("shop".into()))));
        assert_eq!(read("org/a=b=admin"), Ok((Role::Admin, Where::Organization("a=b".into()))));
        for bad in ["project/shop", "project/=viewer", "team/x=viewer", "project/shop=king"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn phases_are_found_however_they_are_spelt() {
        assert_eq!(phase("failedtostart"), Ok(Phase::FailedToStart));
        assert!(phase("done").is_err());
    }
}
