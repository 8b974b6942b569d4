use std::sync::Arc;

use futures_util::StreamExt as _;
use proto::ProjectId;
use tokio::sync::mpsc::{self, Permit};
use tokio::time::{Instant, sleep_until};

use super::due::{Due, Next};
use super::known::Known;
use super::listing::Listing;
use super::look::ToRun;
use super::scope::{Scope, Scoped};
use super::{Cut, Told};
use crate::config::WatchLimits;
use crate::domain::Place;
use crate::drain::Signal;
use crate::metrics::WatchMetrics;
use crate::service::{Error, Service};
use crate::store::{self, Commit, Store};

/// One runtime's watch.
pub(super) struct Watching {
    store: Arc<dyn Store>,
    service: Service,
    scope: Scoped,
    limits: WatchLimits,
    /// Every commit since before the listing began.
    commits: store::Watch,
    ends: Instant,
    /// What was there at the beginning; none once all of it is due.
    listing: Option<Listing>,
    due: Due,
    known: Known,
}

/// What happens next on a watch.
enum Turn<'a> {
    /// A commit is to be taken in.
    Commit(Commit),
    /// There is something to tell, and room for it.
    Tell(Permit<'a, Told>),
    /// It has been silent, or not been read, for as long as it may.
    Late,
    /// It is over; with a reason, unless the runtime has gone.
    Over(Option<Cut>),
}

impl Watching {
    pub(super) fn new(store: Arc<dyn Store>, service: Service, scope: Scope, limits: WatchLimits) -> Self {
        // Before the first page is read, so that no change falls in between.
        let commits = store.watch(store.revision());
        let scope = Scoped::new(scope);
        let listing = Some(Listing::of(scope.only()));
        let ends = Instant::now() + limits.longest;
        let (due, known) = (Due::default(), Known::default());
        Self { store, service, scope, limits, commits, ends, listing, due, known }
    }

    /// Tells until it is over: why, or none when the runtime has gone.
    pub(super) async fn run(
        mut self,
        tells: &mpsc::Sender<Told>,
        metrics: &WatchMetrics,
        signal: &Signal,
    ) -> Option<Cut> {
        // When something was last told, or began to wait to be told.
        let mut since = Instant::now();
        loop {
            let waits = self.waits();
            match self.turn(tells, signal, since, waits).await {
                Turn::Commit(commit) => {
                    self.note(&commit);
                    if self.due.len() > self.limits.pending {
                        return Some(Cut::Slow);
                    }
                    if !waits && self.waits() {
                        since = Instant::now();
                    }
                }
                Turn::Tell(permit) => {
                    match self.next().await {
                        Ok(Some(told)) => {
                            metrics.told.inc();
                            permit.send(told);
                        }
                        Ok(None) => {}
                        Err(error) => return Some(Cut::Failed(error)),
                    }
                    since = Instant::now();
                }
                Turn::Late if waits => return Some(Cut::Slow),
                Turn::Late => {
                    // No room: what the runtime has still to read shows it that the watch is alive.
                    let _ = tells.try_send(Told::Heartbeat);
                    since = Instant::now();
                }
                Turn::Over(cut) => return cut,
            }
        }
    }

    fn waits(&self) -> bool {
        self.listing.is_some() || !self.due.is_empty()
    }

    async fn turn<'a>(
        &mut self,
        tells: &'a mpsc::Sender<Told>,
        signal: &Signal,
        since: Instant,
        waits: bool,
    ) -> Turn<'a> {
        // Asked first: there may always be something to tell.
        if Instant::now() >= self.ends {
            return Turn::Over(Some(Cut::Old));
        }
        let patience = if waits { self.limits.stalled } else { self.limits.heartbeat };
        tokio::select! {
            biased;
            () = signal.given() => Turn::Over(Some(Cut::Stopping)),
            () = tells.closed() => Turn::Over(None),
            commit = self.commits.next() => match commit {
                Some(Ok(commit)) => Turn::Commit(commit),
                Some(Err(store::Lagged)) => Turn::Over(Some(Cut::Missed)),
                None => Turn::Over(Some(Cut::Stopping)),
            },
            permit = tells.reserve(), if waits => permit.map_or(Turn::Over(None), Turn::Tell),
            () = sleep_until(self.ends) => Turn::Over(Some(Cut::Old)),
            () = sleep_until(since + patience) => Turn::Late,
        }
    }

    /// Has the deployments looked at that a commit touched, and those that depend on them.
    fn note(&mut self, commit: &Commit) {
        for change in commit.changes.iter() {
            let Some(Place::Deployment(guid)) = Place::of(change.key.parts()) else { continue };
            let project = change.key.as_str().split('/').nth(1).and_then(ProjectId::parse);
            let Some(project) = project.filter(|project| !self.scope.leaves_out(project)) else { continue };
            self.due.look_at(&project, &guid);
            for child in self.known.children(&guid) {
                self.due.look_at(&project, child);
            }
        }
    }

    /// The next thing to tell, if the next one that is due comes to something.
    async fn next(&mut self) -> Result<Option<Told>, Error> {
        match self.due.next() {
            Some(Next::Synced) => Ok(Some(Told::Synced)),
            Some(Next::Look(project, _)) if !self.scope.covers(&self.service, &project).await? => Ok(None),
            Some(Next::Look(project, guid)) => {
                let now = match ToRun::look(&self.service, &project, &guid).await {
                    Ok(now) => now,
                    // What runs is not to stop because nobody can say any more how it should run.
                    Err(Error::Record(error)) => {
                        tracing::error!(deployment = guid.as_str(), %error, "runtimes are told of no change");
                        return Ok(None);
                    }
                    Err(error) => return Err(error),
                };
                Ok(self.known.learn(&guid, now))
            }
            None => {
                self.list().await?;
                Ok(None)
            }
        }
    }

    /// Makes the next deployments due of those that were there at the beginning.
    async fn list(&mut self) -> Result<(), Error> {
        let Some(listing) = &mut self.listing else {
            return Ok(());
        };
        match listing.next(&*self.store, self.limits.portion.max(1)).await? {
            Some(found) => found.iter().for_each(|(project, guid)| self.due.look_at(project, guid)),
            None => {
                self.listing = None;
                self.due.say_synced();
            }
        }
        Ok(())
    }
}
