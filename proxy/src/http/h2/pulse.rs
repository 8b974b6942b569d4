use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::time::Instant;

use super::budget::Budget;
use super::frames::Frames;
use super::places::Places;
use crate::config::{Limits, Timeouts};
use crate::refusal::Refusal;

/// What a connection is busy with, and since when: what its patience is measured by.
#[derive(Clone)]
pub(super) struct Pulse(Rc<Beat>);

struct Beat {
    frames: RefCell<Frames>,
    budget: RefCell<Budget>,
    /// The client sent more than it may of what is of no use.
    has_enough: Cell<bool>,
    /// Requests whose answer is not over.
    serving: Cell<usize>,
    /// Since when there are none.
    idle_since: Cell<Instant>,
    /// Since when the client owes the rest of a head.
    head_since: Cell<Option<Instant>>,
    /// Since when the connection takes nothing of what is written.
    blocked_since: Cell<Option<Instant>>,
    places: RefCell<Places>,
    /// How often all that was to be written has been.
    flushes: Cell<u64>,
    /// Whom to wake when it has.
    flushing: RefCell<Vec<Waker>>,
    /// Wakes whoever drives the connection.
    driver: RefCell<Option<Waker>>,
}

/// A request is being served as long as this lives.
pub(super) struct Serving(Pulse);

/// What somebody has given to be written waits to be.
#[derive(Debug, Default)]
pub(super) struct Flush {
    since: Option<u64>,
}

/// Why a connection was closed for its silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lapse {
    /// No request came.
    Idle,
    /// A head was begun and not ended.
    Head,
    /// The client does not read its answers.
    Stalled,
}

impl Pulse {
    /// Of a connection that is opened at `now`, whose preface is awaited.
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self(Rc::new(Beat {
            frames: RefCell::new(Frames::new()),
            budget: RefCell::new(Budget::new(limits, now)),
            has_enough: Cell::new(false),
            serving: Cell::new(0),
            idle_since: Cell::new(now),
            head_since: Cell::new(Some(now)),
            blocked_since: Cell::new(None),
            places: RefCell::default(),
            flushes: Cell::new(0),
            flushing: RefCell::default(),
            driver: RefCell::new(None),
        }))
    }

    /// A request came. `another` gets it a place if it needs one.
    ///
    /// # Errors
    /// What `another` says.
    pub(super) fn begin<P>(&self, another: P) -> (Serving, Result<(), Refusal>)
    where
        P: FnOnce() -> Result<crate::limits::Place, Refusal>,
    {
        let serving = self.0.serving.get() + 1;
        self.0.serving.set(serving);
        (Serving(self.clone()), self.0.places.borrow_mut().fit(serving, another))
    }

    /// Whether nothing is being served.
    pub(super) fn is_idle(&self) -> bool {
        self.0.serving.get() == 0
    }

    /// Whether no more is heard of the client.
    pub(super) fn has_enough(&self) -> bool {
        self.0.has_enough.get()
    }

    /// No more is to be heard of it.
    pub(super) fn stop_hearing(&self) {
        self.0.has_enough.set(true);
    }

    /// These bytes came.
    pub(super) fn has_read(&self, bytes: &[u8]) {
        let beat = &*self.0;
        let (mut frames, mut budget) = (beat.frames.borrow_mut(), beat.budget.borrow_mut());
        frames.follow(bytes, |kind| {
            if !budget.take(kind) {
                self.stop_hearing();
            }
        });
        // A head that comes in one piece costs no look at the clock.
        match (frames.is_in_head(), beat.head_since.get()) {
            (true, None) => beat.head_since.set(Some(Instant::now())),
            (false, Some(_)) => beat.head_since.set(None),
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// The connection took some of what was written, or nothing.
    pub(super) fn has_written(&self, some: bool) {
        if some {
            self.0.blocked_since.set(None);
        } else if self.0.blocked_since.get().is_none() {
            self.0.blocked_since.set(Some(Instant::now()));
        }
    }

    /// The connection had its turn. Unless it takes no more, all that windows have room for is written.
    pub(super) fn has_turned(&self) {
        let beat = &*self.0;
        if beat.blocked_since.get().is_none() {
            beat.flushes.set(beat.flushes.get() + 1);
            // Not while they are borrowed: a waker may do anything.
            let flushing = std::mem::take(&mut *beat.flushing.borrow_mut());
            flushing.into_iter().for_each(Waker::wake);
        }
    }

    fn wake_driver(&self) {
        let driver = self.0.driver.borrow_mut().take();
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    /// The next time at which the client's time is up if nothing happens until then, and why it would be.
    pub(super) fn due(&self, timeouts: &Timeouts) -> Option<(Instant, Lapse)> {
        let beat = &*self.0;
        let idle = self.is_idle().then(|| (beat.idle_since.get() + timeouts.keep_alive, Lapse::Idle));
        let head = beat.head_since.get().map(|since| (since + timeouts.head, Lapse::Head));
        let stalled = beat.blocked_since.get().map(|since| (since + timeouts.stalled, Lapse::Stalled));
        [idle, head, stalled].into_iter().flatten().min_by_key(|(due, _)| *due)
    }

    /// The task of `cx` is woken when nothing is served any more.
    pub(super) fn driven_by(&self, cx: &Context<'_>) {
        let mut driver = self.0.driver.borrow_mut();
        if !driver.as_ref().is_some_and(|driver| driver.will_wake(cx.waker())) {
            *driver = Some(cx.waker().clone());
        }
    }
}

impl Serving {
    /// Bytes of its answer were given to the connection.
    pub(super) fn has_answered(&self, bytes: usize) {
        self.0.0.budget.borrow_mut().sent(bytes);
    }

    /// Waits until what was given to the connection before is written.
    pub(super) fn poll_flushed(&self, cx: &Context<'_>, flush: &mut Flush) -> Poll<()> {
        let beat = &*self.0.0;
        let now = beat.flushes.get();
        if now
            > *flush.since.get_or_insert_with(|| {
                self.0.wake_driver();
                now
            })
        {
            return Poll::Ready(());
        }
        let mut flushing = beat.flushing.borrow_mut();
        if !flushing.iter().any(|waker| waker.will_wake(cx.waker())) {
            flushing.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let beat = &*self.0.0;
        let serving = beat.serving.get() - 1;
        beat.serving.set(serving);
        beat.places.borrow_mut().shrink(serving);
        if serving == 0 {
            beat.idle_since.set(Instant::now());
            self.0.wake_driver();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const SECOND: Duration = Duration::from_secs(1);

    fn pulse() -> (Pulse, Timeouts) {
        (Pulse::new(&Limits::default(), Instant::now()), Timeouts::default())
    }

    fn due(pulse: &Pulse, timeouts: &Timeouts) -> Option<(Duration, Lapse)> {
        pulse.due(timeouts).map(|(at, lapse)| (at.duration_since(Instant::now()), lapse))
    }

    fn begin(pulse: &Pulse) -> Serving {
        pulse.begin(|| Err(Refusal::Overloaded)).0
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_and_so_has_idleness() {
        let (pulse, timeouts) = pulse();
        assert_eq!(due(&pulse, &timeouts), Some((timeouts.head, Lapse::Head)), "the preface is awaited");
        pulse.has_read(PREFACE);
        tokio::time::advance(5 * SECOND).await;
        assert_eq!(due(&pulse, &timeouts), Some((timeouts.keep_alive - 5 * SECOND, Lapse::Idle)));
        pulse.has_read(b"\0\0\x01\x01\0\0\0\0\x01");
        tokio::time::advance(SECOND).await;
        pulse.has_read(b"h");
        let left = Some((timeouts.head - SECOND, Lapse::Head));
        assert_eq!(due(&pulse, &timeouts), left, "crumbs buy no time");
        pulse.has_read(b"\0\0\0\x09\x04\0\0\0\x01");
        let (first, second) = (begin(&pulse), begin(&pulse));
        drop(first);
        assert_eq!(due(&pulse, &timeouts), None, "a stream is still open");
        drop(second);
        assert_eq!(due(&pulse, &timeouts), Some((timeouts.keep_alive, Lapse::Idle)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_given_is_written_after_a_turn_in_which_the_connection_takes_all() {
        let (pulse, _) = pulse();
        let serving = begin(&pulse);
        let cx = Context::from_waker(Waker::noop());
        let mut flush = Flush::default();
        pulse.has_turned();
        assert!(serving.poll_flushed(&cx, &mut flush).is_pending(), "that turn was before");
        pulse.has_written(false);
        pulse.has_turned();
        assert!(serving.poll_flushed(&cx, &mut flush).is_pending(), "the connection takes nothing");
        pulse.has_written(true);
        pulse.has_turned();
        assert!(serving.poll_flushed(&cx, &mut flush).is_ready());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_long_but_must_be_read() {
        let (pulse, timeouts) = pulse();
        pulse.has_read(PREFACE);
        let _serving = begin(&pulse);
        assert_eq!(due(&pulse, &timeouts), None, "nothing to read yet");
        pulse.has_written(false);
        tokio::time::advance(SECOND).await;
        pulse.has_written(false);
        assert_eq!(due(&pulse, &timeouts), Some((timeouts.stalled - SECOND, Lapse::Stalled)));
        pulse.has_written(true);
        assert_eq!(due(&pulse, &timeouts), None);
    }
}
