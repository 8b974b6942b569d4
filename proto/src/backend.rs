mod never;

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// Where a replica of an endpoint listens: an IP address and a port that is not 0.
///
/// That the address lies in a network backends may be in is judged where the policy is known: in
/// control when it is declared, in the proxy when it is dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BackendAddr(SocketAddr);

/// Why a text is not the address of a backend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an IP address and a port between 1 and 65535, like 10.0.0.7:8080 or [fd00::7]:8080")]
pub struct BackendAddrError(String);

impl BackendAddr {
    /// The socket address; its port is never 0.
    pub fn get(self) -> SocketAddr {
        self.0
    }

    /// What it is, in words, where no backend can be at such an address whatever networks are allowed: link-local,
    /// multicast, no machine's at all, one where clouds tell machines their credentials, or an IPv6 address that a
    /// translator turns into one of these.
    pub fn never(self) -> Option<&'static str> {
        never::what(self.0.ip())
    }
}

impl TryFrom<SocketAddr> for BackendAddr {
    type Error = BackendAddrError;

    /// An IPv4-mapped IPv6 address becomes the IPv4 address it is: one backend has one spelling.
    fn try_from(address: SocketAddr) -> Result<Self, Self::Error> {
        if address.port() == 0 {
            return Err(BackendAddrError(address.to_string()));
        }
        Ok(Self(SocketAddr::new(address.ip().to_canonical(), address.port())))
    }
}

impl FromStr for BackendAddr {
    type Err = BackendAddrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address: SocketAddr = text.parse().map_err(|_| BackendAddrError(text.to_owned()))?;
        Self::try_from(address)
    }
}

impl fmt::Display for BackendAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A replica and whether it may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Backend {
    /// Where it listens.
    pub address: BackendAddr,
    /// Unhealthy backends are known but never chosen.
    pub healthy: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_one_spelling() {
        let mapped: BackendAddr = "[::ffff:10.0.0.7]:80".parse().unwrap();
        assert_eq!(mapped.to_string(), "10.0.0.7:80");
        for bad in ["10.0.0.7", "10.0.0.7:0", "backend:80", "10.0.0.7:65536", ""] {
            assert!(bad.parse::<BackendAddr>().is_err(), "{bad:?}");
        }
    }
}
