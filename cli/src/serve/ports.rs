use std::net::{SocketAddr, TcpListener};

use crate::failure::Failure;

/// Refuses two options that ask for the same port of the same address.
pub(super) fn distinct(asked: &[(&str, SocketAddr)]) -> Result<(), Failure> {
    for (i, (flag, addr)) in asked.iter().enumerate() {
        let same = |other: &SocketAddr| {
            let ips = [addr.ip(), other.ip()];
            let meet = ips[0] == ips[1] || ips.iter().any(std::net::IpAddr::is_unspecified);
            addr.port() != 0 && addr.port() == other.port() && meet
        };
        if let Some((other, _)) = asked.iter().take(i).find(|(_, other)| same(other)) {
            return Err(Failure::usage(format_args!(
                "{other} and {flag} both ask for port {}; give each a port of its own",
                addr.port()
            )));
        }
    }
    Ok(())
}

/// An address whose port is known before anyone serves on it: when the kernel is to choose (port 0), it
/// chooses now, and the port is held until it is wanted.
pub(super) struct Reserved {
    addr: SocketAddr,
    held: Option<TcpListener>,
}

impl Reserved {
    /// `flag` is the option that chooses it.
    pub(super) fn at(addr: SocketAddr, flag: &str) -> Result<Self, Failure> {
        if addr.port() != 0 {
            return Ok(Self { addr, held: None });
        }
        let bind = || {
            let held = TcpListener::bind(addr)?;
            Ok((held.local_addr()?, held))
        };
        let (addr, held) = bind().map_err(|error: std::io::Error| {
            Failure::refused(format_args!(
                "cannot listen on {addr}: {error}; choose another with {flag} ADDR"
            ))
        })?;
        Ok(Self { addr, held: Some(held) })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Lets go of the port, for whoever serves on it to take.
    pub(super) fn release(self) -> SocketAddr {
        drop(self.held);
        self.addr
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_has_a_port_of_its_own() {
        let judged = |a: &str, b: &str| {
            distinct(&[("--http", a.parse().unwrap()), ("--https", b.parse().unwrap())])
                .map_err(|failure| failure.to_string())
        };
        assert_eq!(
            judged("127.0.0.1:80", "127.0.0.1:80").unwrap_err(),
            "--http and --https both ask for port 80; give each a port of its own"
        );
        assert!(judged("0.0.0.0:80", "127.0.0.1:80").is_err());
        for (a, b) in
            [("127.0.0.1:0", "127.0.0.1:0"), ("127.0.0.1:80", "127.0.0.2:80"), ("[::1]:80", "[::1]:81")]
        {
            assert_eq!(judged(a, b), Ok(()));
        }
    }
}
