//! Ten clients create, bind, move, update, stop and delete at once, in two projects that want the same names.
//!
//! Every commit they cause is watched, in the order of revisions. After each round the story is told again,
//! one commit after the other: the invariants of what is stored hold at every revision; what was answered
//! is what a simple reference, which does one thing at a time, would have answered; and a proxy that follows
//! had the routes of each revision it was sent.
//!
//! What the clients want is drawn from a seed, which a failure tells; in what order they get it is not.
//! `EPR_MODEL_SEED=N` plays one seed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

#[path = "model/client.rs"]
mod client;
#[path = "model/dice.rs"]
mod dice;
#[path = "model/history.rs"]
mod history;
#[path = "model/proxy.rs"]
mod proxy;
#[path = "model/reference.rs"]
mod reference;
#[path = "model/stage.rs"]
mod stage;
#[path = "model/stored.rs"]
mod stored;

use std::io::Write as _;

use tokio::task::JoinSet;

use crate::client::{Client, Did};
use crate::dice::Dice;
use crate::history::History;
use crate::stage::Stage;

/// Seeds, each with the most static routes there may be; the clients want eight.
const SEEDS: [(u64, Option<usize>); 4] =
    [(1, None), (20_261_122, Some(5)), (0xdead_beef, None), (7, Some(5))];
const ROUNDS: usize = 6;
const CLIENTS: usize = 10;
const STEPS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_ten_clients_do_at_once_the_invariants_hold() {
    let named: Option<u64> = std::env::var("EPR_MODEL_SEED").ok().and_then(|seed| seed.parse().ok());
    for (seed, most) in named.map_or(SEEDS.to_vec(), |seed| vec![(seed, None), (seed, Some(5))]) {
        let told = Told(seed);
        play(seed, most).await;
        drop(told);
    }
}

/// Tells the seed when what it was drawn for fails.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // A test that fails in the midst of this has no better place to say it.
            let _ = writeln!(std::io::stderr(), "play it again with EPR_MODEL_SEED={}", self.0);
        }
    }
}

async fn play(seed: u64, most: Option<usize>) {
    let stage = Stage::start(most).await;
    let mut history = History::begin(&stage).await;
    let proxy = stage.follow();
    let mut dice = Dice::new(seed);
    let mut done = 0;
    for _ in 0..ROUNDS {
        let did = round(&stage, &mut dice).await;
        done += did.iter().filter(|did| did.answer.is_ok()).count();
        history.catch_up(&stage.store).await;
        history.judge(&did);
        history.judge_tables(&proxy.until(stage.store.revision()).await);
        history.judge_listed(&stage.routes().await);
        for (organization, used) in stage.static_routes_used().await {
            assert_eq!(used, history.static_routes_of(&organization), "counted for {organization}");
        }
    }
    assert!(done > ROUNDS * CLIENTS, "hardly anything was possible: {done}");
    history.judge_kept(&stage.stop().await).await;
}

/// All that the clients did, in no order.
async fn round(stage: &Stage, dice: &mut Dice) -> Vec<Did> {
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let mut client = Client::new(stage, number, dice.split());
        clients.spawn(async move {
            let mut did = Vec::with_capacity(STEPS);
            for _ in 0..STEPS {
                did.push(client.act().await);
            }
            did
        });
    }
    clients.join_all().await.into_iter().flatten().collect()
}
