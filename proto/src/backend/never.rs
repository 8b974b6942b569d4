use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where clouds tell machines their credentials, outside link-local addresses: Alibaba Cloud, Azure, Oracle's
/// older one.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];

/// The same over IPv6: Google Cloud, Oracle Cloud, Scaleway, Akamai, Alibaba Cloud. All lie in the midst of
/// private networks (RFC 4193).
const METADATA_V6: [Ipv6Addr; 5] = [
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
    Ipv6Addr::new(0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200),
];

/// What an address is that no backend may have; none for one that a backend may have.
pub(super) fn what(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => what_v4(ip),
        IpAddr::V6(ip) => what_v6(ip),
    }
}

fn what_v4(ip: Ipv4Addr) -> Option<&'static str> {
    match ip {
        _ if ip.is_link_local() => Some("a link-local or metadata address"),
        _ if METADATA_V4.contains(&ip) => Some("a metadata address"),
        _ if ip.octets()[0] == 0 => Some("no address of a machine"),
        _ if ip.is_broadcast() => Some("a broadcast address"),
        _ if ip.is_multicast() => Some("a multicast address"),
        _ => None,
    }
}

fn what_v6(ip: Ipv6Addr) -> Option<&'static str> {
    // AWS keeps the whole of fd00:ec2::/32 for services of its own: metadata, credentials of pods, names, time.
    let of_aws = matches!(ip.segments(), [0xfd00, 0xec2, ..]);
    match ip {
        _ if ip.is_unicast_link_local() => Some("a link-local address"),
        _ if of_aws || METADATA_V6.contains(&ip) => Some("a metadata address"),
        _ if ip.is_multicast() => Some("a multicast address"),
        _ if ip.is_unspecified() => Some("no address of a machine"),
        _ => {
            let carried = carried_v4(ip)?;
            let anything = carried.is_loopback().then_some("a loopback address of another machine");
            what_v4(carried).or(anything)
        }
    }
}

/// The IPv4 address that a translator or a tunnel on the way would go on to: NAT64 (RFC 6052 2.1, RFC 8215), 6to4
/// (RFC 3056 2), and the forms that were given up (RFC 4291 2.5.5.1, RFC 2765 2.1). A mapped address is none of
/// them: it is an IPv4 address already.
fn carried_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = ip.octets();
    let last = Ipv4Addr::new(a, b, c, d);
    match ip.segments() {
        [0x2002, high, low, ..] => Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))),
        [0x64, 0xff9b, 1, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => Some(last),
        [0, 0, 0, 0, 0, 0, ..] if !ip.is_loopback() => Some(last),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_never(address: &str) -> bool {
        what(address.parse().unwrap()).is_some()
    }

    #[test]
    fn where_clouds_tell_credentials_and_where_no_machine_is() {
        for address in [
            "169.254.169.254",
            "169.254.170.23",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
            "fd00:42::42",
            "fd00:a9fe:a9fe::1",
            "fd00:100::100:200",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "224.0.0.1",
            "255.255.255.255",
            "0.0.0.0",
            "0.1.2.3",
            "::",
        ] {
            assert!(is_never(address), "{address}");
        }
        for address in ["10.0.0.7", "100.64.0.1", "127.0.0.1", "::1", "8.8.8.8", "fd12::1", "2001:db8::1"] {
            assert!(!is_never(address), "{address}");
        }
    }

    #[test]
    fn a_translator_on_the_way_leads_to_none_of_them() {
        for address in [
            "64:ff9b::169.254.169.254",
            "64:ff9b::100.100.100.200",
            "64:ff9b::127.0.0.1",
            "64:ff9b:1::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "2002:7f00:1::1",
            "::169.254.169.254",
            "::127.0.0.1",
            "::ffff:0:169.254.169.254",
        ] {
            assert!(is_never(address), "{address}");
        }
        for address in ["64:ff9b::8.8.8.8", "64:ff9b::10.0.0.7", "2002:808:808::1"] {
            assert!(!is_never(address), "{address}");
        }
    }
}
