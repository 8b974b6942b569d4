//! Two clocks: what the thread has worked, and what has passed.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// What a piece of work cost, in nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// CPU time of the thread that did it.
    pub cpu: f64,
    /// Time that passed.
    pub wall: f64,
}

/// Nanoseconds of CPU time this thread has used.
pub fn thread_cpu() -> u64 {
    nanoseconds(clock_gettime(ClockId::ThreadCPUTime))
}

/// Nanoseconds since some moment in the past. Costs no system call.
#[inline]
pub fn wall() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

/// What each of `units` costs that `work` does.
pub fn per_unit(units: usize, work: impl FnOnce()) -> Cost {
    let (cpu, passed) = (thread_cpu(), wall());
    work();
    let (cpu, passed) = (thread_cpu() - cpu, wall() - passed);
    let units = units.max(1) as f64;
    Cost { cpu: cpu as f64 / units, wall: passed as f64 / units }
}

fn nanoseconds(time: Timespec) -> u64 {
    // Neither clock goes below zero.
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_costs_and_its_cost_is_shared_out() {
        let spin = || {
            let until = thread_cpu() + 2_000_000;
            while thread_cpu() < until {}
        };
        let cost = per_unit(1000, spin);
        assert!(cost.cpu >= 2000.0, "{cost:?}");
    }
}
