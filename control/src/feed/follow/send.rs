use std::sync::Arc;
use std::time::Duration;

use proto::Revision;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::super::Shared;
use super::super::frame::Frame;
use super::super::published::{Next, Position};
use super::super::table::{Place, Table};
use super::Heard;

/// Sends a proxy what it is to have.
pub(super) struct Sending {
    shared: Arc<Shared>,
    moved: watch::Receiver<()>,
    hears: watch::Receiver<Heard>,
    turn: Turn,
    /// What the last snapshot stood at: refusals of what came before it count no more.
    snapshot_at: Option<Revision>,
    /// Refusals that have been acted upon.
    nacks_seen: u64,
    last_sent: Instant,
    /// The status has been told; nothing follows.
    over: bool,
}

/// What comes next on a stream.
enum Turn {
    /// Nothing before the proxy has said hello.
    Hello,
    /// The table, from its beginning.
    Begin,
    /// The table, from this place on.
    Table(Box<Snapshot>),
    /// Deltas.
    Deltas(Position),
    /// The table again, but not before this time: the proxy refuses what it was sent.
    Refused(Instant),
}

struct Snapshot {
    table: Table,
    revision: Revision,
    at: Place,
    then: Position,
}

/// What a stream does that has nothing to send now.
enum Wake {
    /// Look again.
    Look,
    /// The proxy is to hear that the stream is alive.
    Beat,
}

impl Sending {
    pub(super) fn new(shared: Arc<Shared>, hears: watch::Receiver<Heard>) -> Self {
        let moved = shared.moved.subscribe();
        let (turn, last_sent) = (Turn::Hello, Instant::now());
        Self { shared, moved, hears, turn, snapshot_at: None, nacks_seen: 0, last_sent, over: false }
    }

    /// The next message; none when the stream is over.
    pub(super) async fn next(&mut self) -> Option<Result<Frame, Status>> {
        loop {
            // Both are seen before anything is looked at: what comes after this wakes the wait below.
            self.moved.borrow_and_update();
            let heard = self.hears.borrow_and_update().clone();
            if let Some(status) = heard.over {
                let last = status.filter(|_| !std::mem::replace(&mut self.over, true));
                return last.map(Err);
            }
            self.consider(&heard);
            if let Some(frame) = self.ready() {
                self.last_sent = Instant::now();
                return Some(Ok(frame));
            }
            match self.wait().await? {
                Wake::Look => {}
                Wake::Beat => {
                    // Read before what is ready: a beat must not run ahead of the delta that leads there.
                    let at = self.shared.published().at();
                    let frame = self.ready().unwrap_or_else(|| Frame::heartbeat(at));
                    self.last_sent = Instant::now();
                    return Some(Ok(frame));
                }
            }
        }
    }

    /// Lets what was heard decide about the turn.
    fn consider(&mut self, heard: &Heard) {
        if let (Turn::Hello, Some(hello)) = (&self.turn, heard.hello) {
            let known = hello.holds.and_then(|holds| self.shared.published().position(holds));
            self.turn = known.map_or(Turn::Begin, Turn::Deltas);
        }
        if heard.nacks != self.nacks_seen {
            self.nacks_seen = heard.nacks;
            // Deltas on their way are refused as well, after the first that was; the table mends all.
            let stale = heard.refused < self.snapshot_at;
            if !stale {
                self.turn = Turn::Refused(Instant::now() + self.patience(heard.nacks_in_a_row));
            }
        }
        if let Turn::Refused(until) = self.turn
            && Instant::now() >= until
        {
            self.turn = Turn::Begin;
        }
    }

    /// How long to wait after so many refusals: none after the first, which a lost delta may explain;
    /// then longer and longer, for the table itself seems to be at fault.
    fn patience(&self, nacks_in_a_row: u32) -> Duration {
        let limits = &self.shared.limits;
        match nacks_in_a_row.checked_sub(2) {
            None => Duration::ZERO,
            Some(doublings) => (limits.resync * (1 << doublings.min(16))).min(limits.resync_most),
        }
    }

    /// What can be sent at once.
    fn ready(&mut self) -> Option<Frame> {
        loop {
            match &mut self.turn {
                Turn::Hello | Turn::Refused(_) => return None,
                Turn::Begin => {
                    let (table, revision, then) = self.shared.published().snapshot();
                    let begin = Frame::snapshot_begin(revision, table.len());
                    self.snapshot_at = Some(revision);
                    self.turn =
                        Turn::Table(Box::new(Snapshot { table, revision, at: Place::default(), then }));
                    self.shared.metrics.snapshots.inc();
                    return Some(begin);
                }
                Turn::Table(snapshot) => {
                    let limits = &self.shared.limits;
                    let (part, next) =
                        snapshot.table.part(snapshot.at, limits.chunk_routes.max(1), limits.chunk_bytes);
                    if part.is_empty() {
                        let end = Frame::snapshot_end(snapshot.revision);
                        self.turn = Turn::Deltas(snapshot.then);
                        return Some(end);
                    }
                    let chunk = Frame::snapshot_chunk(part);
                    snapshot.at = next;
                    return Some(chunk);
                }
                Turn::Deltas(position) => match self.shared.published().next(*position) {
                    Next::Send(frame, next) => {
                        *position = next;
                        self.shared.metrics.deltas.inc();
                        return Some(frame);
                    }
                    Next::Wait => return None,
                    Next::TakeTable => self.turn = Turn::Begin,
                },
            }
        }
    }

    /// Waits for a reason to look again, or for the silence to have lasted long enough. None when the
    /// one who hears has ended.
    async fn wait(&mut self) -> Option<Wake> {
        let beat = sleep_until(self.last_sent + self.shared.limits.heartbeat);
        let again = match self.turn {
            Turn::Refused(until) => until,
            _ => self.last_sent + self.shared.limits.heartbeat * 2,
        };
        // Before hello the other side has its own deadline, and must not take a beat for an answer.
        let silent = matches!(self.turn, Turn::Hello);
        tokio::select! {
            heard = self.hears.changed() => heard.ok().map(|()| Wake::Look),
            // Ends only with the feed itself, which this stream keeps.
            _ = self.moved.changed() => Some(Wake::Look),
            () = sleep_until(again) => Some(Wake::Look),
            () = beat, if !silent => Some(Wake::Beat),
        }
    }
}
