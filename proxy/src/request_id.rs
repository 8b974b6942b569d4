//! Names for requests that come without one.

use std::cell::Cell;

/// Makes ids that no other worker, process or machine makes: 64 random bits and a count.
pub(crate) struct RequestIds {
    random: u64,
    next: Cell<u64>,
}

impl RequestIds {
    /// Ids of the worker that drew `random`.
    pub(crate) fn new(random: u64) -> Self {
        Self { random, next: Cell::new(0) }
    }

    /// The next id: 32 hexadecimal digits.
    pub(crate) fn next(&self) -> [u8; 32] {
        let count = self.next.get();
        self.next.set(count.wrapping_add(1));
        let mut text = [0_u8; 32];
        let id = (u128::from(self.random) << 64) | u128::from(count);
        for (digit, nibble) in text.iter_mut().zip((0..32_u32).rev()) {
            let value = (id >> (nibble * 4)) & 0xf;
            *digit = b"0123456789abcdef".get(value as usize).copied().unwrap_or(b'0');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_count_up_under_their_workers_bits() {
        let ids = RequestIds::new(0xabcd);
        assert_eq!(ids.next(), *b"000000000000abcd0000000000000000");
        assert_eq!(ids.next(), *b"000000000000abcd0000000000000001");
    }
}
