//! Memory for bytes on their way, held only while there are some.
//!
//! Most connections are silent most of the time, so what one has read is kept in a [`Buffer`] that takes its
//! memory when a read is tried and gives it back when nothing is left. What is given back waits on the
//! thread for the next one who asks.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::config::fixed;

/// Bytes to begin with where a head is awaited: most heads are smaller.
pub(crate) const SMALL: usize = fixed::MOST_HEADS;

/// Kept per thread and kind; more are given back to the allocator.
const MOST_SPARE: usize = 16;
/// Texts kept per thread: each request under way has two.
const MOST_SPARE_TEXTS: usize = 128;
/// What a text begins with, so that few ever grow.
const FIRST_TEXT: usize = 768;
/// A text that has grown beyond this is not kept.
const LARGEST_TEXT: usize = 4 * 1024;

#[derive(Default)]
struct Spare {
    small: Vec<Box<[u8]>>,
    large: Vec<Box<[u8]>>,
    texts: Vec<Vec<u8>>,
}

thread_local! {
    static SPARE: RefCell<Spare> = RefCell::default();
}

/// Memory of `size` bytes, with whatever it held before.
pub(crate) fn take(size: usize) -> Box<[u8]> {
    let spare = SPARE.with_borrow_mut(|spare| {
        let spare = spare.of(size);
        let at = spare.iter().rposition(|memory| memory.len() == size)?;
        Some(spare.swap_remove(at))
    });
    spare.unwrap_or_else(|| vec![0; size].into_boxed_slice())
}

/// Keeps `memory` for the next one who asks.
pub(crate) fn give_back(memory: Box<[u8]>) {
    SPARE.with_borrow_mut(|spare| {
        let spare = spare.of(memory.len());
        if spare.len() < MOST_SPARE {
            spare.push(memory);
        }
    });
}

impl Spare {
    fn of(&mut self, size: usize) -> &mut Vec<Box<[u8]>> {
        if size == SMALL { &mut self.small } else { &mut self.large }
    }
}

/// Bytes that were read and not used yet.
#[derive(Default)]
pub(crate) struct Buffer {
    memory: Option<Box<[u8]>>,
    from: usize,
    to: usize,
}

impl Buffer {
    /// The bytes, in the order they came.
    pub(crate) fn unread(&self) -> &[u8] {
        self.memory.as_ref().and_then(|memory| memory.get(self.from..self.to)).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.from == self.to
    }

    /// The first `count` of them are used.
    pub(crate) fn consume(&mut self, count: usize) {
        self.from = (self.from + count).min(self.to);
        if self.is_empty() {
            self.release();
        }
    }

    /// Whether more than `most` bytes would be needed to read on.
    pub(crate) fn is_full(&self, most: usize) -> bool {
        self.to - self.from >= most
    }

    /// Reads what `reader` has, up to `most` bytes in all. Returns how many came; 0 is the stream's end.
    ///
    /// # Errors
    /// The reader's, and `InvalidInput` when the buffer [is full](Self::is_full).
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        reader: Pin<&mut impl AsyncRead>,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        if self.is_full(most) {
            return Poll::Ready(Err(io::ErrorKind::InvalidInput.into()));
        }
        self.make_room(most);
        let memory = self.memory.as_mut().and_then(|memory| memory.get_mut(self.to..)).unwrap_or_default();
        let mut space = ReadBuf::new(memory);
        let polled = reader.poll_read(cx, &mut space);
        let came = space.filled().len();
        self.to += came;
        if self.is_empty() {
            self.release();
        }
        ready!(polled)?;
        Poll::Ready(Ok(came))
    }

    /// Gives the bytes to whoever reads from `stream` next, then what that has.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        stream: Pin<&mut impl AsyncRead>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.unread().len().min(space.remaining());
        if count == 0 {
            return stream.poll_read(cx, space);
        }
        space.put_slice(self.unread().get(..count).unwrap_or_default());
        self.consume(count);
        Poll::Ready(Ok(()))
    }

    fn make_room(&mut self, most: usize) {
        let Some(memory) = &mut self.memory else {
            self.memory = Some(take(most));
            return;
        };
        if self.to < memory.len() {
            return;
        }
        if self.from > 0 {
            memory.copy_within(self.from..self.to, 0);
        } else {
            let mut larger = take(most.max(memory.len()));
            let (old, new) = (memory.get(..self.to), larger.get_mut(..self.to));
            if let (Some(old), Some(new)) = (old, new) {
                new.copy_from_slice(old);
            }
            give_back(std::mem::replace(memory, larger));
        }
        (self.from, self.to) = (0, self.to - self.from);
    }

    fn release(&mut self) {
        (self.from, self.to) = (0, 0);
        if let Some(memory) = self.memory.take() {
            give_back(memory);
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.release();
    }
}

/// A text that is being written: the head of a message, made anew for each in the same memory.
#[derive(Default)]
pub(crate) struct Text(Vec<u8>);

impl Text {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let spare = SPARE.with_borrow_mut(|spare| spare.texts.pop());
        Self(spare.unwrap_or_else(|| Vec::with_capacity(FIRST_TEXT)))
    }
}

impl Deref for Text {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Text {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        let mut text = std::mem::take(&mut self.0);
        if text.capacity() > 0 && text.capacity() <= LARGEST_TEXT {
            text.clear();
            SPARE.with_borrow_mut(|spare| {
                if spare.texts.len() < MOST_SPARE_TEXTS {
                    spare.texts.push(text);
                }
            });
        }
    }
}

/// Writes what `stream` takes of `parts`. One part alone costs the kernel less than a list of one.
pub(crate) fn poll_write(
    stream: Pin<&mut impl AsyncWrite>,
    cx: &mut Context<'_>,
    parts: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    match ready!(match parts {
        [one] => stream.poll_write(cx, one),
        parts => stream.poll_write_vectored(cx, parts),
    }) {
        Ok(0) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
        written => Poll::Ready(written),
    }
}

/// Bytes that wait to be written: a text, a piece of a body behind it, and what ends the piece.
pub(crate) struct Parcel {
    pub(crate) text: Text,
    written: usize,
    pub(crate) data: Bytes,
    pub(crate) tail: &'static [u8],
}

impl Parcel {
    /// With nothing but `text`.
    pub(crate) fn new(text: Text) -> Self {
        Self { text, written: 0, data: Bytes::new(), tail: b"" }
    }

    /// Writes all of it, by as few calls of `write` as possible.
    pub(crate) fn poll_write(
        &mut self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        loop {
            let text = self.text.get(self.written..).unwrap_or_default();
            if text.is_empty() && self.data.is_empty() && self.tail.is_empty() {
                self.text.clear();
                self.written = 0;
                return Poll::Ready(Ok(()));
            }
            let count = ready!(match (text, &*self.data, self.tail) {
                (one, [], []) | ([], one, []) => write(&[IoSlice::new(one)]),
                (text, data, tail) => write(&[text, data, tail].map(IoSlice::new)),
            })?;
            let of_text = count.min(text.len());
            let of_data = (count - of_text).min(self.data.len());
            self.written += of_text;
            self.data.advance(of_data);
            self.tail = self.tail.get(count - of_text - of_data..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn fill(buffer: &mut Buffer, mut reader: &[u8], most: usize) -> io::Result<usize> {
        let mut cx = Context::from_waker(Waker::noop());
        match buffer.poll_fill(&mut cx, Pin::new(&mut reader), most) {
            Poll::Ready(done) => done,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    #[test]
    fn it_holds_memory_only_while_it_holds_bytes() {
        let mut buffer = Buffer::default();
        assert_eq!(fill(&mut buffer, b"hello", 8).unwrap(), 5);
        buffer.consume(2);
        assert_eq!(buffer.unread(), b"llo");
        buffer.consume(3);
        assert!(buffer.is_empty() && buffer.memory.is_none());
        assert_eq!(fill(&mut buffer, b"", 8).unwrap(), 0, "the end");
        assert!(buffer.memory.is_none());
    }

    #[test]
    fn it_moves_up_and_grows_but_not_beyond_its_bound() {
        let mut buffer = Buffer::default();
        assert_eq!(fill(&mut buffer, b"abcdefgh", 4).unwrap(), 4);
        assert!(buffer.is_full(4) && fill(&mut buffer, b"x", 4).is_err());
        buffer.consume(3);
        assert_eq!(fill(&mut buffer, b"efg", 4).unwrap(), 3);
        assert_eq!(buffer.unread(), b"defg");
        assert_eq!(fill(&mut buffer, b"hij", 16).unwrap(), 3);
        assert_eq!(buffer.unread(), b"defghij");
    }

    #[test]
    fn a_text_is_empty_whatever_was_written_before() {
        let mut text = Text::new();
        text.extend_from_slice(b"GET / HTTP/1.1\r\n");
        drop(text);
        assert!(Text::new().is_empty());
    }
}
