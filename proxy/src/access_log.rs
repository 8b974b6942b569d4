//! The access log: one JSON object a line, written by a thread of its own.
//!
//! A worker only puts a [`Record`] into a bounded queue. When the queue is full the record is dropped
//! and counted: no request ever waits for a disk or a pipe.

mod line;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use tokio::sync::mpsc;

use crate::config::AccessLogTarget;
use crate::refusal::Refusal;
use crate::routes::{RouteEntry, Upstream};

/// What is said of one request, tunnel or refused connection.
///
/// Made to be filled without copying texts: what is large is shared with the request.
#[derive(Default)]
pub struct Record {
    /// When the head (or the hello) was there.
    pub at: Option<SystemTime>,
    /// From then to the end of the answer (or the tunnel).
    pub took: Duration,
    /// The client's address, as believed.
    pub client: Option<SocketAddr>,
    /// `http/1.1`, `h2`, `websocket`, `tls`.
    pub protocol: &'static str,
    /// Whether the client spoke TLS.
    pub tls: bool,
    /// The route that was found; tells name, deployment and endpoint.
    pub entry: Option<Arc<RouteEntry>>,
    /// The name asked for where there is no route.
    pub asked: Option<Box<str>>,
    /// Of the request.
    pub method: Option<http::Method>,
    /// Of the request, without its query: people put secrets there.
    pub path: Option<Box<str>>,
    /// Of the answer.
    pub status: Option<http::StatusCode>,
    /// Why it was not served.
    pub refusal: Option<Refusal>,
    /// Body or tunnel bytes from the client.
    pub bytes_in: u64,
    /// Body or tunnel bytes to the client.
    pub bytes_out: u64,
    /// The backend that served it, or failed to.
    pub upstream: Option<Arc<Upstream>>,
    /// Whether it was sent more than once.
    pub retried: bool,
    /// Names the request to the backend and in other logs.
    pub request_id: Option<HeaderValue>,
    /// Of the request.
    pub user_agent: Option<HeaderValue>,
}

impl Record {
    /// What is recorded of a request's target.
    pub fn path_of(target: &str) -> Box<str> {
        line::cut(target.split('?').next().unwrap_or_default()).into()
    }
}

/// The way into the log: cheap to clone, one for each worker.
#[derive(Clone)]
pub struct AccessLog {
    queue: Option<mpsc::Sender<Record>>,
    losses: Arc<Losses>,
}

/// Records that were not written.
#[derive(Debug, Default)]
pub struct Losses {
    /// The queue was full.
    full: AtomicU64,
    /// They could not be written.
    unwritable: AtomicU64,
}

/// The thread that writes. Ends when the last [`AccessLog`] is dropped and all is written.
pub struct Writer(Option<std::sync::mpsc::Receiver<()>>);

impl AccessLog {
    /// A log that records nothing.
    pub fn off() -> Self {
        Self { queue: None, losses: Arc::default() }
    }

    /// Opens the log and starts its thread. Fails when the file cannot be opened.
    pub fn start(target: &AccessLogTarget, queue: usize) -> io::Result<(Self, Writer)> {
        let output: Box<dyn Write + Send> = match target {
            AccessLogTarget::Off => return Ok((Self::off(), Writer(None))),
            AccessLogTarget::Stdout => Box::new(io::stdout()),
            AccessLogTarget::File(path) => {
                let file =
                    OpenOptions::new().create(true).append(true).mode(0o640).open(path).map_err(|error| {
                        let path = path.display();
                        io::Error::new(error.kind(), format!("cannot open the access log {path}: {error}"))
                    })?;
                Box::new(file)
            }
        };
        Self::start_on(output, queue)
    }

    /// The same, on any output.
    pub fn start_on(output: Box<dyn Write + Send>, queue: usize) -> io::Result<(Self, Writer)> {
        let (sender, receiver) = mpsc::channel(queue.max(1));
        let losses = Arc::<Losses>::default();
        let seen = losses.clone();
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::Builder::new().name("access-log".into()).spawn(move || {
            let _done = done;
            write_all(receiver, output, &seen);
        })?;
        Ok((Self { queue: Some(sender), losses }, Writer(Some(ended))))
    }

    /// Whether records go anywhere; lets a worker skip filling them.
    pub fn is_on(&self) -> bool {
        self.queue.is_some()
    }

    /// Hands over a record. Never waits.
    pub fn record(&self, record: Record) {
        if let Some(queue) = &self.queue
            && queue.try_send(record).is_err()
        {
            self.losses.full.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was lost. Does not keep the log from ending.
    pub fn losses(&self) -> Arc<Losses> {
        self.losses.clone()
    }
}

impl Losses {
    /// Records dropped because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.full.load(Ordering::Relaxed)
    }

    /// Records that could not be written: disk full, pipe closed.
    pub fn unwritable(&self) -> u64 {
        self.unwritable.load(Ordering::Relaxed)
    }
}

impl Writer {
    /// Waits until all is written, after every [`AccessLog`] was dropped, but no longer than `limit`: a
    /// pipe nobody reads must not keep a proxy from ending. Blocks. Returns whether all was written.
    pub fn finish(self, limit: Duration) -> bool {
        let Some(ended) = self.0 else { return true };
        // Nothing is ever sent: the thread's end drops the sender.
        ended.recv_timeout(limit) == Err(std::sync::mpsc::RecvTimeoutError::Disconnected)
    }
}

/// Between two batches, so that a busy log costs forty wake-ups a second and not one a request.
const PAUSE: Duration = Duration::from_millis(25);
/// Records written by one call.
const BATCH: usize = 512;

fn write_all(mut queue: mpsc::Receiver<Record>, mut output: Box<dyn Write + Send>, lost: &Losses) {
    let mut batch = Vec::new();
    while let Some(first) = queue.blocking_recv() {
        line::append(&mut batch, &first);
        let mut records: usize = 1;
        loop {
            match queue.try_recv() {
                Ok(record) => line::append(&mut batch, &record),
                Err(_) => break,
            }
            records += 1;
            if records == BATCH {
                put(&mut output, &mut batch, std::mem::take(&mut records), lost);
            }
        }
        put(&mut output, &mut batch, records, lost);
        // While this waits nobody waits on the queue, so that putting a record in it wakes no thread.
        if !queue.is_closed() {
            std::thread::park_timeout(PAUSE);
        }
    }
}

fn put(output: &mut impl Write, batch: &mut Vec<u8>, records: usize, lost: &Losses) {
    let written = output.write_all(batch).and_then(|()| output.flush());
    if let Err(error) = written
        && lost.unwritable.fetch_add(records as u64, Ordering::Relaxed) == 0
    {
        tracing::error!(%error, "the access log cannot be written; further failures are only counted");
    }
    batch.clear();
}

#[cfg(test)]
mod tests;
