use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// The end of a body that its reader has.
pub(crate) struct Piped {
    pipe: Rc<Pipe>,
    length: Option<u64>,
}

/// The end of a body that who reads from the client has. Dropped before [`Feed::finish`] the body counts as
/// broken off.
pub(crate) struct Feed(Rc<Pipe>);

/// Room for one frame: who reads from a client goes no faster than who writes to its backend.
#[derive(Default)]
struct Pipe {
    frame: RefCell<Option<Frame<Bytes>>>,
    end: Cell<End>,
    is_wanted: Cell<bool>,
    reader: Cell<Option<Waker>>,
    feeder: Cell<Option<Waker>>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum End {
    #[default]
    Open,
    Whole,
    BrokenOff,
    /// Nobody reads any more.
    Unread,
}

/// The client broke off its body, or sent what is not HTTP.
#[derive(Debug, thiserror::Error)]
#[error("the client broke off the request's body")]
pub(crate) struct BrokenOff;

/// Both ends of a body; `length` in bytes where that was said.
pub(crate) fn pipe(length: Option<u64>) -> (Feed, Piped) {
    let pipe = Rc::<Pipe>::default();
    (Feed(pipe.clone()), Piped { pipe, length })
}

impl Feed {
    /// Whether the next frame can be put; else the task is woken when it can.
    pub(crate) fn has_room(&self, cx: &Context<'_>) -> bool {
        let room = self.0.frame.borrow().is_none();
        if !room {
            self.0.feeder.set(Some(cx.waker().clone()));
        }
        room
    }

    /// Whether more was asked for than was put; else the task is woken when it is.
    pub(crate) fn is_wanted(&self, cx: &Context<'_>) -> bool {
        let wanted = self.0.is_wanted.get();
        if !wanted {
            self.0.feeder.set(Some(cx.waker().clone()));
        }
        wanted
    }

    /// Whether nobody wants the rest.
    pub(crate) fn is_unread(&self) -> bool {
        self.0.end.get() == End::Unread
    }

    /// Puts the next frame. There must be room.
    pub(crate) fn put(&self, frame: Frame<Bytes>) {
        self.0.frame.replace(Some(frame));
        self.0.wake_reader();
    }

    /// That was the last one.
    pub(crate) fn finish(&self) {
        self.0.end(End::Whole);
        self.0.wake_reader();
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.0.end(End::BrokenOff);
        self.0.wake_reader();
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        self.pipe.end(End::Unread);
        self.pipe.frame.replace(None);
        self.pipe.wake_feeder();
    }
}

impl Pipe {
    fn end(&self, end: End) {
        if self.end.get() == End::Open {
            self.end.set(end);
        }
    }

    fn wake_reader(&self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn wake_feeder(&self) {
        if let Some(feeder) = self.feeder.take() {
            feeder.wake();
        }
    }
}

impl Body for Piped {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if let Some(frame) = self.pipe.frame.take() {
            self.pipe.is_wanted.set(false);
            self.pipe.wake_feeder();
            return Poll::Ready(Some(Ok(frame)));
        }
        match self.pipe.end.get() {
            End::Whole => Poll::Ready(None),
            End::BrokenOff | End::Unread => Poll::Ready(Some(Err(BrokenOff))),
            End::Open => {
                self.pipe.is_wanted.set(true);
                self.pipe.reader.set(Some(cx.waker().clone()));
                // Whoever waits to be told to send its body is told now.
                self.pipe.wake_feeder();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pipe.end.get() == End::Whole && self.pipe.frame.borrow().is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
