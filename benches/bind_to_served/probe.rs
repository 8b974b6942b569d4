use std::net::SocketAddr;
use std::time::Duration;

use benches::clock::wall;
use loadtest::{Answer, KeepAlive, OrFault as _, Outcome};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// Questions a second.
const PERIOD: Duration = Duration::from_millis(1);
/// More than are asked while one route moves.
const QUEUE: usize = 1 << 16;

/// One question and its answer; moments are in nanoseconds of one clock.
#[derive(Debug)]
pub(crate) struct Probe {
    /// When the answer was there.
    pub(crate) seen: u64,
    /// What it was, or why there was none.
    pub(crate) answer: Outcome<Answer>,
}

/// Asks for one host a thousand times a second, over one connection as long as it lasts.
pub(crate) struct Prober {
    probes: mpsc::Receiver<Probe>,
    /// Asks; ends with its owner.
    _asking: JoinSet<()>,
}

impl Prober {
    /// Begins to ask at the edge.
    pub(crate) fn start(edge: SocketAddr, host: String) -> Self {
        let (sender, probes) = mpsc::channel(QUEUE);
        let mut asking = JoinSet::new();
        asking.spawn(ask(edge, host, sender));
        Self { probes, _asking: asking }
    }

    /// The next answer.
    pub(crate) async fn next(&mut self) -> Outcome<Probe> {
        self.probes.recv().await.or_fault("the prober has ended")
    }
}

async fn ask(edge: SocketAddr, host: String, probes: mpsc::Sender<Probe>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut kept = None;
    loop {
        ticks.tick().await;
        let answer = once(&mut kept, edge, &host).await;
        if answer.is_err() {
            kept = None;
        }
        if probes.send(Probe { seen: wall(), answer }).await.is_err() {
            return;
        }
    }
}

async fn once(kept: &mut Option<KeepAlive>, edge: SocketAddr, host: &str) -> Outcome<Answer> {
    let connection = match kept {
        Some(connection) => connection,
        None => kept.insert(KeepAlive::connect(edge, host).await?),
    };
    connection.get("/bytes/1").await
}
