//! Continuous load: keep-alive clients that never pause and forgive nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::task::JoinSet;

use crate::{KeepAlive, Outcome};

/// Clients at work.
pub struct Load {
    clients: JoinSet<Outcome<Vec<String>>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    done: AtomicBool,
    answered: AtomicU64,
    failed: AtomicU64,
}

/// What the clients saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Requests answered.
    pub answered: u64,
    /// Everything that was not an answer of status 200.
    pub failures: Vec<String>,
}

/// Starts `clients` connections that ask `host` for `path`, one request after the other.
pub fn start(edge: SocketAddr, host: &str, path: &str, clients: usize) -> Load {
    let shared = Arc::new(Shared::default());
    let mut set = JoinSet::new();
    for _ in 0..clients {
        set.spawn(client(edge, host.to_owned(), path.to_owned(), Arc::clone(&shared)));
    }
    Load { clients: set, shared }
}

impl Load {
    /// Requests answered so far.
    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Requests that failed so far.
    pub fn failed(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Lets every client end its request.
    pub async fn stop(mut self) -> Outcome<Seen> {
        self.shared.done.store(true, Ordering::Relaxed);
        let mut seen = Seen::default();
        while let Some(client) = self.clients.join_next().await {
            match client? {
                Ok(failures) => seen.failures.extend(failures),
                Err(fault) => seen.failures.push(format!("{fault:?}")),
            }
        }
        seen.answered = self.answered();
        Ok(seen)
    }
}

/// Ends at the first broken connection: the edge had no reason to break it.
async fn client(edge: SocketAddr, host: String, path: String, shared: Arc<Shared>) -> Outcome<Vec<String>> {
    let mut connection = KeepAlive::connect(edge, &host).await?;
    let mut failures = Vec::new();
    while !shared.done.load(Ordering::Relaxed) {
        let answer = connection.get(&path).await.inspect_err(|_| {
            shared.failed.fetch_add(1, Ordering::Relaxed);
        })?;
        if answer.status != 200 {
            shared.failed.fetch_add(1, Ordering::Relaxed);
            failures.push(format!("{} {}", answer.status, answer.by));
        }
        shared.answered.fetch_add(1, Ordering::Relaxed);
    }
    Ok(failures)
}
