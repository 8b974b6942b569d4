/// Counts of nanoseconds, in buckets at most 1.6 % wide: recording costs a few instructions, whatever
/// the value.
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    largest: u64,
}

/// Each power of two has 2^6 buckets.
const BITS: u32 = 6;
const PER_POWER: usize = 1 << BITS;

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; (64 - BITS as usize + 1) * PER_POWER], total: 0, largest: 0 }
    }
}

impl Histogram {
    /// Counts one value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        if let Some(count) = self.counts.get_mut(bucket(value)) {
            *count += 1;
        }
        self.total += 1;
        self.largest = self.largest.max(value);
    }

    /// The value that `share` (0 to 1) of the others do not exceed, to the width of its bucket.
    pub fn quantile(&self, share: f64) -> u64 {
        let rank = (share.clamp(0.0, 1.0) * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        found.map_or(0, lowest)
    }

    /// The largest value.
    pub fn largest(&self) -> u64 {
        self.largest
    }

    /// How many values there are.
    pub fn total(&self) -> u64 {
        self.total
    }
}

fn bucket(value: u64) -> usize {
    // Values below one power's worth of buckets have a bucket each.
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(BITS + 1);
    shift as usize * PER_POWER + (value >> shift) as usize
}

/// The lowest value of a bucket.
fn lowest(bucket: usize) -> u64 {
    let shift = (bucket / PER_POWER).saturating_sub(1);
    ((bucket - shift * PER_POWER) as u64) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_narrow_and_in_order() {
        let values =
            (0..64).flat_map(|power| [1_u64 << power, (1 << power) + (1 << power) / 3, (1 << power) - 1]);
        let mut values: Vec<u64> = values.chain([u64::MAX]).collect();
        values.sort_unstable();
        for pair in values.windows(2) {
            assert!(bucket(pair[0]) <= bucket(pair[1]), "{pair:?}");
        }
        for value in values {
            let low = lowest(bucket(value));
            assert!(low <= value && value - low <= value / 64, "{value} in the bucket of {low}");
        }
    }

    #[test]
    fn quantiles_of_a_thousand() {
        let mut histogram = Histogram::default();
        (1..=1000).for_each(|value| histogram.record(value));
        assert!((490..=500).contains(&histogram.quantile(0.5)), "{}", histogram.quantile(0.5));
        assert!((975..=990).contains(&histogram.quantile(0.99)));
        assert_eq!((histogram.largest(), histogram.total()), (1000, 1000));
    }
}
