//! Whose request it is: `proxy::http::host`.
//!
//! An input is a Host field's value, and after a line feed, if there is one, a request's target.

use http::{HeaderMap, HeaderValue, Version};
use proto::Hostname;
use proxy::http::host::{Host, of_request, parse};
use proxy::http1::fields_of;
use proxy::refusal::Refusal;

/// Asserts that an accepted name is canonical and is what other readers of the authority find, and that
/// a request is never routed by a Host field its target contradicts.
pub fn check(data: &[u8]) {
    let mut parts = data.splitn(2, |&byte| byte == b'\n');
    let (host, target) = (parts.next().unwrap_or_default(), parts.next());
    authority(host);
    request(host, target.unwrap_or(b"/"));
}

/// Inputs to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let seeds = [
        "shop.ep-r.io",
        "SHOP.ep-r.io.:443",
        "a_b.x:00080",
        "127.0.0.1:8080",
        "[2001:db8::1]:80",
        "user:pw@a.b",
        "a.b:65536",
        "xn--bcher-kva.ep-r.io:",
        "a.b\n/path?query",
        "a.b\nhttp://c.d:81/path",
        "a.b\nhttps://user@c.d/",
        "\nhttp://c.d",
        "a.b\n*",
    ];
    seeds.map(|seed| seed.as_bytes().to_vec()).to_vec()
}

fn authority(bytes: &[u8]) {
    let mut buffer = [0; 253];
    let Ok(host) = parse(bytes, &mut buffer) else { return };
    let other = http::uri::Authority::try_from(bytes).ok();
    match host {
        Host::Name(name) => {
            let parsed = Hostname::parse_ascii(name.as_bytes());
            assert_eq!(parsed.as_ref().map(Hostname::as_str), Ok(name), "not canonical");
            assert!(bytes.to_ascii_lowercase().starts_with(name.as_bytes()), "not what was written");
            same(name.as_bytes(), name);
            same(&bytes.to_ascii_uppercase(), name);
            if name.len() == bytes.len() {
                same(&[bytes, b":443"].concat(), name);
                same(&[bytes, b"."].concat(), name);
                refused(&[b"user@", bytes].concat());
                refused(&[bytes, b":0"].concat());
                refused(&[bytes, b" "].concat());
            }
            if let Some(other) = other {
                let found = other.host().to_ascii_lowercase();
                assert_eq!(
                    found.strip_suffix('.').unwrap_or(&found),
                    name,
                    "another reader finds another name"
                );
            }
        }
        Host::Address => {
            let found = other.map(|other| other.host().to_owned()).unwrap_or_default();
            let digits = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
            let trimmed = found.strip_suffix('.').unwrap_or(&found);
            let address = found.starts_with('[') || trimmed.rsplit('.').next().is_some_and(digits);
            assert!(address, "{found:?} is no address");
        }
    }
}

fn same(bytes: &[u8], name: &str) {
    let mut buffer = [0; 253];
    assert_eq!(parse(bytes, &mut buffer), Ok(Host::Name(name)), "{}", bytes.escape_ascii());
}

fn refused(bytes: &[u8]) {
    let mut buffer = [0; 253];
    assert_eq!(parse(bytes, &mut buffer), Err(Refusal::BadAuthority), "{}", bytes.escape_ascii());
}

/// The same for a whole head, in both versions of HTTP.
fn request(host: &[u8], target: &[u8]) {
    let (Ok(field), Ok(uri)) = (HeaderValue::from_bytes(host), http::Uri::try_from(target)) else { return };
    let authority = uri.authority().map(http::uri::Authority::as_str);
    let target = authority.map(|authority| (uri.scheme_str().unwrap_or_default(), authority));
    let heads = [0, 1, 2]
        .map(|count| -> HeaderMap { (0..count).map(|_| (http::header::HOST, field.clone())).collect() });
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let [without, with, twice] =
            heads.each_ref().map(|head| of_request(version, target, fields_of(head)));
        assert_eq!(twice, Err(Refusal::RepeatedHost));
        match authority {
            None => {
                assert_eq!(without, Err(Refusal::MissingHost));
                assert_eq!(with, Ok(host.trim_ascii()));
            }
            Some(authority) => {
                for found in [without, with].into_iter().flatten() {
                    assert_eq!(found, authority.as_bytes(), "absolute-form beats Host");
                }
                if version == Version::HTTP_2 && with.is_ok() {
                    let host = host.trim_ascii();
                    assert!(host.eq_ignore_ascii_case(authority.as_bytes()), "two places disagree");
                }
                if version == Version::HTTP_11 {
                    assert!(without.is_err(), "HTTP/1.1 demands the field");
                    let mut buffer = [0; 253];
                    let sound = parse(host.trim_ascii(), &mut buffer).is_ok();
                    assert!(with.is_err() || sound, "a Host field that is not sound");
                }
            }
        }
    }
}
