//! Whose request it is: the authority of a request, parsed once.
//!
//! [`parse`] is pure, so that it can be fuzzed.

use http::Version;
use proto::HostnameError;
use proto::hostname::fold;

use crate::http1::{Field, Known};
use crate::refusal::Refusal;

/// Room for a folded name.
pub type NameBuffer = [u8; 253];

/// The host of an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'b> {
    /// A host name, folded.
    Name(&'b str),
    /// An IP address, which no route has.
    Address,
}

/// An authority without userinfo, or a Host field's value: a host and perhaps a port, which says
/// nothing here (RFC 3986 3.2; RFC 9110 4.2.4 forbids userinfo, 7.2 is Host).
///
/// # Errors
/// [`Refusal::BadAuthority`] for anything else: userinfo, a character no host name has, a port that is
/// not a number from 1 to 65535. An empty port is none (RFC 3986 6.2.3).
pub fn parse<'b>(authority: &[u8], buffer: &'b mut NameBuffer) -> Result<Host<'b>, Refusal> {
    if let Some(bracketed) = authority.strip_prefix(b"[") {
        let end = memchr::memchr(b']', bracketed).ok_or(Refusal::BadAuthority)?;
        let (address, rest) = bracketed.split_at(end);
        check_port(rest.get(1..).unwrap_or_default())?;
        let address = std::str::from_utf8(address).map_err(|_| Refusal::BadAuthority)?;
        return match address.parse::<std::net::Ipv6Addr>() {
            Ok(_) => Ok(Host::Address),
            Err(_) => Err(Refusal::BadAuthority),
        };
    }
    let colon = memchr::memchr(b':', authority).unwrap_or(authority.len());
    let (name, rest) = authority.split_at(colon);
    check_port(rest)?;
    match fold(name, buffer) {
        Ok(name) => Ok(Host::Name(name)),
        Err(HostnameError::IpAddress) => Ok(Host::Address),
        Err(_) => Err(Refusal::BadAuthority),
    }
}

/// Takes nothing, a colon, or a colon and a port.
fn check_port(rest: &[u8]) -> Result<(), Refusal> {
    let digits = match rest {
        [] | [b':'] => return Ok(()),
        [b':', digits @ ..] if digits.len() <= 5 => digits,
        _ => return Err(Refusal::BadAuthority),
    };
    let mut port = 0_u32;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(Refusal::BadAuthority);
        }
        port = port * 10 + u32::from(digit - b'0');
    }
    if (1..=65_535).contains(&port) { Ok(()) } else { Err(Refusal::BadAuthority) }
}

/// The authority of a request as the client wrote it: of its target where that has one (RFC 9112
/// 3.2.2: absolute-form beats Host), else its Host field. `target` is the scheme and the authority of an
/// absolute-form target, or of HTTP/2's pseudo-header fields.
///
/// # Errors
/// The `*Host` refusals, and [`Refusal::BadAuthority`] where HTTP/2's two places disagree (RFC 9113
/// 8.3.1) or the target's scheme is not one of ours.
pub fn of_request<'b>(
    version: Version,
    target: Option<(&'b str, &'b str)>,
    fields: impl Iterator<Item = Field<'b>>,
) -> Result<&'b [u8], Refusal> {
    let mut hosts = fields.filter(|field| field.known == Known::Host).map(|field| field.value);
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Refusal::RepeatedHost);
    }
    let Some((scheme, authority)) = target else {
        return host.ok_or(Refusal::MissingHost);
    };
    if !["http", "https"].iter().any(|ours| scheme.eq_ignore_ascii_case(ours)) {
        return Err(Refusal::BadAuthority);
    }
    match host {
        // HTTP/1.1 demands the field even beside an absolute-form target (RFC 9112 3.2).
        None if version == Version::HTTP_11 => return Err(Refusal::MissingHost),
        Some(host) if version == Version::HTTP_2 => {
            let agree = host.eq_ignore_ascii_case(authority.as_bytes());
            agree.then_some(()).ok_or(Refusal::BadAuthority)?;
        }
        Some(host) => {
            let mut buffer = [0; 253];
            parse(host, &mut buffer)?;
        }
        None => {}
    }
    Ok(authority.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(authority: &str) -> Result<String, Refusal> {
        let mut buffer = [0; 253];
        parse(authority.as_bytes(), &mut buffer).map(|host| match host {
            Host::Name(name) => name.to_owned(),
            Host::Address => "address".to_owned(),
        })
    }

    #[test]
    fn names_ports_and_addresses() {
        for (authority, host) in [
            ("My-Name.EP-R.io", "my-name.ep-r.io"),
            ("a_b.ep-r.io.:443", "a_b.ep-r.io"),
            ("a.b:", "a.b"),
            ("a.b:00080", "a.b"),
            ("xn--bcher-kva.ep-r.io", "xn--bcher-kva.ep-r.io"),
            ("127.0.0.1:8080", "address"),
            ("[::1]:80", "address"),
            ("[2001:db8::1]", "address"),
        ] {
            assert_eq!(parsed(authority).as_deref(), Ok(host), "{authority}");
        }
        for authority in [
            "",
            ":80",
            "a.b:0",
            "a.b:65536",
            "a.b:8 0",
            "a.b:+80",
            "a.b:80:80",
            "user@a.b",
            "user:pw@a.b",
            "a.b/c",
            "a b",
            "bücher.ep-r.io",
            "a%2eb",
            "a..b",
            "[::1",
            "[::1]80",
            "[a.b]",
            "[::1%25eth0]",
            "a.b,c.d",
            "a.b:123456",
            "a.b\t",
        ] {
            assert_eq!(parsed(authority), Err(Refusal::BadAuthority), "{authority}");
        }
    }

    fn asked(version: Version, target: &'static str, hosts: &[&'static str]) -> Result<String, Refusal> {
        let target = target.split_once("://");
        let host =
            |value: &&'static str| Field { known: Known::Host, name: b"Host", value: value.as_bytes() };
        let host = of_request(version, target, hosts.iter().map(host))?;
        Ok(String::from_utf8(host.to_vec()).unwrap())
    }

    #[test]
    fn the_target_beats_host_but_host_must_be_sound() {
        let asked = |target, hosts: &[&'static str]| asked(Version::HTTP_11, target, hosts);
        assert_eq!(asked("", &["a.b:1"]).as_deref(), Ok("a.b:1"));
        assert_eq!(asked("http://c.d", &["a.b"]).as_deref(), Ok("c.d"));
        assert_eq!(asked("HTTPS://c.d", &["a.b"]).as_deref(), Ok("c.d"));
        assert_eq!(asked("http://c.d", &[]), Err(Refusal::MissingHost));
        assert_eq!(asked("", &[]), Err(Refusal::MissingHost));
        assert_eq!(asked("", &["a", "a"]), Err(Refusal::RepeatedHost));
        assert_eq!(asked("http://a", &["a", "a"]), Err(Refusal::RepeatedHost));
        assert_eq!(asked("http://c.d", &["a@b"]), Err(Refusal::BadAuthority));
        assert_eq!(asked("ftp://c.d", &["c.d"]), Err(Refusal::BadAuthority));
    }

    #[test]
    fn http10_may_do_without_the_field_where_the_target_tells() {
        assert_eq!(asked(Version::HTTP_10, "http://c.d", &[]).as_deref(), Ok("c.d"));
        assert_eq!(asked(Version::HTTP_10, "", &["a.b"]).as_deref(), Ok("a.b"));
        assert_eq!(asked(Version::HTTP_10, "", &[]), Err(Refusal::MissingHost));
    }

    #[test]
    fn http2_needs_one_place_or_two_that_agree() {
        let asked = |target, hosts: &[&'static str]| asked(Version::HTTP_2, target, hosts);
        assert_eq!(asked("https://c.d", &[]).as_deref(), Ok("c.d"));
        assert_eq!(asked("https://c.d", &["C.d"]).as_deref(), Ok("c.d"));
        assert_eq!(asked("https://c.d", &["a.b"]), Err(Refusal::BadAuthority));
        assert_eq!(asked("", &["a.b"]).as_deref(), Ok("a.b"));
    }

    proptest! {
        /// What is accepted as a name is folded, and holds none of the authority's other parts.
        #[test]
        fn accepted_names_are_canonical(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut buffer = [0; 253];
            if let Ok(Host::Name(name)) = parse(&bytes, &mut buffer) {
                prop_assert!(bytes.to_ascii_lowercase().starts_with(name.as_bytes()));
                prop_assert!(!name.contains(['@', ':', '/', '[']) && !name.ends_with('.'));
            }
        }

        #[test]
        fn every_port_in_range_is_taken(port in 0_u32..70_000) {
            prop_assert_eq!(parsed(&format!("a.b:{port}")).is_ok(), (1..=65_535).contains(&port));
        }
    }
}
