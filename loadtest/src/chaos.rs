//! A storm over one edge: backends and clients that die, stall, lie, reset and send rubbish, while static routes
//! move without a pause; and among them sound clients of sound backends, none of whose requests may fail.
//!
//! Every request has a number, which its answer repeats, and every backend says whose it is. So it is known of
//! each answer whether it is the one to its request, by a deployment that had the name while it was asked.
//!
//! - `site`: what runs, and the static routes in groups.
//! - `sound`, `tunnels`, `wild`, `probe`: clients; `backends`: theirs and the others'.
//! - `moves`: who moves static routes; `history`: who had them when.
//! - `frame`: HTTP/2 by hand, for those who do it wrong.
//! - `ledger`: what everybody saw, and what was wrong.

mod backends;
mod draw;
mod frame;
mod history;
mod ledger;
mod moves;
mod probe;
mod site;
mod sound;
mod tunnels;
mod wild;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Epr, OrFault as _, Outcome, Stage, eventually};
use ledger::Ledger;
use site::Site;

/// Sound clients of each group.
const SOUND: usize = 3;
/// Wild clients.
const WILD: usize = 24;
/// How long the edge may take to notice that everybody has left.
const CALM: Duration = Duration::from_secs(30);
/// What has to be none then.
const GAUGES: [&str; 2] = ["epr_connections_open", "epr_tunnels_open"];
/// What a second round may add to the first one's memory, in KiB: an allocator does not give all back.
const SLACK: u64 = 8 * 1024;
/// The same of descriptors, once idle connections to backends are closed too.
const SPARE: usize = 8;
/// How long these may take: `idle_timeout`, and some for a machine that is busy.
const QUIET: Duration = Duration::from_secs(60);

/// What a storm was like.
#[derive(Debug)]
pub struct Report {
    /// What was seen by whom, how often.
    pub seen: Vec<(String, u64)>,
    /// Everything that must not be.
    pub wrong: Vec<String>,
    /// Routes moved a second.
    pub moves_per_second: f64,
    /// Memory and descriptors of the proxy before, after each round, and when its connections to backends are gone.
    pub weight: Vec<Weight>,
}

/// What a process holds.
#[derive(Debug, Clone, Copy)]
pub struct Weight {
    /// Resident memory, in KiB.
    pub rss: u64,
    /// Open descriptors.
    pub descriptors: usize,
}

/// Two rounds of `length` each, of what follows from `seed`.
pub async fn storm(stage: &Stage, length: Duration, seed: u64) -> Outcome<Report> {
    let ledger = Arc::new(Ledger::default());
    let mut site = Site::set_up(stage, &ledger).await?;
    let mut weight = vec![Weight::of(&mut site.proxy)?];
    let began = Instant::now();
    for round in 0..2 {
        rage(&site, &ledger, length, seed.wrapping_add(round)).await?;
        calm(&site.proxy, &ledger).await?;
        weight.push(Weight::of(&mut site.proxy)?);
    }
    let moves_per_second = ledger.moves() as f64 / (2.0 * length.as_secs_f64());
    site.judge(&ledger, began).await?;
    if let [_, first, second] = weight.as_slice()
        && second.rss > first.rss + SLACK
    {
        ledger.wrong(format_args!("memory grew from {} to {} KiB", first.rss, second.rss));
    }
    if let Some(before) = weight.first().copied() {
        weight.push(quiet(&mut site.proxy, before, &ledger).await?);
    }
    Ok(Report { seen: ledger.seen(), wrong: ledger.all_wrong(), moves_per_second, weight })
}

/// Lets everybody loose for a while.
async fn rage(site: &Site, ledger: &Arc<Ledger>, length: Duration, seed: u64) -> Outcome {
    let over = CancellationToken::new();
    let mut all = JoinSet::new();
    let mut seeds = seed.wrapping_mul(1_000_003)..;
    let mut seed = || seeds.next().unwrap_or_default();
    for group in site.groups.iter().chain(&site.churns) {
        for _ in 0..SOUND {
            all.spawn(sound::run(site.edge()?, group.clone(), ledger.clone(), over.clone(), seed()));
        }
    }
    for group in &site.tunnels {
        for _ in 0..SOUND {
            all.spawn(tunnels::run(site.edge()?, group.clone(), ledger.clone(), over.clone(), seed()));
        }
    }
    for group in site.groups.iter().chain(&site.tunnels) {
        all.spawn(moves::bind(site.api().await?, group.clone(), ledger.clone(), over.clone(), seed()));
    }
    for churn in &site.churns {
        all.spawn(moves::churn(site.api().await?, churn.clone(), ledger.clone(), over.clone()));
    }
    for victim in site.victims() {
        all.spawn(probe::run(site.edge()?, victim, ledger.clone(), over.clone(), seed()));
    }
    for _ in 0..WILD {
        all.spawn(wild::run(site.edge()?, site.names(), ledger.clone(), over.clone(), seed()));
    }
    tokio::time::sleep(length).await;
    over.cancel();
    while let Some(ended) = all.join_next().await {
        ended?;
    }
    Ok(())
}

/// Waits until nothing is open any more.
async fn calm(proxy: &Epr, ledger: &Ledger) -> Outcome {
    let mut open = Vec::new();
    let look = async || {
        let metrics = proxy.admin_page("/metrics").await?;
        let gauges = metrics.lines().filter(|line| GAUGES.iter().any(|gauge| line.starts_with(gauge)));
        open = gauges.filter(|line| !line.ends_with(" 0")).map(str::to_owned).collect();
        Ok(open.is_empty().then_some(()))
    };
    if eventually("an edge without connections", CALM, look).await.is_err() {
        ledger.wrong(format_args!("still open when all have left: {}", open.join(", ")));
    }
    Ok(())
}

/// Waits until it holds no more descriptors than before the storm; what it holds then.
async fn quiet(proxy: &mut Epr, before: Weight, ledger: &Ledger) -> Outcome<Weight> {
    let mut now = before;
    let look = async || {
        now = Weight::of(proxy)?;
        Ok((now.descriptors <= before.descriptors + SPARE).then_some(()))
    };
    if eventually("no more descriptors than before", QUIET, look).await.is_err() {
        ledger.wrong(format_args!("{} descriptors, of {} before", now.descriptors, before.descriptors));
    }
    Ok(now)
}

impl Weight {
    fn of(epr: &mut Epr) -> Outcome<Self> {
        let pid = epr.process().pid().as_raw_nonzero();
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        let rss = rss.or_fault("no VmRSS")?.parse()?;
        Ok(Self { rss, descriptors: fs::read_dir(format!("/proc/{pid}/fd"))?.count() })
    }
}

impl Report {
    /// For people: a line for everything that was seen.
    pub fn table(&self) -> String {
        let mut lines: Vec<String> =
            self.seen.iter().map(|(what, count)| format!("{count:>9}  {what}\n")).collect();
        lines.push(format!("{:>9.0}  routes moved a second\n", self.moves_per_second));
        for (when, weight) in
            ["before", "after one round", "after two", "when all was quiet"].iter().zip(&self.weight)
        {
            let Weight { rss, descriptors } = weight;
            lines.push(format!("{rss:>9}  KiB resident, {descriptors} descriptors {when}\n"));
        }
        lines.extend(self.wrong.iter().map(|wrong| format!("    WRONG  {wrong}\n")));
        lines.concat()
    }
}
