use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use control::domain::{Place, World, routes_of};
use control::store::{self, Commit, Embedded, EmbeddedConfig, Prefix, Store, load};
use futures_util::StreamExt as _;
use proto::{Epoch, Hostname, Revision, Route};

use crate::client::{Did, Wish};
use crate::reference::Reference;
use crate::stage::{Stage, domains};
use crate::stored::Stored;

/// What happened, commit by commit.
pub(crate) struct History {
    watch: store::Watch,
    at: Revision,
    stored: Stored,
    world: World,
    projects: Vec<String>,
    organization: String,
    /// The commits of this round.
    commits: Vec<Commit>,
    /// How things stood after each commit of this round, and before the first.
    stood: BTreeMap<u64, Reference>,
    /// The routes that follow from each revision of this round.
    tables: BTreeMap<u64, BTreeMap<Hostname, Route>>,
}

impl History {
    /// From how things stand now, when nobody changes them.
    pub(crate) async fn begin(stage: &Stage) -> Self {
        let empty = || (Stored::default(), World::new(domains()));
        let everything = Prefix::of([]);
        let take = |made: &mut (Stored, World), key: &store::Key, value: Option<&bytes::Bytes>| {
            learn(&mut made.0, &mut made.1, &store::Change { key: key.clone(), value: value.cloned() });
        };
        let (at, (mut stored, world), watch) = load(&*stage.store, &everything, empty, take).await.unwrap();
        stored.most = stage.most;
        let (projects, organization) = (stage.projects.clone(), stage.organization.clone());
        let mut history = Self {
            watch,
            at,
            stored,
            world,
            projects,
            organization,
            commits: Vec::new(),
            stood: BTreeMap::new(),
            tables: BTreeMap::new(),
        };
        history.note();
        history
    }

    fn note(&mut self) {
        self.stored.assert_sound();
        self.stood.insert(self.at.number, self.stored.as_reference());
        self.tables.insert(self.at.number, routes_of(&self.world));
    }

    /// Takes in every commit there is, holding each against the invariants.
    pub(crate) async fn catch_up(&mut self, store: &Arc<dyn Store>) {
        self.commits.clear();
        self.stood.retain(|number, _| *number == self.at.number);
        self.tables.retain(|number, _| *number == self.at.number);
        while self.at != store.revision() {
            let commit = self.watch.next().await.unwrap().unwrap();
            for change in commit.changes.iter() {
                learn(&mut self.stored, &mut self.world, change);
            }
            self.at = commit.revision;
            self.note();
            self.commits.push(commit);
        }
    }

    /// Holds what was answered against the reference, in the order of the commits.
    pub(crate) fn judge(&self, did: &[Did]) {
        let order = self.in_order(did);
        for commit in &self.commits {
            let number = commit.revision.number;
            let (before, after) = (&self.stood[&(number - 1)], &self.stood[&number]);
            let here = order.get(&number).map(Vec::as_slice).unwrap_or_default();
            if commit.changes.iter().any(Stored::concerns) {
                let whose = here.iter().find(|did| same(before, did, after));
                assert!(whose.is_some(), "at {number}: none of {here:?} leads from {before:?} to {after:?}");
                let rest = here.iter().filter(|did| !std::ptr::eq(**did, *whose.unwrap()));
                rest.for_each(|did| self.assert_nothing_to_do(did));
            } else {
                here.iter().for_each(|did| self.assert_nothing_to_do(did));
            }
        }
        let before_all = self.commits.first().map_or(self.at.number, |first| first.revision.number - 1);
        order.get(&before_all).into_iter().flatten().for_each(|did| self.assert_nothing_to_do(did));
        let refused = did.iter().filter(|did| did.answer.is_err());
        refused.for_each(|did| self.assert_rightly_refused(did));
    }

    /// By revision, what was granted in it.
    fn in_order<'a>(&self, did: &'a [Did]) -> BTreeMap<u64, Vec<&'a Did>> {
        let mut order: BTreeMap<u64, Vec<&Did>> = BTreeMap::new();
        let mut untold = Vec::new();
        for did in did.iter().filter(|did| did.answer.is_ok()) {
            match did.answer.as_ref().unwrap().revision {
                Some(number) => order.entry(number).or_default().push(did),
                None => untold.push(did),
            }
        }
        // They are told by what they did. Two may have done the same, a name given up in between: who was
        // answered first takes the first commit within its time, which leaves the others all they can have.
        untold.sort_by_key(|did| did.between.1);
        let mut placed = BTreeSet::new();
        for did in untold {
            let found = self.candidates(did).find(|number| placed.insert(*number));
            let number = found.unwrap_or_else(|| panic!("no commit does {did:?}"));
            order.entry(number).or_default().push(did);
        }
        order
    }

    /// Commits within its time that do what it did.
    fn candidates<'a>(&'a self, did: &'a Did) -> impl Iterator<Item = u64> + 'a {
        let (from, until) = did.between;
        (from + 1..=until).filter(move |number| {
            let (Some(before), Some(after)) = (self.stood.get(&(number - 1)), self.stood.get(number)) else {
                return false;
            };
            let project = did.project.as_str();
            let has = |there: &Reference, route: &str| {
                there.routes.get(route).is_some_and(|(owner, _)| owner == project)
            };
            match &did.wish {
                Wish::Claim(route) => !has(before, route) && has(after, route),
                Wish::Disclaim(route) => has(before, route) && !has(after, route),
                _ => false,
            }
        })
    }

    /// At some moment between question and answer things stood as it wanted them: whoever was answered with a
    /// revision that another made, changed nothing.
    fn assert_nothing_to_do(&self, did: &Did) {
        let (from, until) = did.between;
        let mut moments = (from..=until).filter_map(|number| self.stood.get(&number));
        assert!(moments.any(|stood| same(stood, did, stood)), "nothing was done for {did:?}");
    }

    /// At some moment between question and answer it could not be granted.
    fn assert_rightly_refused(&self, did: &Did) {
        let (from, until) = did.between;
        let mut moments = (from..=until).filter_map(|number| self.stood.get(&number));
        assert!(moments.any(|stood| stood.grant(did, "new").is_err()), "refused without a reason: {did:?}");
    }

    /// Holds the tables a proxy had against the whole that follows from the store at those revisions.
    pub(crate) fn judge_tables(&self, had: &[(Revision, BTreeMap<Hostname, Route>)]) {
        let from = self.tables.keys().next().copied().unwrap_or_default();
        let of_this_round: Vec<_> = had.iter().filter(|(revision, _)| revision.number >= from).collect();
        assert!(!of_this_round.is_empty());
        for (revision, table) in of_this_round {
            assert_eq!(table, &self.tables[&revision.number], "at {revision}");
        }
    }

    /// Holds the names that are listed against the routes there are now.
    pub(crate) fn judge_listed(&self, listed: &BTreeSet<String>) {
        let routes = routes_of(&self.world);
        assert_eq!(listed, &routes.keys().map(ToString::to_string).collect::<BTreeSet<_>>());
    }

    pub(crate) fn static_routes_of(&self, organization: &str) -> usize {
        assert_eq!(organization, self.organization);
        self.projects.iter().map(|project| self.stored.static_routes_in(project)).sum()
    }

    /// Holds what a new start would find in the file against what was told by and by.
    pub(crate) async fn judge_kept(&self, path: &Path) {
        let config = EmbeddedConfig { path: path.to_owned(), limits: Default::default() };
        let store = Embedded::open(&config, Epoch(1)).unwrap();
        let take = |made: &mut BTreeMap<_, _>, key: &store::Key, value: Option<&bytes::Bytes>| {
            made.insert(key.clone(), value.unwrap().clone());
        };
        let (_, kept, _) = load(&store, &Prefix::of([]), BTreeMap::new, take).await.unwrap();
        assert_eq!(kept, self.stored.everything);
    }
}

fn learn(stored: &mut Stored, world: &mut World, change: &store::Change) {
    stored.apply(change);
    if let Some(place) = Place::of(change.key.parts()) {
        world.apply(&place, change.value.as_deref(), &mut BTreeSet::new()).unwrap();
    }
}

/// Whether granting the wish leads from `before` to `after`.
fn same(before: &Reference, did: &Did, after: &Reference) -> bool {
    let made = did.answer.as_ref().map(|done| done.guid.as_str()).unwrap_or_default();
    before.grant(did, made).is_ok_and(|then| then == *after)
}
