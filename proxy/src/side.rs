//! What happens beside the traffic, on a thread of its own: the feed, the route cache, certificates as their
//! files change, the admin server.

mod certificates;

use std::io;
use std::net::TcpListener as StdListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use certs::Certificates;
use proto::Revision;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::admin::{self, Admin};
use crate::config::{Config, FeedConfig};
use crate::drain::Signal;
use crate::feed::{self, FeedState};
use crate::routes::Routes;
use crate::routes::cache::{self, CacheState};
use crate::tasks::Tasks;

/// What the side thread is given.
pub(crate) struct Side {
    pub(crate) admin: (StdListener, Admin),
    pub(crate) feed: Option<(FeedConfig, Arc<FeedState>)>,
    pub(crate) cache: Option<Cache>,
    /// And how often their files are looked at.
    pub(crate) certificates: (Arc<Certificates>, Duration),
    pub(crate) routes: Arc<Routes>,
    /// Most routes a table may have.
    pub(crate) most: usize,
    pub(crate) drain: Signal,
    /// Random.
    pub(crate) seed: u64,
}

/// Where the last good table is kept.
pub(crate) struct Cache {
    path: PathBuf,
    /// What is there already.
    on_disk: Option<Revision>,
    least: Duration,
    state: Arc<CacheState>,
}

/// The side thread while it runs. The admin server answers until it is stopped, during a drain too.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Cache {
    /// Makes the last good table the one that is served. A cache that cannot be read is no reason not
    /// to start: control has the table too.
    pub(crate) fn load(config: &Config, routes: &Routes) -> Option<Self> {
        let path = config.route_cache.clone()?;
        let least = config.feed.as_ref().map_or(Duration::from_secs(1), |feed| feed.cache_interval);
        let mut cache = Self { path, on_disk: None, least, state: Arc::default() };
        match cache::load(&cache.path) {
            Ok(None) => {}
            Ok(Some(update)) => {
                let revision = update.revision;
                match routes.apply(update) {
                    Ok(()) => cache.on_disk = Some(revision),
                    Err(error) => tracing::warn!(%error, "the cached routes do not apply; serving none"),
                }
            }
            Err(error) => tracing::warn!(%error, "serving no routes until control tells them"),
        }
        Some(cache)
    }

    /// How it goes.
    pub(crate) fn state(&self) -> Arc<CacheState> {
        self.state.clone()
    }
}

/// Starts the side thread.
pub(crate) fn start(side: Side) -> io::Result<Running> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::Builder::new().name("side".into()).spawn(move || {
        runtime.block_on(run(side, stopped));
    })?;
    Ok(Running { stop, thread })
}

impl Running {
    /// Stops the admin server and waits until the rest, which ends with the drain, has ended: the last
    /// table is then on disk. Blocks.
    pub(crate) fn finish(self) {
        // A thread that has died hears nothing, and has been reported.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

async fn run(side: Side, stopped: oneshot::Receiver<()>) {
    let Side { admin: (listener, admin), feed, cache, certificates, routes, most, drain, seed } = side;
    let tasks = Tasks::new();
    let (certificates, every) = certificates;
    tasks.spawn(certificates::keep(certificates, every, drain.clone()));
    if let Some((config, state)) = feed {
        tasks.spawn(feed::follow(config, routes.clone(), most, state, seed, drain.clone()));
    }
    if let Some(Cache { path, on_disk, least, state }) = cache {
        tasks.spawn(cache::keep(routes, path, on_disk, least, state, drain));
    }
    let answering = async {
        match TcpListener::from_std(listener) {
            Ok(listener) => admin::serve(listener, Arc::new(admin)).await,
            Err(error) => {
                tracing::error!(%error, "the admin server cannot listen");
                std::future::pending().await
            }
        }
    };
    tokio::select! {
        () = answering => {}
        // An error means that whoever could stop it is gone, which stops it as well.
        _ = stopped => {}
    }
    tasks.finished().await;
}
