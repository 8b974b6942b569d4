use std::fs;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime;
use tokio::time::{Instant, sleep, timeout};

use crate::{Fault, Outcome};

/// How often something that has no event of its own is looked at.
const POLL: Duration = Duration::from_millis(10);
/// How much of each log a failure shows.
const SHOWN_LINES: usize = 60;

/// Where one story is played: nothing it makes is seen by another.
pub struct Stage {
    dir: TempDir,
    ip: Ipv4Addr,
}

/// Plays a story on a stage of its own, for at most `limit`. When it fails, shows the logs of all who
/// took part; in any case ends them.
pub fn play(limit: Duration, story: impl AsyncFnOnce(&Stage) -> Outcome) -> Outcome {
    let stage = Stage::set()?;
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(async { timeout(limit, story(&stage)).await });
    let outcome = outcome.unwrap_or_else(|_| Err(Fault::new(format_args!("not over within {limit:?}"))));
    if outcome.is_err() {
        stage.show_logs();
    }
    outcome
}

impl Stage {
    /// An empty stage.
    pub fn set() -> Outcome<Self> {
        static SET: AtomicU8 = AtomicU8::new(0);
        let dir = tempfile::Builder::new().prefix("epr-stage-").tempdir()?;
        fs::create_dir(dir.path().join("logs"))?;
        // Stories run side by side, in one process or in many. With an address of its own a story can
        // close a port and open it again, certain that nobody took it in between.
        let [.., high, low] = std::process::id().to_be_bytes();
        let ip = Ipv4Addr::new(127, 1 + SET.fetch_add(1, Ordering::Relaxed) % 250, high, low);
        Ok(Self { dir, ip })
    }

    /// The temporary directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The loopback address of this story alone.
    pub fn ip(&self) -> Ipv4Addr {
        self.ip
    }

    /// The stage's address with port 0.
    pub fn any_port(&self) -> SocketAddr {
        SocketAddr::from((self.ip, 0))
    }

    /// A port that nobody listens on, for servers that cannot be told port 0.
    pub fn free_port(&self) -> Outcome<SocketAddr> {
        Ok(TcpListener::bind(self.any_port())?.local_addr()?)
    }

    /// Writes a file and says where it is.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Outcome<PathBuf> {
        let path = self.dir().join(name);
        fs::write(&path, content)?;
        Ok(path)
    }

    /// Where the log called `name` is.
    pub fn log_path(&self, name: &str) -> PathBuf {
        self.dir().join("logs").join(name)
    }

    fn show_logs(&self) {
        let Ok(entries) = fs::read_dir(self.dir().join("logs")) else { return };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let mut out = io::stderr().lock();
        for path in paths {
            let text = fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let lines: Vec<&str> = text.lines().collect();
            let shown = lines.len().saturating_sub(SHOWN_LINES);
            // Showing is all that is left to do: nobody could be told that it failed.
            let _ = writeln!(out, "--- {} ({} lines)", path.display(), lines.len());
            for line in lines.into_iter().skip(shown) {
                let _ = writeln!(out, "{line}");
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_logs();
        }
    }
}

/// Looks again and again until `look` sees something, for at most `within`.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Outcome<Option<T>>,
) -> Outcome<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        if Instant::now() >= deadline {
            return Err(Fault::new(format_args!("{what}: not within {within:?}")));
        }
        sleep(POLL).await;
    }
}
