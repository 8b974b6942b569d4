//! One thread per core: its own runtime, its own sockets, its own connections to backends.
//!
//! Architecture invariant: a connection lives and dies on the thread that accepted it.

use std::io;
use std::net::TcpListener as StdListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::context::{Context, Shared};
use crate::drain::{self, Drain, Signal};
use crate::edge::{self, Arrived};
use crate::listener::{Gate, accept};
use crate::metrics::Port;
use crate::per_worker::WorkerId;
use crate::tasks::Tasks;

/// What a worker is given.
pub(crate) struct Post {
    pub(crate) worker: WorkerId,
    pub(crate) shared: Arc<Shared>,
    pub(crate) http: StdListener,
    pub(crate) https: StdListener,
    pub(crate) drain: Signal,
    /// Random, and no other worker's.
    pub(crate) seed: u64,
}

/// How a worker's drain went: connections open when it began, and those that were cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    pub(crate) open: usize,
    pub(crate) cut: usize,
}

/// Between two looks at what has grown old.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// Starts a worker's thread. The report comes when it has ended; none comes from one that died.
pub(crate) fn start(post: Post) -> io::Result<oneshot::Receiver<io::Result<Report>>> {
    let (sender, report) = oneshot::channel();
    let name = format!("worker-{}", post.worker.index());
    std::thread::Builder::new().name(name).spawn(move || {
        // Nobody waits for the report of a proxy that was dropped.
        let _ = sender.send(work(post));
    })?;
    Ok(report)
}

fn work(post: Post) -> io::Result<Report> {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    // What is still open when this returns is cut by dropping the runtime.
    Ok(runtime.block_on(serve(post)))
}

async fn serve(post: Post) -> Report {
    let Post { worker, shared, http, https, drain, seed } = post;
    // A signal of its own, so that connections of different workers never contend for one lock.
    let (hand, signal) = drain::channel();
    let context = Context::new(shared, worker, signal, seed);
    tokio::select! {
        report = serve_until_drained(&context, http, https, drain, hand) => report,
        never = context.log.hand_over_in_time() => match never {},
    }
}

async fn serve_until_drained(
    context: &Rc<Context>,
    http: StdListener,
    https: StdListener,
    mut drain: Signal,
    hand: Drain,
) -> Report {
    let doors = Tasks::new();
    let waiting = Arc::new(Semaphore::new(context.config().limits.waiting.get()));
    let gate = || Gate {
        places: context.limits.places().clone(),
        waiting: waiting.clone(),
        backoff: context.config().timeouts.accept_backoff,
        queue: context.config().limits.backlog,
        drain: context.drain.clone(),
    };
    doors.spawn_local(door(http, Port::Http, gate(), context.clone(), edge::serve_plain));
    doors.spawn_local(door(https, Port::Https, gate(), context.clone(), edge::serve_tls));

    tokio::select! {
        () = drain.draining() => {}
        () = keep_house(context) => {}
        () = context.limits.heed() => {}
    }
    hand.start();
    context.limits.idle.close();
    doors.finished().await;
    let open = context.connections.running();
    context.upstreams.close();
    tokio::select! {
        () = context.connections.finished() => {}
        () = sleep(context.config().timeouts.drain_grace) => {}
        () = drain.cut() => {}
    }
    Report { open, cut: context.connections.running() }
}

/// Takes connections until the drain; each is a task of its own.
async fn door<F>(
    listener: StdListener,
    port: Port,
    gate: Gate,
    context: Rc<Context>,
    serve: impl Fn(Arrived, Rc<Context>) -> F + Copy + 'static,
) where
    F: Future<Output = ()> + 'static,
{
    let begin = |accepted| edge::begin(accepted, port, &context, serve);
    let starved = || {
        context.metrics().accept_failures.inc();
        context.upstreams.make_room();
        context.limits.relieve();
    };
    if let Err(error) = accept(listener, gate, begin, starved).await {
        tracing::error!(%error, "a listener of this worker broke and takes no more connections");
    }
}

/// Closes what was idle for too long and lets go of old tables, for ever.
async fn keep_house(context: &Context) {
    let mut ticks = interval(HOUSEKEEPING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut panics = 0;
    loop {
        ticks.tick().await;
        context.upstreams.reap();
        context.reader.borrow_mut().refresh();
        let now = context.connections.panics() + context.streams.panics();
        if now > panics {
            context.metrics().panics.add(now - panics);
            tracing::error!(
                new = now - panics,
                "connections ended by a panic; this is a defect of the proxy"
            );
            panics = now;
        }
    }
}
