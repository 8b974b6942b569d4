//! Where backends may be.

use std::net::{Ipv4Addr, Ipv6Addr};

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
        if let Some(what) = address.never() {
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
            "[fd20:ce::254]:80",
            "100.100.100.200:80",
            "[64:ff9b::a9fe:a9fe]:80",
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
