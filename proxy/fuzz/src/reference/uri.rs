use std::net::{Ipv4Addr, Ipv6Addr};

/// Which forms a target has are told by the method (RFC 9112 3.2).
pub(super) fn is_target(method: &[u8], target: &[u8]) -> bool {
    if method == b"CONNECT" {
        return authority(target) == Some(Port::Said);
    }
    if target == b"*" {
        return method == b"OPTIONS";
    }
    target[0] == b'/' || is_absolute(target)
}

/// RFC 9112 3.2.2, of the schemes that HTTP is spoken for (RFC 9110 4.2).
fn is_absolute(target: &[u8]) -> bool {
    let lower = target.to_ascii_lowercase();
    let Some(rest) = [&b"http://"[..], b"https://"].iter().find_map(|scheme| lower.strip_prefix(*scheme))
    else {
        return false;
    };
    let authority: Vec<u8> =
        rest.iter().copied().take_while(|octet| *octet != b'/' && *octet != b'?').collect();
    self::authority(&authority).is_some()
}

#[derive(Debug, PartialEq, Eq)]
enum Port {
    Said,
    /// `host` or `host:`
    NotSaid,
}

/// `uri-host [ ":" port ]` (RFC 3986 3.2.2, 3.2.3), the host not being empty (RFC 9110 4.2.1).
fn authority(text: &[u8]) -> Option<Port> {
    let rest = match text {
        [b'[', inside @ ..] => {
            let end = inside.iter().position(|octet| *octet == b']')?;
            is_ipv6(&inside[..end]).then_some(&inside[end + 1..])?
        }
        _ => {
            let end = text.iter().position(|octet| *octet == b':').unwrap_or(text.len());
            (end > 0 && is_reg_name(&text[..end])).then_some(&text[end..])?
        }
    };
    match rest {
        [] | [b':'] => Some(Port::NotSaid),
        [b':', port @ ..] if port.iter().all(u8::is_ascii_digit) => Some(Port::Said),
        _ => None,
    }
}

/// `*( unreserved / pct-encoded / sub-delims )`
fn is_reg_name(mut text: &[u8]) -> bool {
    let hexdig = u8::is_ascii_hexdigit;
    loop {
        text = match text {
            [] => return true,
            [b'%', high, low, rest @ ..] if hexdig(high) && hexdig(low) => rest,
            [b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~', rest @ ..] => rest,
            [b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=', rest @ ..] => rest,
            _ => return false,
        }
    }
}

/// Groups of one to four hexadecimal digits, eight of them or fewer around one `::`, the last two perhaps
/// written as IPv4.
fn is_ipv6(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let groups = |part: &str, last: bool| -> Option<usize> {
        if part.is_empty() {
            return Some(0);
        }
        let groups: Vec<&str> = part.split(':').collect();
        let count = groups.len();
        groups.iter().enumerate().try_fold(0, |sum, (at, group)| {
            let hex = (1..=4).contains(&group.len()) && group.bytes().all(|octet| octet.is_ascii_hexdigit());
            let ipv4 = last && at + 1 == count && group.parse::<Ipv4Addr>().is_ok();
            if hex {
                Some(sum + 1)
            } else if ipv4 {
                Some(sum + 2)
            } else {
                None
            }
        })
    };
    let is = match text.split_once("::") {
        Some((before, after)) if !after.contains("::") => {
            matches!((groups(before, false), groups(after, true)), (Some(a), Some(b)) if a + b <= 7)
        }
        Some(_) => false,
        None => groups(text, true) == Some(8),
    };
    assert_eq!(is, text.parse::<Ipv6Addr>().is_ok(), "{text:?}: two readings of RFC 3986");
    is
}
