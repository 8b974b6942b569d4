use std::io::{self, BufRead as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};
use serde_json::json;

use crate::backend::find_head_end;
use crate::load::one_get;
use crate::tls::{self, Group};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    target: SocketAddr,
    /// File with a host name a line; connections take them in turn.
    #[arg(long)]
    hosts: PathBuf,
    #[arg(long)]
    tls: bool,
    /// Bytes of the one answer.
    #[arg(long, default_value_t = 64)]
    size: u64,
}

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(10);

/// Kept open, read no more.
enum Held {
    Plain { _socket: TcpStream },
    Tls { _stream: Box<StreamOwned<ClientConnection, TcpStream>> },
}

/// Reads numbers; opens connections, one after the other, until there are so many; tells when.
pub(crate) fn run(args: &Args) -> io::Result<()> {
    let text = std::fs::read_to_string(&args.hosts)?;
    let hosts: Vec<_> = text.lines().collect();
    let config = tls::client(Group::X25519, false)?;
    let mut held = Vec::new();
    for line in io::stdin().lock().lines() {
        let wanted: usize = line?.trim().parse().map_err(io::Error::other)?;
        while held.len() < wanted {
            let host = hosts.get(held.len() % hosts.len().max(1)).copied().unwrap_or_default();
            held.push(open(args, &config, host)?);
        }
        crate::tell(&json!({ "held": held.len() }))?;
    }
    Ok(())
}

fn open(args: &Args, config: &std::sync::Arc<rustls::ClientConfig>, host: &str) -> io::Result<Held> {
    let mut socket = TcpStream::connect(args.target)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let request = one_get(host, args.size);
    if !args.tls {
        ask(&mut socket, &request, args.size)?;
        return Ok(Held::Plain { _socket: socket });
    }
    let mut stream = Box::new(StreamOwned::new(tls::session(config, host)?, socket));
    ask(&mut *stream, &request, args.size)?;
    Ok(Held::Tls { _stream: stream })
}

fn ask(stream: &mut (impl io::Read + io::Write), request: &[u8], size: u64) -> io::Result<()> {
    stream.write_all(request)?;
    stream.flush()?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let bytes = stream.read(&mut buffer)?;
        if bytes == 0 {
            return Err(io::Error::other("closed before it answered"));
        }
        answer.extend_from_slice(buffer.get(..bytes).unwrap_or_default());
        if let Some(end) = find_head_end(&answer)
            && answer.len() >= end + usize::try_from(size).unwrap_or(usize::MAX)
        {
            let good = answer.starts_with(b"HTTP/1.1 200");
            return good.then_some(()).ok_or_else(|| io::Error::other("another answer than 200"));
        }
    }
}
