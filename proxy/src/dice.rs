//! Draws that need be quick and even, and are of no use to anyone who guesses them.

use std::cell::Cell;

/// A source of numbers for one thread. Not for secrets.
pub(crate) struct Dice(Cell<u64>);

impl Dice {
    /// The same seed gives the same draws.
    pub(crate) fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// A number below `n`; 0 when `n` is 0.
    #[allow(clippy::cast_possible_truncation, reason = "less than n, which is a usize")]
    pub(crate) fn below(&self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> u64::BITS) as usize
    }

    /// Any number. SplitMix64 (Steele, Lea, Flood 2014).
    pub(crate) fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_even() {
        let dice = Dice::new(3);
        let mut counts = [0; 7];
        (0..70_000).for_each(|_| counts[dice.below(7)] += 1);
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
        assert_eq!(dice.below(0), 0);
    }
}
