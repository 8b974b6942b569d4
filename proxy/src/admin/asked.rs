use std::net::IpAddr;

use http::uri::Authority;
use http::{HeaderMap, header};

/// Whether a request was meant for this machine by the name it was asked by: an address, `localhost` or a name
/// below that (RFC 6761 6.3), or none.
///
/// A page in a browser on this machine can have its own name lead to a loopback address, and would then read
/// what is answered ("DNS rebinding"); its requests still say that name.
pub(super) fn is_by_local_name(headers: &HeaderMap) -> bool {
    headers.get_all(header::HOST).iter().all(|host| host.to_str().is_ok_and(is_local))
}

fn is_local(host: &str) -> bool {
    if host.is_empty() {
        return true;
    }
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let host = authority.host().to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.ends_with(".localhost") || address.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(hosts: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, http::HeaderValue::from_static(host));
        }
        is_by_local_name(&headers)
    }

    #[test]
    fn addresses_and_localhost_are_this_machine_and_other_names_are_not() {
        for host in ["127.0.0.1:9901", "[::1]:9901", "10.0.0.5", "LOCALHOST:9901", "epr.localhost", ""] {
            assert!(asked(&[host]), "{host:?}");
        }
        assert!(asked(&[]));
        for host in
            ["evil.example", "localhost.evil.example:9901", "127.0.0.1.evil.example", "a b", "loc@l host"]
        {
            assert!(!asked(&[host]), "{host:?}");
        }
        assert!(!asked(&["localhost", "evil.example"]));
    }
}
