use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rustix::pipe::fcntl_setpipe_size;
use serde_json::json;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A named pipe to read.
    #[arg(long, conflicts_with = "socket")]
    pipe: Option<PathBuf>,
    /// A Unix datagram socket to make and read, as syslog's is.
    #[arg(long)]
    socket: Option<PathBuf>,
    /// File that holds the count of lines, renewed ten times a second.
    #[arg(long)]
    count: PathBuf,
}

const BUFFER: usize = 256 * 1024;
/// As large as a pipe may be without privileges, so that writers seldom wait.
const PIPE: usize = 1024 * 1024;
const TOLD_EVERY: Duration = Duration::from_millis(100);

/// Reads until it is killed: writers may come and go.
pub(crate) fn run(args: &Args) -> io::Result<()> {
    let lines = Arc::new(AtomicU64::new(0));
    std::fs::write(&args.count, "0")?;
    let (told, file) = (Arc::clone(&lines), args.count.clone());
    thread::spawn(move || keep_telling(&told, &file));
    match (&args.pipe, &args.socket) {
        (Some(path), _) => pipe(path, &lines),
        (None, Some(path)) => socket(path, &lines),
        (None, None) => Err(io::Error::other("--pipe or --socket?")),
    }
}

#[allow(clippy::disallowed_methods, reason = "on a thread that is there to be blocked")]
fn keep_telling(lines: &AtomicU64, file: &Path) {
    let mut told = 0;
    loop {
        thread::sleep(TOLD_EVERY);
        let now = lines.load(Ordering::Relaxed);
        if now != told && std::fs::write(file, now.to_string()).is_ok() {
            told = now;
        }
    }
}

fn pipe(path: &Path, lines: &AtomicU64) -> io::Result<()> {
    // Opened for writing too: there is no end while the sink lives.
    let mut input = OpenOptions::new().read(true).write(true).open(path)?;
    fcntl_setpipe_size(&input, PIPE)?;
    crate::tell(&json!({ "reading": path }))?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let bytes = input.read(&mut buffer)?;
        let seen = memchr::memchr_iter(b'\n', buffer.get(..bytes).unwrap_or_default()).count();
        lines.fetch_add(seen as u64, Ordering::Relaxed);
    }
}

/// One datagram is one line, whether or not it ends like one.
fn socket(path: &Path, lines: &AtomicU64) -> io::Result<()> {
    let socket = UnixDatagram::bind(path)?;
    crate::tell(&json!({ "reading": path }))?;
    let mut buffer = vec![0; 65_536];
    loop {
        socket.recv(&mut buffer)?;
        lines.fetch_add(1, Ordering::Relaxed);
    }
}
