use std::sync::Arc;

use crate::dice::Dice;
use crate::per_worker::WorkerId;
use crate::routes::{Upstream, UpstreamShare};

/// A backend that serves one more request or tunnel until this is dropped.
#[derive(Debug)]
pub struct Lease {
    upstream: Arc<Upstream>,
    worker: WorkerId,
}

impl Lease {
    pub(super) fn new(upstream: Arc<Upstream>, worker: WorkerId) -> Self {
        upstream.share(worker).begin();
        Self { upstream, worker }
    }

    /// Which backend.
    pub fn upstream(&self) -> &Arc<Upstream> {
        &self.upstream
    }

    pub(super) fn share(&self) -> &UpstreamShare {
        self.upstream.share(self.worker)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.share().end();
    }
}

/// The less busy of two eligible backends drawn at random; none when none is eligible.
///
/// Busy as this worker sees it: clients spread over the workers by themselves, so what one worker
/// evens out is evened out over all, without a shared count.
pub(super) fn less_busy<'b>(
    backends: &'b [Arc<Upstream>],
    worker: WorkerId,
    dice: &Dice,
    eligible: impl Fn(&Upstream) -> bool,
) -> Option<&'b Arc<Upstream>> {
    if let [only] = backends {
        return eligible(only).then_some(only);
    }
    let first = draw(backends, dice, &eligible)?;
    let second = draw(backends, dice, |other| other.id() != first.id() && eligible(other)).unwrap_or(first);
    let busy = |upstream: &Upstream| upstream.share(worker).in_flight();
    Some(if busy(second) < busy(first) { second } else { first })
}

/// The first eligible backend from a random one on.
fn draw<'b>(
    backends: &'b [Arc<Upstream>],
    dice: &Dice,
    eligible: impl Fn(&Upstream) -> bool,
) -> Option<&'b Arc<Upstream>> {
    let start = dice.below(backends.len());
    let (before, from) = backends.split_at(start);
    from.iter().chain(before).find(|upstream| eligible(upstream))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::Routes;
    use crate::routes::tests::{bound, snapshot};

    fn backends(count: usize) -> Box<[Arc<Upstream>]> {
        let addresses: Vec<_> = (1..=count).map(|n| format!("10.0.0.{n}:80")).collect();
        let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
        let routes = Routes::new();
        routes.apply(snapshot(1, vec![bound("a.x", "dep-a", &addresses)])).unwrap();
        routes.reader().get("a.x").unwrap().backends.clone()
    }

    fn worker() -> WorkerId {
        WorkerId::all(1).next().unwrap()
    }

    #[test]
    fn all_are_drawn_and_the_busiest_never_of_two() {
        let (backends, dice) = (backends(5), Dice::new(1));
        let leases: Vec<_> = (0..5000)
            .map(|_| Lease::new(less_busy(&backends, worker(), &dice, |_| true).unwrap().clone(), worker()))
            .collect();
        let in_flight: Vec<_> = backends.iter().map(|upstream| upstream.in_flight()).collect();
        assert!(in_flight.iter().all(|n| (990..=1010).contains(n)), "{in_flight:?}");
        drop(leases);
        assert!(backends.iter().all(|upstream| upstream.in_flight() == 0));
        let _busy = Lease::new(backends[0].clone(), worker());
        let two = &backends[..2];
        assert!((0..100).all(|_| less_busy(two, worker(), &dice, |_| true).unwrap().id() == two[1].id()));
    }

    #[test]
    fn only_eligible_ones_are_drawn() {
        let dice = Dice::new(2);
        assert!(less_busy(&[], worker(), &dice, |_| true).is_none());
        for count in 1..4 {
            let backends = backends(count);
            for only in backends.iter().map(|upstream| upstream.id()) {
                let chosen = less_busy(&backends, worker(), &dice, |one| one.id() == only).unwrap();
                assert_eq!(chosen.id(), only);
            }
            assert!(less_busy(&backends, worker(), &dice, |_| false).is_none());
        }
    }
}
