//! The access log: one JSON object a line, written by a thread of its own.
//!
//! Each worker writes its lines into a batch of its own ([`Lines`]) and hands that over when it is large or
//! has waited for a moment. When too much waits for the thread a batch is dropped and its lines are counted:
//! no request ever waits for a disk or a pipe.

mod json;
mod line;
mod note;

use std::cell::RefCell;
use std::convert::Infallible;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::sleep;

use crate::config::AccessLogTarget;
use line::Second;
pub use note::{End, Note, Words};

/// A batch of so many bytes is handed over at once. What a pipe takes.
const LARGE: usize = 64 * 1024;
/// Any batch is after so long, so that a busy log costs forty wake-ups a second and not one a request.
const PAUSE: Duration = Duration::from_millis(25);
/// Empty batches kept for the workers.
const MOST_SPARE: usize = 16;

/// The way into the log: cheap to clone, one for each worker.
#[derive(Clone)]
pub struct AccessLog {
    queue: Option<Queue>,
    losses: Arc<Losses>,
}

/// Lines that were not written.
#[derive(Debug, Default)]
pub struct Losses {
    /// Too many waited.
    full: AtomicU64,
    /// They could not be written.
    unwritable: AtomicU64,
}

/// The thread that writes. Ends when the last [`AccessLog`] is dropped and all is written.
pub struct Writer(Option<std::sync::mpsc::Receiver<()>>);

/// What waits for the thread. It is bounded by the lines in it.
#[derive(Clone)]
struct Queue {
    sender: mpsc::Sender<Batch>,
    shared: Arc<Waiting>,
    most: usize,
}

#[derive(Default)]
struct Waiting {
    lines: AtomicUsize,
    spare: Mutex<Vec<Vec<u8>>>,
}

/// Lines, one after the other.
#[derive(Default)]
struct Batch {
    text: Vec<u8>,
    lines: usize,
}

/// What one worker has to say.
pub struct Lines {
    log: AccessLog,
    batch: RefCell<(Batch, Second)>,
    /// The batch has its first line.
    begun: Notify,
}

impl AccessLog {
    /// A log that records nothing.
    pub fn off() -> Self {
        Self { queue: None, losses: Arc::default() }
    }

    /// Opens the log and starts its thread, for which `most` lines may wait, and one batch more. Fails when the
    /// file cannot be opened.
    pub fn start(target: &AccessLogTarget, most: usize) -> io::Result<(Self, Writer)> {
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
        Self::start_on(output, most)
    }

    /// The same, on any output.
    pub fn start_on(mut output: Box<dyn Write + Send>, most: usize) -> io::Result<(Self, Writer)> {
        // No batch is without a line.
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        let (sender, mut batches) = mpsc::channel::<Batch>(most);
        let (shared, losses) = (Arc::<Waiting>::default(), Arc::<Losses>::default());
        let (waiting, lost) = (shared.clone(), losses.clone());
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::Builder::new().name("access-log".into()).spawn(move || {
            let _done = done;
            let mut is_torn = false;
            while let Some(mut batch) = batches.blocking_recv() {
                waiting.lines.fetch_sub(batch.lines, Ordering::Relaxed);
                if is_torn {
                    // Half a line may stand there; none goes on in it.
                    batch.text.insert(0, b'\n');
                }
                is_torn = put(&mut output, &batch, &lost).is_err();
                waiting.keep(batch.text);
            }
        })?;
        let queue = Some(Queue { sender, shared, most });
        Ok((Self { queue, losses }, Writer(Some(ended))))
    }

    /// What was lost. Does not keep the log from ending.
    pub fn losses(&self) -> Arc<Losses> {
        self.losses.clone()
    }

    /// Hands a batch over. Never waits.
    fn hand_over(&self, batch: Batch) {
        let Some(Queue { sender, shared, most }) = &self.queue else { return };
        let lines = batch.lines;
        if shared.lines.fetch_add(lines, Ordering::Relaxed) >= *most {
            shared.lines.fetch_sub(lines, Ordering::Relaxed);
            shared.keep(batch.text);
        } else if sender.try_send(batch).is_ok() {
            return;
        }
        self.losses.full.fetch_add(lines as u64, Ordering::Relaxed);
    }
}

impl Waiting {
    fn keep(&self, mut text: Vec<u8>) {
        text.clear();
        if let Ok(mut spare) = self.spare.lock()
            && spare.len() < MOST_SPARE
        {
            spare.push(text);
        }
    }

    fn spare(&self) -> Vec<u8> {
        self.spare.lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default()
    }
}

impl Lines {
    /// Of a worker, into `log`.
    pub fn new(log: AccessLog) -> Self {
        Self { log, batch: RefCell::default(), begun: Notify::new() }
    }

    /// Whether lines go anywhere; lets a worker skip remembering what they would say.
    pub fn is_on(&self) -> bool {
        self.log.queue.is_some()
    }

    /// Writes a line. Never waits.
    pub fn write(&self, note: &Note, end: &End<'_>) {
        let Some(queue) = &self.log.queue else { return };
        let (batch, second) = &mut *self.batch.borrow_mut();
        if batch.lines == 0 {
            batch.text = queue.shared.spare();
            self.begun.notify_one();
        }
        line::append(&mut batch.text, second, note, end);
        batch.lines += 1;
        if batch.text.len() >= LARGE {
            self.log.hand_over(std::mem::take(batch));
        }
    }

    /// Hands lines over that have waited for a moment, for ever.
    pub async fn hand_over_in_time(&self) -> Infallible {
        loop {
            self.begun.notified().await;
            sleep(PAUSE).await;
            self.hand_over();
        }
    }

    fn hand_over(&self) {
        let batch = std::mem::take(&mut self.batch.borrow_mut().0);
        if batch.lines > 0 {
            self.log.hand_over(batch);
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.hand_over();
    }
}

impl Losses {
    /// Lines dropped because too many waited.
    pub fn dropped(&self) -> u64 {
        self.full.load(Ordering::Relaxed)
    }

    /// Lines that could not be written: disk full, pipe closed.
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

fn put(output: &mut impl Write, batch: &Batch, lost: &Losses) -> io::Result<()> {
    output.write_all(&batch.text).and_then(|()| output.flush()).inspect_err(|error| {
        if lost.unwritable.fetch_add(batch.lines as u64, Ordering::Relaxed) == 0 {
            tracing::error!(%error, "the access log cannot be written; further failures are only counted");
        }
    })
}

#[cfg(test)]
mod tests;
