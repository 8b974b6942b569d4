use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use rustls::Connection;

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) bytes: usize,
    /// Nothing more will come.
    pub(crate) end: bool,
}

/// A connection that never blocks, in the clear or under TLS.
pub(crate) enum Wire {
    Plain(TcpStream),
    Tls { socket: TcpStream, session: Box<Connection> },
}

impl Wire {
    /// Connects, waiting for it: on loopback the peer's kernel answers within the call.
    pub(crate) fn connect(to: SocketAddr, from: Option<SocketAddr>) -> io::Result<TcpStream> {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};
        let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        if let Some(from) = from {
            bind(&socket, &from)?;
        }
        connect(&socket, &to)?;
        let socket = TcpStream::from(socket);
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }

    /// Reads once what there is.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<Got> {
        match self {
            Self::Plain(socket) => match socket.read(into) {
                Ok(bytes) => Ok(Got { bytes, end: bytes == 0 }),
                Err(error) if waits(&error) => Ok(Got { bytes: 0, end: false }),
                Err(error) => Err(error),
            },
            Self::Tls { socket, session } => read_tls(socket, session, into),
        }
    }

    /// Writes what there is room for.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => match socket.write(bytes) {
                Err(error) if waits(&error) => Ok(0),
                other => other,
            },
            Self::Tls { socket, session } => {
                // Its buffer takes 64 KiB at most: what has been sent makes room for more.
                let mut written = 0;
                while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
                    let taken = session.writer().write(rest)?;
                    written += taken;
                    if !flush(socket, session)? || taken == 0 {
                        break;
                    }
                }
                Ok(written)
            }
        }
    }

    /// Sends what an earlier write or the handshake left; whether nothing is left now.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        match self {
            Self::Plain(_) => Ok(true),
            Self::Tls { socket, session } => flush(socket, session),
        }
    }

    pub(crate) fn session(&self) -> Option<&Connection> {
        match self {
            Self::Plain(_) => None,
            Self::Tls { session, .. } => Some(session),
        }
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Plain(socket) | Self::Tls { socket, .. } => socket.as_fd(),
        }
    }
}

/// Reads records until the socket has no more or `into` may be too small for another one.
fn read_tls(socket: &mut TcpStream, session: &mut Connection, into: &mut [u8]) -> io::Result<Got> {
    let mut got = Got { bytes: 0, end: false };
    loop {
        let taken = match session.read_tls(socket) {
            Ok(0) => {
                got.end = true;
                0
            }
            Ok(taken) => taken,
            Err(error) if waits(&error) => 0,
            Err(error) => return Err(error),
        };
        let state = session.process_new_packets();
        flush(socket, session)?;
        let state = state.map_err(io::Error::other)?;
        got.end |= state.peer_has_closed();
        got.bytes += drain(session, into.get_mut(got.bytes..).unwrap_or_default())?;
        if got.end || taken < 4096 || into.len() - got.bytes < 64 * 1024 {
            return Ok(got);
        }
    }
}

fn drain(session: &mut Connection, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = into.get_mut(filled..).filter(|room| !room.is_empty()) {
        match session.reader().read(room) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if waits(&error) || error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn flush(socket: &mut TcpStream, session: &mut Connection) -> io::Result<bool> {
    while session.wants_write() {
        match session.write_tls(socket) {
            Ok(_) => {}
            Err(error) if waits(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
