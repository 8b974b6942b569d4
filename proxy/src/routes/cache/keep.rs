use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proto::Revision;
use tokio::sync::watch;
use tokio::time::Instant;

use super::save;
use crate::config::fixed;
use crate::drain::Signal;
use crate::routes::Routes;

/// How keeping the table on disk goes.
#[derive(Debug, Default)]
pub struct CacheState {
    written: AtomicU64,
    failed: AtomicU64,
}

impl CacheState {
    /// Tables written.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Tables that could not be written.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// A big table is written so seldom that writing takes a tenth of the time.
const SHARE: u32 = 10;

/// Keeps the table of `routes` in the file `path`, of which `on_disk` is there already, until a drain
/// begins; then writes it once more if it has changed. At least `least` lies between two writes.
pub async fn keep(
    routes: Arc<Routes>,
    path: PathBuf,
    on_disk: Option<Revision>,
    least: Duration,
    state: Arc<CacheState>,
    mut drain: Signal,
) {
    let mut revisions = routes.revisions();
    let mut keeper = Keeper { routes, path, on_disk, state, failing: false };
    while news(&mut revisions, keeper.on_disk, &mut drain).await {
        let began = Instant::now();
        let saved = keeper.save().await;
        let pause = if saved { least.max(began.elapsed() * SHARE) } else { fixed::CACHE_RETRY };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = drain.draining() => {}
        }
    }
    if *revisions.borrow() != keeper.on_disk {
        keeper.save().await;
    }
}

/// Waits for a revision other than `on_disk`. False when a drain has begun.
async fn news(
    revisions: &mut watch::Receiver<Option<Revision>>,
    on_disk: Option<Revision>,
    drain: &mut Signal,
) -> bool {
    tokio::select! {
        biased;
        () = drain.draining() => false,
        found = revisions.wait_for(|revision| *revision != on_disk) => found.is_ok(),
    }
}

struct Keeper {
    routes: Arc<Routes>,
    path: PathBuf,
    on_disk: Option<Revision>,
    state: Arc<CacheState>,
    failing: bool,
}

impl Keeper {
    async fn save(&mut self) -> bool {
        let (table, path) = (self.routes.table(), self.path.clone());
        let revision = table.revision();
        let saved = tokio::task::spawn_blocking(move || save(&path, &table)).await;
        match saved.map_err(std::io::Error::other).flatten() {
            Ok(()) => {
                self.on_disk = revision;
                self.failing = false;
                self.state.written.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(error) => {
                // Said once for each time it begins to fail; the metric tells how long it goes on.
                if !std::mem::replace(&mut self.failing, true) {
                    let path = self.path.display();
                    tracing::error!(%path, %error, "cannot write the route cache; a restart without control \
                        would serve an older table. Trying again");
                }
                self.state.failed.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drain;
    use crate::routes::cache::load;
    use crate::routes::tests::{delta, snapshot, unbound};

    const SECOND: Duration = Duration::from_secs(1);

    fn loaded(path: &std::path::Path) -> Option<u64> {
        load(path).unwrap().map(|update| update.revision.number)
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_table_is_on_disk_after_a_drain_and_not_each_one_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("routes.cache");
        let (routes, state) = (Routes::new(), Arc::<CacheState>::default());
        let (drain, signal) = drain::channel();
        let keeping = keep(routes.clone(), path.clone(), None, 60 * SECOND, state.clone(), signal);
        let changing = async {
            routes.apply(snapshot(1, vec![unbound("a.x")])).unwrap();
            while state.written() == 0 {
                tokio::time::sleep(SECOND / 10).await;
            }
            assert_eq!(loaded(&path), Some(1));
            for number in 2..10 {
                routes.apply(delta(number, vec![unbound("a.x")], &[])).unwrap();
                tokio::time::sleep(SECOND).await;
            }
            assert_eq!(loaded(&path), Some(1));
            drain.start();
        };
        tokio::join!(keeping, changing);
        assert_eq!((loaded(&path), state.written(), state.failed()), (Some(9), 2, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_counted_and_tried_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("not-yet").join("routes.cache");
        let (routes, state) = (Routes::new(), Arc::<CacheState>::default());
        let (drain, signal) = drain::channel();
        routes.apply(snapshot(1, vec![unbound("a.x")])).unwrap();
        let keeping = keep(routes, path.clone(), None, SECOND, state.clone(), signal);
        let mending = async {
            while state.failed() < 2 {
                tokio::time::sleep(SECOND).await;
            }
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            while state.written() == 0 {
                tokio::time::sleep(SECOND).await;
            }
            drain.start();
        };
        tokio::join!(keeping, mending);
        assert_eq!(loaded(&path), Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_loaded_from_the_file_is_not_written_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("routes.cache");
        let (routes, state) = (Routes::new(), Arc::<CacheState>::default());
        routes.apply(snapshot(1, vec![unbound("a.x")])).unwrap();
        let (drain, signal) = drain::channel();
        let keeping = keep(routes.clone(), path.clone(), routes.revision(), SECOND, state.clone(), signal);
        let waiting = async {
            tokio::time::sleep(60 * SECOND).await;
            drain.start();
        };
        tokio::join!(keeping, waiting);
        assert!(!path.exists() && state.written() == 0);
    }
}
