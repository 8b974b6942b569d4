use std::net::{SocketAddr, TcpListener};

use crate::failure::Failure;

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
