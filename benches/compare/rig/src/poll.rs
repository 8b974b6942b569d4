use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::time::Timespec;

/// Events taken at once.
const BATCH: usize = 256;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// Bytes, or the end of them.
    Read,
    /// Room for bytes.
    Write,
    /// Either.
    Both,
    /// Nothing but an end.
    Nothing,
}

/// What something has become possible for: sending may be tried at any time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ready {
    pub(crate) token: usize,
    /// There is something to read, if only an end.
    pub(crate) read: bool,
}

/// Level-triggered epoll(7): one read an event suffices, since what is left shows again.
pub(crate) struct Poll {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Poll {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)?, events: Vec::with_capacity(BATCH) })
    }

    /// Watches until the descriptor is closed.
    pub(crate) fn watch(&self, source: impl AsFd, token: usize, wants: Wants) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, source, EventData::new_u64(token as u64), flags(wants))?)
    }

    pub(crate) fn rewatch(&self, source: impl AsFd, token: usize, wants: Wants) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, source, EventData::new_u64(token as u64), flags(wants))?)
    }

    /// Replaces `ready` with what is ready, after at most `nanoseconds`.
    pub(crate) fn wait(&mut self, nanoseconds: Option<u64>, ready: &mut Vec<Ready>) -> io::Result<()> {
        let timeout = nanoseconds.map(|all| Timespec {
            tv_sec: (all / 1_000_000_000).cast_signed(),
            tv_nsec: (all % 1_000_000_000).cast_signed(),
        });
        self.events.clear();
        ready.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        // An end of any kind is found by reading.
        let ended = EventFlags::ERR | EventFlags::HUP;
        ready.extend(self.events.iter().map(|event| {
            let (flags, data) = (event.flags, event.data);
            Ready { token: data.u64() as usize, read: flags.intersects(EventFlags::IN | ended) }
        }));
        Ok(())
    }
}

fn flags(wants: Wants) -> EventFlags {
    match wants {
        Wants::Read => EventFlags::IN,
        Wants::Write => EventFlags::OUT,
        Wants::Both => EventFlags::IN | EventFlags::OUT,
        Wants::Nothing => EventFlags::empty(),
    }
}
