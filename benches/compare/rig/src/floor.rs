//! The bare relay: every client connection has one to the backend, bytes go to and fro, nothing is read
//! into them, logged or timed. With a certificate it terminates TLS.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};
use serde_json::json;

use crate::poll::{Poll, Wants};
use crate::tls;
use crate::wire::Wire;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    #[arg(long)]
    backend: SocketAddr,
    /// PEM file of a certificate chain: TLS ends here then.
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    #[arg(long)]
    key: Option<PathBuf>,
}

const BUFFER: usize = 256 * 1024;
const LISTENER: usize = 0;

/// One of the two connections of a pair, and what it could not take yet.
struct Side {
    wire: Wire,
    pending: Vec<u8>,
    wants: Wants,
}

/// Client and backend.
type Pair = [Side; 2];

struct Relay {
    poll: Poll,
    listener: TcpListener,
    backend: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    pairs: Vec<Option<Pair>>,
    free: Vec<usize>,
    buffer: Vec<u8>,
}

pub(crate) fn run(args: &Args) -> io::Result<()> {
    let listener = TcpListener::bind(args.listen)?;
    rustix::net::listen(&listener, 4096)?;
    listener.set_nonblocking(true)?;
    crate::tell(&json!({ "listen": listener.local_addr()? }))?;
    let tls = match (&args.cert, &args.key) {
        (Some(cert), Some(key)) => Some(tls::server(cert, key)?),
        _ => None,
    };
    let poll = Poll::new()?;
    poll.watch(&listener, LISTENER, Wants::Read)?;
    let (pairs, free) = (Vec::new(), Vec::new());
    let buffer = vec![0; BUFFER];
    Relay { poll, listener, backend: args.backend, tls, pairs, free, buffer }.serve()
}

impl Relay {
    fn serve(&mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        loop {
            self.poll.wait(None, &mut ready)?;
            for event in &ready {
                let Some(side) = event.token.checked_sub(1) else {
                    // Whoever could not be served finds out.
                    let _gone = self.accept();
                    continue;
                };
                let (place, side) = (side / 2, side % 2);
                if !self.turn(place, side).unwrap_or(false)
                    && let Some(pair) = self.pairs.get_mut(place)
                    && pair.take().is_some()
                {
                    self.free.push(place);
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        let (socket, _) = self.listener.accept()?;
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        let client = match &self.tls {
            None => Wire::Plain(socket),
            Some(config) => {
                let session = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                Wire::Tls { socket, session: Box::new(session.into()) }
            }
        };
        let backend = Wire::Plain(Wire::connect(self.backend, None)?);
        let place = self.free.pop().unwrap_or(self.pairs.len());
        self.poll.watch(&client, 1 + 2 * place, Wants::Read)?;
        self.poll.watch(&backend, 2 + 2 * place, Wants::Read)?;
        let side = |wire| Side { wire, pending: Vec::new(), wants: Wants::Read };
        let pair = Some([side(client), side(backend)]);
        match self.pairs.get_mut(place) {
            Some(free) => *free = pair,
            None => self.pairs.push(pair),
        }
        Ok(())
    }

    /// Moves what the side has to the other one; whether both go on.
    fn turn(&mut self, place: usize, side: usize) -> io::Result<bool> {
        let Some(Some(pair)) = self.pairs.get_mut(place) else { return Ok(true) };
        let [client, backend] = pair;
        let (from, to) = if side == 0 { (client, backend) } else { (backend, client) };
        let sent = from.send_pending()?;
        if to.pending.is_empty() {
            let got = from.wire.read(&mut self.buffer)?;
            to.send(self.buffer.get(..got.bytes).unwrap_or_default())?;
            if got.end {
                return Ok(false);
            }
        }
        from.watch(&self.poll, 1 + 2 * place + side, sent, to.pending.is_empty())?;
        let idle = from.pending.is_empty();
        to.watch(&self.poll, 2 + 2 * place - side, to.pending.is_empty(), idle)?;
        Ok(true)
    }
}

impl Side {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let sent = self.wire.write(bytes)?;
        self.pending.extend_from_slice(bytes.get(sent..).unwrap_or_default());
        Ok(())
    }

    /// Whether nothing is left to be sent.
    fn send_pending(&mut self) -> io::Result<bool> {
        if !self.wire.flush()? {
            return Ok(false);
        }
        if !self.pending.is_empty() {
            let sent = self.wire.write(&self.pending)?;
            self.pending.drain(..sent);
        }
        Ok(self.pending.is_empty())
    }

    fn watch(&mut self, poll: &Poll, token: usize, sent: bool, reads: bool) -> io::Result<()> {
        let unsent = self.wire.session().is_some_and(|session| session.wants_write());
        let wants = match (sent && !unsent, reads) {
            (true, true) => Wants::Read,
            (false, true) => Wants::Both,
            (false, false) => Wants::Write,
            (true, false) => Wants::Nothing,
        };
        if wants != self.wants {
            self.wants = wants;
            poll.rewatch(&self.wire, token, wants)?;
        }
        Ok(())
    }
}
