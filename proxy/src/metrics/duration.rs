use std::time::Duration;

use super::exposition::Exposition;
use crate::per_worker::Count;

/// Upper bounds in microseconds and as Prometheus writes them, in seconds.
const BOUNDS: [(u64, &str); 13] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
];

/// How long things took, for one worker.
#[derive(Debug, Default)]
pub struct Durations {
    buckets: [Count; BOUNDS.len()],
    count: Count,
    micros: Count,
}

impl Durations {
    /// Counts one that took this long.
    pub fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let at = BOUNDS.partition_point(|(bound, _)| *bound < micros);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.inc();
        }
        self.count.inc();
        self.micros.add(micros);
    }
}

/// Writes the sum of `all` as one histogram.
#[allow(clippy::cast_precision_loss, reason = "a sum of microseconds is exact up to 285 years")]
pub(super) fn expose(out: &mut Exposition, name: &str, labels: &[(&str, &str)], all: &[&Durations]) {
    let (bucket_name, count_name, sum_name) =
        (format!("{name}_bucket"), format!("{name}_count"), format!("{name}_sum"));
    let with_bound = |bound| [labels, &[("le", bound)]].concat();
    let mut below = 0;
    for (at, (_, bound)) in BOUNDS.iter().enumerate() {
        below += all.iter().map(|durations| durations.buckets[at].get()).sum::<u64>();
        out.sample(&bucket_name, &with_bound(bound), below);
    }
    // Never less than the buckets, which were read before it.
    let count = all.iter().map(|durations| durations.count.get()).sum::<u64>().max(below);
    out.sample(&bucket_name, &with_bound("+Inf"), count);
    out.sample(&count_name, labels, count);
    let micros: u64 = all.iter().map(|durations| durations.micros.get()).sum();
    out.sample(&sum_name, labels, micros as f64 / 1e6);
}
