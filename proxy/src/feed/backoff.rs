use std::time::Duration;

use crate::dice::Dice;

/// Pauses between attempts: each up to twice as long as the last, anything down to nothing, so that a
/// thousand proxies do not come back at once.
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    ceiling: Duration,
    dice: Dice,
}

impl Backoff {
    pub(super) fn new(first: Duration, longest: Duration, dice: Dice) -> Self {
        Self { first, longest, ceiling: first, dice }
    }

    /// The pause before the next attempt.
    pub(super) fn next(&mut self) -> Duration {
        let micros = usize::try_from(self.ceiling.as_micros()).unwrap_or(usize::MAX);
        let pause = Duration::from_micros(self.dice.below(micros.saturating_add(1)) as u64);
        self.ceiling = self.ceiling.saturating_mul(2).min(self.longest);
        pause
    }

    /// The last attempt did well.
    pub(super) fn reset(&mut self) {
        self.ceiling = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_start_anew() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(100), ms(1000), Dice::new(1));
        for ceiling in [100, 200, 400, 800, 1000, 1000] {
            assert!(backoff.next() <= ms(ceiling));
        }
        let drawn: Vec<_> = (0..200).map(|_| backoff.next()).collect();
        assert!(drawn.iter().any(|pause| *pause > ms(900)) && drawn.iter().any(|pause| *pause < ms(100)));
        backoff.reset();
        assert!(backoff.next() <= ms(100));
    }
}
