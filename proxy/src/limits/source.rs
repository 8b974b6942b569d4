use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use crate::config::Config;

/// What counts as one source: an IPv4 address, or the IPv6 network its user has.
///
/// IPv4 addresses stand in the part of the IPv6 space that is theirs (RFC 4291 2.5.5.2), from which no client
/// comes: its address would have been taken for the IPv4 one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source(u128);

/// Tells sources apart.
pub(super) struct Sorter {
    /// The bits of an IPv6 address that tell one source from another.
    mask: u128,
    exempt: Vec<IpNet>,
}

impl Sorter {
    pub(super) fn new(config: &Config) -> Self {
        let host_bits = 128_u32.saturating_sub(u32::from(config.limits.source_prefix_v6));
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        Self { mask, exempt: config.trusted_peers.clone() }
    }

    /// The source that `ip` is; none for a trusted peer, who brings other people's traffic.
    pub(super) fn source(&self, ip: IpAddr) -> Option<Source> {
        let ip = ip.to_canonical();
        let exempt = self.exempt.iter().any(|network| network.contains(&ip));
        (!exempt).then(|| match ip {
            IpAddr::V4(ip) => Source(ip.to_ipv6_mapped().to_bits()),
            IpAddr::V6(ip) => Source(Ipv6Addr::to_bits(ip) & self.mask),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorter(prefix: u8) -> Sorter {
        let mut config = Config { trusted_peers: vec!["10.1.0.0/16".parse().unwrap()], ..Config::default() };
        config.limits.source_prefix_v6 = prefix;
        Sorter::new(&config)
    }

    #[test]
    fn an_ipv6_network_is_one_source_and_an_ipv4_address_is_one() {
        let sorter = sorter(64);
        let source = |ip: &str| sorter.source(ip.parse().unwrap());
        assert_eq!(source("2001:db8:0:1::1"), source("2001:db8:0:1:ffff::2"));
        assert_ne!(source("2001:db8:0:1::1"), source("2001:db8:0:2::1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
        assert_eq!(source("192.0.2.1"), source("::ffff:192.0.2.1"));
        assert_ne!(source("::"), source("0.0.0.0"));
    }

    #[test]
    fn any_prefix_will_do() {
        let same = |prefix, one: &str, other: &str| {
            let sorter = sorter(prefix);
            sorter.source(one.parse().unwrap()) == sorter.source(other.parse().unwrap())
        };
        assert!(same(0, "2001:db8::1", "fe80::1") && same(48, "2001:db8:0:1::", "2001:db8:0:2::"));
        assert!(!same(128, "2001:db8::1", "2001:db8::2") && !same(255, "2001:db8::1", "2001:db8::2"));
    }

    #[test]
    fn a_trusted_peer_is_no_source() {
        let sorter = sorter(64);
        assert_eq!(sorter.source("10.1.2.3".parse().unwrap()), None);
        assert_eq!(sorter.source("::ffff:10.1.2.3".parse().unwrap()), None);
        assert!(sorter.source("10.2.0.1".parse().unwrap()).is_some());
    }
}
