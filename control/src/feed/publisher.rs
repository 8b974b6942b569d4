use std::sync::Arc;

use futures_util::StreamExt as _;
use proto::{Hostname, Revision};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::Shared;
use super::projection::Projection;
use super::table::Table;
use crate::domain::record::PROJECT;
use crate::drain::Signal;
use crate::store::{Commit, Lagged, Prefix, Store, StoreError, Watch, load};

/// Takes commits in, in order, and publishes what they change.
pub struct Publisher {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    domains: Vec<Hostname>,
    projection: Projection,
    watch: Watch,
}

/// Everything in the store, read at one revision.
pub(super) struct Opened {
    pub(super) revision: Revision,
    pub(super) projection: Projection,
    pub(super) table: Table,
    pub(super) watch: Watch,
}

impl Opened {
    pub(super) async fn load(store: &dyn Store, domains: &[Hostname]) -> Result<Self, StoreError> {
        let everything = Prefix::of([PROJECT]);
        let empty = || Projection::new(domains);
        let (revision, projection, watch) = load(store, &everything, empty, Projection::learn).await?;
        // A million routes keep a core busy for seconds.
        let made = tokio::task::spawn_blocking(move || (projection.table(), projection)).await;
        let (table, projection) = made
            .map_err(|error| StoreError { doing: "make routes of its records", reason: error.to_string() })?;
        Ok(Self { revision, projection, table, watch })
    }
}

/// Why the publisher stops taking in commits one after the other.
enum Interrupted {
    /// It is to end.
    Ended,
    /// Commits were missed.
    Lagged,
}

impl Publisher {
    pub(super) fn new(
        shared: Arc<Shared>,
        store: Arc<dyn Store>,
        domains: Vec<Hostname>,
        projection: Projection,
        watch: Watch,
    ) -> Self {
        Self { shared, store, domains, projection, watch }
    }

    /// Publishes until `signal` is given or the store is closed.
    pub async fn run(mut self, signal: Signal) {
        loop {
            match self.follow(&signal).await {
                Interrupted::Ended => return,
                Interrupted::Lagged => {
                    tracing::warn!("commits were missed; reading the whole store again");
                    tokio::select! {
                        () = signal.given() => return,
                        () = self.reload() => {}
                    }
                }
            }
        }
    }

    async fn follow(&mut self, signal: &Signal) -> Interrupted {
        let Self { shared, projection, watch, .. } = self;
        let mut batches = watch.ready_chunks(shared.limits.commits_at_once.max(1));
        let mut settle = interval(shared.limits.heartbeat);
        settle.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = signal.given() => return Interrupted::Ended,
                batch = batches.next() => {
                    let Some(batch) = batch else { return Interrupted::Ended };
                    let whole = batch.len();
                    let commits: Vec<Commit> = batch.into_iter().map_while(Result::<_, Lagged>::ok).collect();
                    let lagged = commits.len() < whole;
                    advance(shared, projection, &commits);
                    if lagged {
                        return Interrupted::Lagged;
                    }
                }
                _ = settle.tick() => {
                    if shared.published().settle() {
                        shared.moved.send_replace(());
                    }
                }
            }
        }
    }

    /// Begins anew from what is stored now. Returns once that has been read.
    async fn reload(&mut self) {
        let opened = loop {
            match Opened::load(&*self.store, &self.domains).await {
                Ok(opened) => break opened,
                Err(error) => tracing::error!(%error, "routes stay as they are until the store can be read"),
            }
            sleep(self.shared.limits.reload).await;
        };
        (self.projection, self.watch) = (opened.projection, opened.watch);
        let old = self.shared.published().replace(opened.table, opened.revision);
        self.shared.moved.send_replace(());
        note(&self.shared, &self.projection);
        drop(old);
    }
}

fn advance(shared: &Shared, projection: &mut Projection, commits: &[Commit]) {
    let Some(last) = commits.last() else {
        return;
    };
    let standings = projection.apply(commits);
    let changed = shared.published().advance(standings, last.revision);
    shared.moved.send_replace(());
    shared.metrics.route_changes.inc_by(u64::try_from(changed).unwrap_or_default());
    note(shared, projection);
}

fn note(shared: &Shared, projection: &Projection) {
    let (routes, reached) = {
        let published = shared.published();
        (published.table().len(), published.reached().number)
    };
    shared.metrics.routes.set(i64::try_from(routes).unwrap_or(i64::MAX));
    shared.metrics.revision.set(i64::try_from(reached).unwrap_or(i64::MAX));
    shared.metrics.unreadable_records.set(i64::try_from(projection.unreadable()).unwrap_or(i64::MAX));
}
