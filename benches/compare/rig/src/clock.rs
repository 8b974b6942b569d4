use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since some moment in the past, the same for all processes.
#[inline]
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    // This clock does not go below zero.
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// Nanoseconds of so many seconds.
pub(crate) fn seconds(count: f64) -> u64 {
    (count * 1e9) as u64
}
