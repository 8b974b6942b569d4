use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Timeouts;

/// What an HTTP connection is busy with, and since when: what its patience is measured by.
///
/// hyper's own timer for heads allocates and sets one anew for every request. This one is looked at
/// only when a timer of the connection fires, so a request costs it a few plain stores. Everything
/// happens on one thread; the atomics are there because hyper wants upgradable streams to be `Send`.
#[derive(Clone)]
pub(crate) struct Pulse(Arc<Beat>);

struct Beat {
    opened: Instant,
    /// Requests whose answer is not over.
    serving: AtomicU32,
    /// Whether a head has begun to come, while none is served.
    head_begun: AtomicBool,
    /// Milliseconds from `opened` to when it became idle or a head began.
    since: AtomicU64,
    /// Whether HTTP/2 is spoken, where bytes may come that begin no head.
    multiplexed: bool,
    blocked: AtomicBool,
    moved: AtomicBool,
}

/// A request is being served as long as this lives.
pub(crate) struct Serving(Pulse);

/// What the next look at a connection is for, and when it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// When the client's time is up.
    At(Instant),
    /// A look at whether an answer still moves.
    Look(Instant),
}

/// Why a connection was closed for its silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lapse {
    /// No request came.
    Idle,
    /// A head was begun and not ended.
    Head,
    /// The client does not read its answer.
    Stalled,
}

impl Pulse {
    /// A connection just opened. On HTTP/1 the first head is awaited from now on; a client that speaks
    /// HTTP/2 has shown that it lives by its handshake.
    pub(super) fn new(now: Instant, multiplexed: bool) -> Self {
        Self(Arc::new(Beat {
            opened: now,
            serving: AtomicU32::new(0),
            head_begun: AtomicBool::new(!multiplexed),
            since: AtomicU64::new(0),
            multiplexed,
            blocked: AtomicBool::new(false),
            moved: AtomicBool::new(false),
        }))
    }

    /// A request's head was read.
    pub(crate) fn begin(&self) -> Serving {
        self.0.serving.fetch_add(1, Relaxed);
        self.0.head_begun.store(false, Relaxed);
        Serving(self.clone())
    }

    /// Whether the connection was opened to ask something and nothing was asked yet.
    pub(super) fn is_fresh(&self) -> bool {
        let beat = &*self.0;
        !beat.multiplexed && beat.head_begun.load(Relaxed) && beat.since.load(Relaxed) == 0
    }

    /// Whether nothing is being served.
    pub(super) fn is_idle(&self) -> bool {
        self.0.serving.load(Relaxed) == 0
    }

    pub(super) fn has_read(&self) {
        let beat = &*self.0;
        if beat.serving.load(Relaxed) == 0 && !beat.multiplexed && !beat.head_begun.load(Relaxed) {
            beat.head_begun.store(true, Relaxed);
            self.mark();
        }
    }

    pub(super) fn has_written(&self, some: bool) {
        self.0.blocked.store(!some, Relaxed);
        if some {
            self.0.moved.store(true, Relaxed);
        }
    }

    /// When the connection has to be looked at if nothing happens until then.
    pub(super) fn due(&self, now: Instant, timeouts: &Timeouts) -> Due {
        let beat = &*self.0;
        if beat.serving.load(Relaxed) > 0 {
            Due::Look(now + timeouts.stalled)
        } else if beat.head_begun.load(Relaxed) {
            Due::At(self.since() + timeouts.head)
        } else {
            Due::At(self.since() + timeouts.keep_alive)
        }
    }

    /// When to look, if that is before the next look at `armed`: a begun head is due, or a client does
    /// not take what is written.
    pub(super) fn sooner_than(&self, armed: Instant, timeouts: &Timeouts) -> Option<Instant> {
        let beat = &*self.0;
        let due = if beat.serving.load(Relaxed) > 0 {
            beat.blocked.load(Relaxed).then(|| Instant::now() + timeouts.stalled)
        } else {
            beat.head_begun.load(Relaxed).then(|| self.since() + timeouts.head)
        };
        due.filter(|due| *due < armed)
    }

    /// Whether the client's time is up, seen at `now`.
    pub(super) fn lapse(&self, now: Instant, timeouts: &Timeouts) -> Option<Lapse> {
        let beat = &*self.0;
        match self.due(now, timeouts) {
            Due::At(when) if when > now => None,
            Due::At(_) if beat.head_begun.load(Relaxed) => Some(Lapse::Head),
            Due::At(_) => Some(Lapse::Idle),
            // Written bytes were taken since the last look, or there was nothing to write.
            Due::Look(_) => {
                let moved = beat.moved.swap(false, Relaxed);
                (beat.blocked.load(Relaxed) && !moved).then_some(Lapse::Stalled)
            }
        }
    }

    fn since(&self) -> Instant {
        self.0.opened + Duration::from_millis(self.0.since.load(Relaxed))
    }

    fn mark(&self) {
        let elapsed = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.since.store(elapsed, Relaxed);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if self.0.0.serving.fetch_sub(1, Relaxed) == 1 {
            self.0.mark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_and_so_has_idleness() {
        let timeouts = Timeouts::default();
        let pulse = Pulse::new(Instant::now(), false);
        assert_eq!(pulse.lapse(after(9), &timeouts), None);
        assert_eq!(pulse.lapse(after(10), &timeouts), Some(Lapse::Head), "the first head is awaited");
        drop(pulse.begin());
        assert_eq!(pulse.lapse(after(74), &timeouts), None);
        assert_eq!(pulse.lapse(after(75), &timeouts), Some(Lapse::Idle));
        tokio::time::advance(Duration::from_secs(50)).await;
        pulse.has_read();
        assert_eq!(pulse.sooner_than(after(25), &timeouts), Some(after(10)), "a head begun while idle");
        tokio::time::advance(Duration::from_secs(9)).await;
        pulse.has_read();
        assert_eq!(pulse.lapse(after(1), &timeouts), Some(Lapse::Head), "crumbs buy no time");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_long_but_must_be_read() {
        let timeouts = Timeouts::default();
        let pulse = Pulse::new(Instant::now(), false);
        let _serving = pulse.begin();
        assert_eq!(pulse.lapse(after(10_000), &timeouts), None, "nothing to read yet");
        pulse.has_written(true);
        pulse.has_written(false);
        assert_eq!(pulse.sooner_than(after(75), &timeouts), Some(after(60)));
        assert_eq!(pulse.lapse(after(60), &timeouts), None, "something was read since the last look");
        assert_eq!(pulse.lapse(after(120), &timeouts), Some(Lapse::Stalled));
    }

    #[tokio::test(start_paused = true)]
    async fn http2_frames_between_requests_begin_no_head() {
        let timeouts = Timeouts::default();
        let pulse = Pulse::new(Instant::now(), true);
        pulse.has_read();
        assert_eq!(pulse.lapse(after(74), &timeouts), None);
        let (first, second) = (pulse.begin(), pulse.begin());
        drop(first);
        assert_eq!(pulse.lapse(after(10_000), &timeouts), None, "a stream is still open");
        drop(second);
        assert_eq!(pulse.lapse(after(75), &timeouts), Some(Lapse::Idle));
    }
}
