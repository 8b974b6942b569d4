//! Bytes from one socket to another without a copy of them here: through a pipe, which holds the kernel's own
//! pages (splice(2)).
//!
//! A pipe costs two descriptors, and pages while something is in it. So each thread has a few, they are lent to
//! who has many bytes to move, and whoever gets none copies as before.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll};

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::config::fixed;

/// Fewer bytes are sooner copied.
pub(crate) const WORTH_IT: u64 = 64 * 1024;

/// Bytes moved before others have their turn.
const TURN: u64 = 1024 * 1024;

/// What may be a connection without anything of ours around it.
pub(crate) trait Bare {
    /// The connection, where its bytes need not come through here and none that came was left unused.
    fn bare(&self) -> Option<&TcpStream>;
}

impl Bare for TcpStream {
    fn bare(&self) -> Option<&TcpStream> {
        Some(self)
    }
}

/// A pipe on loan. Dropped empty it serves the next one.
pub(crate) struct Pipe {
    /// There until it is dropped.
    ends: Option<Ends>,
    /// Bytes in it.
    holds: usize,
}

struct Ends {
    read: OwnedFd,
    write: OwnedFd,
}

#[derive(Default)]
struct Shelf {
    spare: Vec<Ends>,
    /// On loan.
    lent: usize,
}

thread_local! {
    static SHELF: RefCell<Shelf> = RefCell::default();
}

/// How far a pipe came.
#[derive(Debug)]
pub(crate) struct Passed {
    /// Bytes taken from the one socket.
    pub(crate) taken: u64,
    /// Bytes given to the other.
    pub(crate) given: u64,
    pub(crate) then: Then,
}

/// Why it came no further.
#[derive(Debug)]
pub(crate) enum Then {
    /// All that was to be moved is.
    Done,
    /// Nothing has come to be read. The pipe is empty.
    WaitsToRead,
    /// Nothing more is taken.
    WaitsToWrite,
    /// It is the others' turn; the task is woken after them.
    Yields,
    /// The side read from has ended. The pipe is empty.
    Ended,
    /// The side read from broke.
    ReadBroke,
    /// The side written to broke.
    WriteBroke,
}

impl Pipe {
    /// One of this thread's, unless all are lent or there is none to be had.
    pub(crate) fn lend() -> Option<Self> {
        SHELF.with_borrow_mut(|shelf| {
            if shelf.lent >= fixed::PIPES {
                return None;
            }
            let ends = shelf.spare.pop().or_else(|| Ends::open().ok())?;
            shelf.lent += 1;
            Some(Self { ends: Some(ends), holds: 0 })
        })
    }

    /// Whether nothing is on its way in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.holds == 0
    }

    /// Moves what there is, `left` bytes at most besides those in the pipe.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &TcpStream,
        to: &TcpStream,
        mut left: u64,
    ) -> Passed {
        let (mut taken, mut given) = (0, 0);
        let then = loop {
            match self.poll_give(cx, to, &mut given) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => break Then::WriteBroke,
                Poll::Pending => break Then::WaitsToWrite,
            }
            if left == 0 {
                break Then::Done;
            }
            if taken >= TURN {
                cx.waker().wake_by_ref();
                break Then::Yields;
            }
            match self.poll_take(cx, from, left) {
                Poll::Ready(Ok(0)) => break Then::Ended,
                Poll::Ready(Ok(count)) => {
                    taken += count as u64;
                    left -= count as u64;
                }
                Poll::Ready(Err(_)) => break Then::ReadBroke,
                Poll::Pending => break Then::WaitsToRead,
            }
        };
        Passed { taken, given, then }
    }

    /// Takes into the empty pipe what has come.
    fn poll_take(&mut self, cx: &mut Context<'_>, from: &TcpStream, left: u64) -> Poll<io::Result<usize>> {
        let most = usize::try_from(left).map_or(fixed::PIPE, |left| left.min(fixed::PIPE));
        let Some(Ends { write, .. }) = &self.ends else { return Poll::Ready(Ok(0)) };
        let taken = until_blocked(cx, from, Interest::READABLE, || between(from, write, most));
        if let Poll::Ready(Ok(count)) = taken {
            self.holds = count;
        }
        taken
    }

    /// Gives away all that is in it.
    fn poll_give(&mut self, cx: &mut Context<'_>, to: &TcpStream, given: &mut u64) -> Poll<io::Result<()>> {
        while let (Some(Ends { read, .. }), 1..) = (&self.ends, self.holds) {
            let holds = self.holds;
            match until_blocked(cx, to, Interest::WRITABLE, || between(read, to, holds)) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => {
                    self.holds -= count.min(holds);
                    *given += count as u64;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Ends {
    fn open() -> io::Result<Self> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // Refused, it keeps the size it has.
        let _ = fcntl_setpipe_size(&write, fixed::PIPE);
        Ok(Self { read, write })
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let ends = self.ends.take().filter(|_| self.is_empty());
        // A thread that ends has no shelf any more.
        let _ = SHELF.try_with(|shelf| {
            let mut shelf = shelf.borrow_mut();
            shelf.lent -= 1;
            shelf.spare.extend(ends);
        });
    }
}

/// Tries `attempt` whenever the socket is said to be ready, until it would block.
fn until_blocked(
    cx: &mut Context<'_>,
    socket: &TcpStream,
    interest: Interest,
    mut attempt: impl FnMut() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        let ready = match interest {
            Interest::READABLE => socket.poll_read_ready(cx),
            _ => socket.poll_write_ready(cx),
        };
        match ready {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
        match socket.try_io(interest, &mut attempt) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return Poll::Ready(done),
        }
    }
}

fn between(from: impl AsFd, to: impl AsFd, most: usize) -> io::Result<usize> {
    Ok(splice(from, None, to, None, most, SpliceFlags::MOVE | SpliceFlags::NONBLOCK)?)
}

#[cfg(test)]
mod tests;
