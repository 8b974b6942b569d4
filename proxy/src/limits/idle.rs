//! Connections on which nothing is asked, so that they can go when others need their place.
//!
//! Each worker has a [`Registry`]. A connection stands in it from the end of an answer to the beginning of
//! the next request: [`enter`] gives a guard, dropping it takes the connection out again. The newest goes
//! first: who floods the proxy with connections is among the newest, and who was there before stays.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::pressure::Pressure;
use crate::per_worker::WorkerId;

/// The idle connections of one worker.
pub(crate) struct Registry {
    seats: RefCell<Seats>,
    pressure: Arc<Pressure>,
    worker: WorkerId,
    /// A drain has begun: nobody may be idle any more.
    is_closed: Cell<bool>,
}

/// A doubly linked list in a vector, newest first; seats nobody has are linked by `older` too.
#[derive(Default)]
struct Seats {
    seats: Vec<Seat>,
    newest: Option<usize>,
    free: Option<usize>,
    taken: usize,
}

#[derive(Default)]
struct Seat {
    newer: Option<usize>,
    older: Option<usize>,
    waker: Option<Waker>,
    /// Its connection has to go, and stands in the list no more.
    is_shed: bool,
}

/// An idle connection. While this lives it may be told to go.
pub(crate) struct IdleGuard {
    registry: Rc<Registry>,
    seat: usize,
}

/// Puts a connection among the idle ones.
pub(crate) fn enter(registry: &Rc<Registry>) -> IdleGuard {
    let seat = registry.seats.borrow_mut().enter();
    registry.pressure.desk(registry.worker).idle.up();
    let guard = IdleGuard { registry: registry.clone(), seat };
    // Someone waits for a place: this is it.
    registry.make_room();
    guard
}

impl IdleGuard {
    /// Ready when the connection has to go: it should close without a word, as idle connections may. Until then
    /// the task is woken.
    pub(crate) fn poll_shed(&self, cx: &Context<'_>) -> Poll<()> {
        self.registry.seats.borrow_mut().poll_shed(self.seat, cx.waker())
    }

    /// The same, also when the worker [closes](Registry::close).
    pub(crate) fn poll_leave(&self, cx: &Context<'_>) -> Poll<()> {
        if self.registry.is_closed.get() { Poll::Ready(()) } else { self.poll_shed(cx) }
    }
}

impl Drop for IdleGuard {
    fn drop(&mut self) {
        let was_shed = self.registry.seats.borrow_mut().leave(self.seat);
        let pressure = &self.registry.pressure;
        if was_shed {
            pressure.left();
        } else {
            pressure.desk(self.registry.worker).idle.down();
        }
    }
}

impl Registry {
    pub(super) fn new(pressure: Arc<Pressure>, worker: WorkerId) -> Rc<Self> {
        Rc::new(Self { seats: RefCell::default(), pressure, worker, is_closed: Cell::default() })
    }

    /// Wakes all: from now on nobody may be idle. Costs an idle connection less than to listen for a drain itself.
    pub(crate) fn close(&self) {
        self.is_closed.set(true);
        let wakers = self.seats.borrow_mut().take_wakers();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Tells the newest to go; false when there is none.
    pub(super) fn shed_newest(&self) -> bool {
        let Some(waker) = self.seats.borrow_mut().shed_newest() else { return false };
        let desk = self.pressure.desk(self.worker);
        desk.idle.down();
        desk.shed.inc();
        self.pressure.leaves();
        // Not before the seats are let go of: a waker may do anything.
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Tells the newest to go while more wait for a place than are leaving theirs.
    pub(super) fn make_room(&self) {
        while self.pressure.is_room_wanted() && self.shed_newest() {}
    }

    /// Connections in it.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.seats.borrow().taken
    }
}

impl Seats {
    fn enter(&mut self) -> usize {
        let seat = match self.free {
            Some(free) => free,
            None => {
                self.seats.push(Seat::default());
                self.seats.len() - 1
            }
        };
        if let Some(entry) = self.seats.get_mut(seat) {
            // One that was just made is no part of the free ones' list.
            self.free = self.free.and(entry.older);
            *entry = Seat { older: self.newest, ..Seat::default() };
        }
        if let Some(next) = self.newest.and_then(|newest| self.seats.get_mut(newest)) {
            next.newer = Some(seat);
        }
        self.newest = Some(seat);
        self.taken += 1;
        seat
    }

    fn poll_shed(&mut self, seat: usize, task: &Waker) -> Poll<()> {
        let Some(seat) = self.seats.get_mut(seat) else { return Poll::Ready(()) };
        if seat.is_shed {
            return Poll::Ready(());
        }
        match &mut seat.waker {
            Some(waker) => waker.clone_from(task),
            None => seat.waker = Some(task.clone()),
        }
        Poll::Pending
    }

    /// Whoever waits to hear it.
    fn shed_newest(&mut self) -> Option<Option<Waker>> {
        let newest = self.newest?;
        self.unlink(newest);
        let seat = self.seats.get_mut(newest)?;
        seat.is_shed = true;
        Some(seat.waker.take())
    }

    /// Those who wait to hear whether they have to go.
    fn take_wakers(&mut self) -> Vec<Waker> {
        self.seats.iter_mut().filter_map(|seat| seat.waker.take()).collect()
    }

    /// Frees a seat; whether its connection had been told to go.
    fn leave(&mut self, seat: usize) -> bool {
        let was_shed = self.seats.get(seat).is_some_and(|seat| seat.is_shed);
        if !was_shed {
            self.unlink(seat);
        }
        if let Some(entry) = self.seats.get_mut(seat) {
            *entry = Seat { older: self.free, ..Seat::default() };
            self.free = Some(seat);
        }
        was_shed
    }

    fn unlink(&mut self, seat: usize) {
        let Some(Seat { newer, older, .. }) = self.seats.get(seat) else { return };
        let (newer, older) = (*newer, *older);
        match newer.and_then(|newer| self.seats.get_mut(newer)) {
            Some(newer) => newer.older = older,
            None => self.newest = older,
        }
        if let Some(older) = older.and_then(|older| self.seats.get_mut(older)) {
            older.newer = newer;
        }
        self.taken -= 1;
    }
}

#[cfg(test)]
mod tests;
