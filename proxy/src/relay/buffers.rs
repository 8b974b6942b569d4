//! Buffers that wait for the next use, so that a relay holds one only while it has bytes to pass on.

use std::cell::RefCell;

thread_local! {
    static SPARE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// Kept per thread; more are given back to the allocator.
const MOST_SPARE: usize = 16;

/// A buffer of `size` bytes, with whatever it held before.
pub(super) fn take(size: usize) -> Box<[u8]> {
    let spare = SPARE.with_borrow_mut(Vec::pop);
    spare.filter(|buffer| buffer.len() == size).unwrap_or_else(|| vec![0; size].into_boxed_slice())
}

/// Keeps `buffer` for the next one who asks.
pub(super) fn give_back(buffer: Box<[u8]>) {
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < MOST_SPARE {
            spare.push(buffer);
        }
    });
}
