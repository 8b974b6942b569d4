//! Where backends may be.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use proto::BackendAddr;

use super::Broken;

/// Networks backends may be in. What asks a machine who it is (the metadata address of clouds), and what
/// is no one machine's address, is never a backend, whatever stands in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendNetworks(Vec<IpNet>);

impl BackendNetworks {
    /// These networks and no others.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().collect())
    }

    /// The private networks (RFC 1918, RFC 6598, RFC 4193), without loopback: an edge that may dial its
    /// own machine can be made to reach what listens there for itself alone.
    pub fn private() -> Self {
        let v4 = |a, b, length| IpNet::new_assert(Ipv4Addr::new(a, b, 0, 0).into(), length);
        let unique_local = IpNet::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0).into(), 7);
        Self(vec![v4(10, 0, 8), v4(172, 16, 12), v4(192, 168, 16), v4(100, 64, 10), unique_local])
    }

    /// Lets backends be on this machine too, for development.
    #[must_use]
    pub fn with_loopback(mut self) -> Self {
        self.0.push(IpNet::new_assert(Ipv4Addr::new(127, 0, 0, 0).into(), 8));
        self.0.push(IpNet::new_assert(Ipv6Addr::LOCALHOST.into(), 128));
        self
    }

    /// Whether a backend may be at `address`.
    pub fn judge(&self, address: BackendAddr) -> Result<BackendAddr, Broken> {
        let ip = address.get().ip();
        if let Some(what) = never(ip) {
            return Err(Broken::new("backend_network", format!("{address} is {what}, never a backend")));
        }
        if self.0.iter().any(|network| network.contains(&ip)) {
            return Ok(address);
        }
        let networks: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        let message =
            format!("{address} is in none of the networks backends may be in: {}", networks.join(", "));
        Err(Broken::new("backend_network", message))
    }
}

/// What an address is that no backend may have.
fn never(ip: IpAddr) -> Option<&'static str> {
    /// The metadata service of a cloud in IPv6, in the midst of a private network.
    const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match ip {
        IpAddr::V4(v4) if v4.is_link_local() => Some("a link-local or metadata address"),
        IpAddr::V4(v4) if v4.octets()[0] == 0 => Some("no address of a machine"),
        IpAddr::V4(v4) if v4.is_broadcast() => Some("a broadcast address"),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some("a link-local address"),
        IpAddr::V6(METADATA_V6) => Some("a metadata address"),
        _ if ip.is_multicast() => Some("a multicast address"),
        _ if ip.is_unspecified() => Some("no address of a machine"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(networks: &BackendNetworks, text: &str) -> Result<BackendAddr, Broken> {
        networks.judge(text.parse().unwrap())
    }

    #[test]
    fn private_networks_without_loopback_unless_asked_for() {
        let private = BackendNetworks::private();
        for good in ["10.1.2.3:80", "172.31.0.1:80", "192.168.0.9:80", "100.127.0.1:80", "[fd12::1]:80"] {
            assert!(judge(&private, good).is_ok(), "{good}");
        }
        for bad in ["127.0.0.1:80", "[::1]:80", "8.8.8.8:80", "172.32.0.1:80", "[2001:db8::1]:80"] {
            assert_eq!(judge(&private, bad).unwrap_err().rule, "backend_network", "{bad}");
        }
        let local = private.with_loopback();
        assert!(judge(&local, "127.0.0.1:80").is_ok() && judge(&local, "[::1]:80").is_ok());
        assert!(judge(&local, "[::ffff:127.0.0.1]:80").is_ok());
    }

    #[test]
    fn some_addresses_are_never_backends() {
        let all = BackendNetworks::new(["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]);
        for bad in [
            "169.254.169.254:80",
            "[::ffff:169.254.169.254]:80",
            "[fe80::1]:80",
            "[fd00:ec2::254]:80",
            "0.0.0.0:80",
            "0.1.2.3:80",
            "[::]:80",
            "224.0.0.1:80",
            "[ff02::1]:80",
            "255.255.255.255:80",
        ] {
            assert!(judge(&all, bad).unwrap_err().message.contains("never"), "{bad}");
        }
        assert!(judge(&all, "8.8.8.8:80").is_ok());
    }
}
