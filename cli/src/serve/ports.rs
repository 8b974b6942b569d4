use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::failure::Failure;

/// Refuses ports that cannot be had, all of them at once, before anything is begun.
pub(super) fn judge(asked: &[(&str, SocketAddr)]) -> Result<(), Failure> {
    distinct(asked)?;
    let taken = asked.iter().filter(|(_, addr)| addr.port() != 0).filter_map(|(flag, addr)| {
        let error = TcpListener::bind(addr).err()?;
        Some(not_listening(*addr, flag, &error).to_string())
    });
    let taken: Vec<_> = taken.collect();
    if taken.is_empty() { Ok(()) } else { Err(Failure::refused(taken.join("\n"))) }
}

/// Why nobody can listen on `addr`, which the option `flag` chooses.
pub(super) fn not_listening(addr: SocketAddr, flag: &str, error: &io::Error) -> Failure {
    let choose = format!("choose another with {flag} ADDR");
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => format!("another process has this port; stop it, or {choose}"),
        io::ErrorKind::PermissionDenied => {
            format!("ports below 1024 need root or CAP_NET_BIND_SERVICE; {choose}")
        }
        io::ErrorKind::AddrNotAvailable => format!("this machine has no such address; {choose}"),
        _ => format!("{error}; {choose}"),
    };
    Failure::refused(format_args!("cannot listen on {addr} ({flag}): {advice}"))
}

/// Refuses two options that ask for the same port of the same address.
fn distinct(asked: &[(&str, SocketAddr)]) -> Result<(), Failure> {
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
        let (addr, held) = bind().map_err(|error: io::Error| not_listening(addr, flag, &error))?;
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
    fn every_port_that_is_taken_is_told() {
        let taken = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [http, https] = [&taken[0], &taken[1]].map(|socket| socket.local_addr().unwrap());
        let told = judge(&[("--http", http), ("--https", https), ("--grpc", "127.0.0.1:0".parse().unwrap())]);
        assert_eq!(
            told.unwrap_err().to_string(),
            format!(
                "cannot listen on {http} (--http): another process has this port; stop it, or choose another with \
                 --http ADDR\ncannot listen on {https} (--https): another process has this port; stop it, or choose \
                 another with --https ADDR"
            )
        );
    }

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
