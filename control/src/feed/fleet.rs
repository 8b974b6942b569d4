use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use proto::Revision;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::WallClock;

/// The name of a proxy in the fleet: 1 to 128 printable ASCII characters without spaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProxyId(String);

impl ProxyId {
    /// None when the text is no such name.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        sound.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A proxy that follows, or did not long ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyState {
    /// Its name.
    pub id: ProxyId,
    /// Which epr it runs.
    pub version: String,
    /// Where its stream comes from.
    pub peer: Option<SocketAddr>,
    /// Since when its last stream is there.
    pub connected_since: SystemTime,
    /// What it serves, as far as it has told.
    pub applied: Option<Revision>,
    /// Since when.
    pub applied_since: Option<SystemTime>,
    /// The last revision it refused since it connected, and why.
    pub nack: Option<Refused>,
    /// Whether its stream is there now.
    pub connected: bool,
}

/// A revision a proxy did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub revision: Revision,
    /// Why, in its words.
    pub reasons: Vec<String>,
}

/// The proxies, by name.
pub(super) struct Fleet {
    members: Mutex<BTreeMap<ProxyId, Member>>,
    /// Moves with everything a proxy tells.
    told: watch::Sender<()>,
    clock: WallClock,
    limits: FleetLimits,
}

/// How many proxies there may be, and how long one is remembered.
#[derive(Debug, Clone, Copy)]
pub(super) struct FleetLimits {
    pub(super) proxies: usize,
    pub(super) remembered: Duration,
}

struct Member {
    state: ProxyState,
    /// Tells this stream from earlier ones of the same name.
    stream: u64,
    over: CancellationToken,
    left: Option<Instant>,
}

/// A stream's place in the fleet.
#[derive(Debug, Clone)]
pub(super) struct Membership {
    pub(super) id: ProxyId,
    stream: u64,
    /// Given when another stream of the same name has taken over.
    pub(super) taken_over: CancellationToken,
}

/// There are as many proxies as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} proxies follow already, which is the limit of this control plane")]
pub(super) struct Full(usize);

impl Fleet {
    pub(super) fn new(clock: WallClock, limits: FleetLimits) -> Self {
        Self { members: Mutex::default(), told: watch::Sender::new(()), clock, limits }
    }

    /// A stream of the proxy `id` begins; an earlier one of that name is over.
    pub(super) fn join(
        &self,
        id: ProxyId,
        version: String,
        peer: Option<SocketAddr>,
        holds: Option<Revision>,
    ) -> Result<Membership, Full> {
        let now = (self.clock)();
        let state = ProxyState {
            id: id.clone(),
            version,
            peer,
            connected_since: now,
            applied: holds,
            applied_since: holds.map(|_| now),
            nack: None,
            connected: true,
        };
        let mut members = self.members();
        self.forget_long_gone(&mut members);
        let earlier = members.get(&id);
        if earlier.is_none() && members.len() >= self.limits.proxies && !forget_one(&mut members) {
            return Err(Full(members.len()));
        }
        let stream = members.get(&id).map_or(0, |earlier| {
            earlier.over.cancel();
            earlier.stream + 1
        });
        let taken_over = CancellationToken::new();
        members.insert(id.clone(), Member { state, stream, over: taken_over.clone(), left: None });
        drop(members);
        self.told.send_replace(());
        Ok(Membership { id, stream, taken_over })
    }

    /// The stream is over. What is known of the proxy is kept for a while.
    pub(super) fn leave(&self, membership: &Membership) {
        self.tell(membership, |member| {
            member.state.connected = false;
            member.left = Some(Instant::now());
        });
    }

    /// It serves `revision` now.
    pub(super) fn ack(&self, membership: &Membership, revision: Revision) {
        let now = (self.clock)();
        self.tell(membership, |member| {
            member.state.applied = Some(revision);
            member.state.applied_since = Some(now);
        });
    }

    /// It refuses a revision.
    pub(super) fn nack(&self, membership: &Membership, refused: Refused) {
        self.tell(membership, |member| member.state.nack = Some(refused));
    }

    fn tell(&self, membership: &Membership, change: impl FnOnce(&mut Member)) {
        let mut members = self.members();
        // A stream that was taken over has nothing more to say.
        if let Some(member) =
            members.get_mut(&membership.id).filter(|member| member.stream == membership.stream)
        {
            change(member);
        }
        drop(members);
        self.told.send_replace(());
    }

    /// Moves whenever a proxy comes, goes, or tells something.
    pub(super) fn told(&self) -> watch::Receiver<()> {
        self.told.subscribe()
    }

    /// Every proxy that is known, by name.
    pub(super) fn all(&self) -> Vec<ProxyState> {
        let mut members = self.members();
        self.forget_long_gone(&mut members);
        members.values().map(|member| member.state.clone()).collect()
    }

    /// Those that follow now.
    pub(super) fn connected(&self) -> Vec<ProxyId> {
        let members = self.members();
        members
            .values()
            .filter(|member| member.state.connected)
            .map(|member| member.state.id.clone())
            .collect()
    }

    /// What `look` sees in the proxy `id`; none when it is not known any more.
    pub(super) fn look<T>(&self, id: &ProxyId, look: impl FnOnce(&ProxyState) -> T) -> Option<T> {
        self.members().get(id).map(|member| look(&member.state))
    }

    fn forget_long_gone(&self, members: &mut BTreeMap<ProxyId, Member>) {
        let now = Instant::now();
        let long_gone = |left: Instant| now.duration_since(left) >= self.limits.remembered;
        members.retain(|_, member| !member.left.is_some_and(long_gone));
    }

    fn members(&self) -> MutexGuard<'_, BTreeMap<ProxyId, Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room by forgetting the one that left first. False when all are connected.
fn forget_one(members: &mut BTreeMap<ProxyId, Member>) -> bool {
    let gone = members.iter().filter_map(|(id, member)| Some((member.left?, id.clone()))).min();
    gone.is_some_and(|(_, id)| members.remove(&id).is_some())
}
