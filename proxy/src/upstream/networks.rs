use std::net::SocketAddr;

use ipnet::IpNet;
use proto::BackendAddr;

use crate::config::BackendPolicy;

/// Where backends may be. What control declared is judged again at every dial: a backend address is a
/// tenant's word, and this machine reaches places the tenant must not.
#[derive(Debug)]
pub struct Networks {
    allowed: Vec<IpNet>,
    own: Vec<SocketAddr>,
}

/// Why an address is not dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// It is in none of the networks backends may be in.
    #[error("it is in none of the allowed backend networks")]
    NotAllowed,
    /// It is a link-local, multicast, unspecified or broadcast address, or one where clouds tell machines
    /// their credentials.
    #[error("no backend can be at a link-local, multicast, unspecified or metadata address")]
    Never,
    /// This proxy listens there.
    #[error("this proxy itself listens there")]
    Own,
}

impl Networks {
    /// The networks of `policy`, without `own`: the addresses the proxy and whatever shares its process
    /// listen on.
    pub fn new(policy: &BackendPolicy, own: Vec<SocketAddr>) -> Self {
        Self { allowed: policy.networks.clone(), own }
    }

    /// Whether a backend may be at `address`.
    pub fn permit(&self, address: BackendAddr) -> Result<(), Forbidden> {
        let ip = address.get().ip();
        if address.never().is_some() {
            return Err(Forbidden::Never);
        }
        if self.own.iter().any(|own| is_own(*own, address.get())) {
            return Err(Forbidden::Own);
        }
        let allowed = self.allowed.iter().any(|network| network.contains(&ip));
        allowed.then_some(()).ok_or(Forbidden::NotAllowed)
    }

    /// Whether an open connection to `peer` leads back here: a listener on all addresses is reached by each
    /// address of the machine, and a connection to one's own address comes from that address. That is asked for
    /// by `local`, which costs a call, only where the port is one of ours.
    pub(super) fn is_loop(&self, peer: SocketAddr, local: impl FnOnce() -> Option<SocketAddr>) -> bool {
        let may_be = self.own.iter().any(|own| own.ip().is_unspecified() && own.port() == peer.port());
        may_be && local().is_some_and(|local| local.ip().to_canonical() == peer.ip().to_canonical())
    }
}

fn is_own(own: SocketAddr, address: SocketAddr) -> bool {
    let reaches =
        own.ip().to_canonical() == address.ip() || (own.ip().is_unspecified() && address.ip().is_loopback());
    reaches && own.port() == address.port()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(networks: &Networks, address: &str) -> Result<(), Forbidden> {
        networks.permit(address.parse().unwrap())
    }

    #[test]
    fn private_networks_are_allowed_and_the_rest_only_when_said() {
        let default = Networks::new(&BackendPolicy::default(), vec![]);
        for address in ["10.1.2.3:80", "172.31.0.1:80", "192.168.0.1:1", "100.64.0.1:80", "[fd12::1]:80"] {
            assert_eq!(judge(&default, address), Ok(()), "{address}");
        }
        for address in ["127.0.0.1:80", "[::1]:80", "8.8.8.8:80", "172.32.0.1:80", "[2001:db8::1]:80"] {
            assert_eq!(judge(&default, address), Err(Forbidden::NotAllowed), "{address}");
        }
        let loopback = Networks::new(&BackendPolicy::default().with_loopback(), vec![]);
        assert_eq!(judge(&loopback, "127.0.0.1:80"), Ok(()));
        assert_eq!(judge(&loopback, "[::ffff:127.0.0.1]:80"), Ok(()));
    }

    #[test]
    fn some_addresses_are_never_dialled() {
        let everything = vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
        let networks = Networks::new(&BackendPolicy { networks: everything, ..Default::default() }, vec![]);
        assert_eq!(judge(&networks, "8.8.8.8:80"), Ok(()));
        for address in [
            "169.254.169.254:80",
            "[::ffff:169.254.169.254]:80",
            "[fe80::1]:80",
            "[febf::1]:80",
            "[fd00:ec2::254]:80",
            "[fd20:ce::254]:80",
            "[64:ff9b::a9fe:a9fe]:80",
            "100.100.100.200:80",
            "224.0.0.1:80",
            "255.255.255.255:80",
            "0.0.0.0:80",
            "0.1.2.3:80",
            "[::]:80",
            "[ff02::1]:80",
        ] {
            assert_eq!(judge(&networks, address), Err(Forbidden::Never), "{address}");
        }
    }

    #[test]
    fn the_proxy_does_not_dial_itself() {
        let own = vec!["127.0.0.1:8080".parse().unwrap(), "[::]:8443".parse().unwrap()];
        let networks = Networks::new(&BackendPolicy::default().with_loopback(), own);
        for address in ["127.0.0.1:8080", "[::ffff:127.0.0.1]:8080", "127.0.0.1:8443", "[::1]:8443"] {
            assert_eq!(judge(&networks, address), Err(Forbidden::Own), "{address}");
        }
        assert_eq!(judge(&networks, "127.0.0.1:9000"), Ok(()));
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let here = || Some(at("10.0.0.5:50000"));
        assert!(networks.is_loop(at("10.0.0.5:8443"), here));
        assert!(!networks.is_loop(at("10.0.0.6:8443"), here));
        let unasked = || unreachable!("that port is not one of ours on all addresses");
        assert!(!networks.is_loop(at("10.0.0.5:8080"), unasked));
    }
}
