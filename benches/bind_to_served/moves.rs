use std::thread;
use std::time::Duration;

use benches::clock::wall;
use benches::{Random, Series};
use loadtest::{Api, Fault, OrFault as _, Outcome};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::probe::Prober;
use crate::stage_set::{DEPLOYMENTS, ROUTE};

/// How long a move may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// What moving the route again and again has shown; times in nanoseconds.
#[derive(Default)]
pub(crate) struct Moved {
    /// From the return of the call, when the commit had been durable for a moment, to the first answer
    /// of the new deployment. Below zero when that answer was there before the call had returned.
    pub(crate) served_after_return: Series,
    /// From the beginning of the call to the same: more than from the durable commit.
    pub(crate) served_after_call: Series,
    /// How long the call took.
    pub(crate) call: Series,
    /// Answers seen.
    pub(crate) probes: u64,
    /// Answers that were none, and those of a deployment that did not have the route then.
    pub(crate) failures: Vec<String>,
}

/// Moves the route to and fro `count` times.
pub(crate) async fn measure(api: &Api, prober: &mut Prober, count: usize) -> Outcome<Moved> {
    let mut moved = Moved::default();
    let mut random = Random::new(11);
    let [mut from, mut to] = DEPLOYMENTS;
    for _ in 0..count {
        // Of any length, lest moves keep step with the questions: tokio's timers alone go by whole
        // milliseconds, and every call would begin with one of them.
        sleep(Duration::from_millis(2)).await;
        let phase = Duration::from_micros(random.below(1000) as u64);
        spawn_blocking(move || rest(phase)).await?;
        let called = wall();
        api.bind(ROUTE, to, None).await.or_fault("a bind")?;
        let returned = wall();
        let first = timeout(PATIENCE, moved.until_served(prober, called, (from, to))).await;
        let first = first.map_err(|_| Fault::new(format_args!("{to} not served within {PATIENCE:?}")))??;
        moved.call.push((returned - called) as f64);
        moved.served_after_call.push((first - called) as f64);
        moved.served_after_return.push(first as f64 - returned as f64);
        std::mem::swap(&mut from, &mut to);
    }
    Ok(moved)
}

#[allow(clippy::disallowed_methods, reason = "on a thread that is there to be blocked")]
fn rest(time: Duration) {
    thread::sleep(time);
}

impl Moved {
    /// Judges answers until the first of `to`; when it was seen.
    async fn until_served(
        &mut self,
        prober: &mut Prober,
        called: u64,
        (from, to): (&str, &str),
    ) -> Outcome<u64> {
        loop {
            let probe = prober.next().await?;
            self.probes += 1;
            match probe.answer {
                Ok(answer) if answer.status == 200 && answer.by == to && probe.seen >= called => {
                    return Ok(probe.seen);
                }
                Ok(answer) if answer.status == 200 && answer.by == from => {}
                // Among them answers of the deployment that had just lost the route.
                Ok(answer) => self.failures.push(format!("{} by {}", answer.status, answer.by)),
                Err(fault) => self.failures.push(fault.to_string()),
            }
        }
    }
}
