//! From a bind to the first request the new deployment serves, with the real binary.
//!
//! `cargo build --profile bench -p cli && cargo bench -p benches --bench bind_to_served [-- --full]`

mod moves;
mod probe;
mod seed;
mod stage_set;

use std::time::Duration;

use benches::{Series, Table, bytes, machine_line, nanoseconds, print};
use clap::Parser;
use loadtest::{Fault, Outcome, Stage, play};
use serde_json::{Value, json};

use moves::Moved;
use probe::Prober;
use stage_set::Set;

#[derive(Parser)]
struct Arguments {
    /// Sizes of the table.
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 1_000_000])]
    routes: Vec<usize>,
    /// Binds measured at each size.
    #[arg(long, default_value_t = 200)]
    binds: usize,
    /// A thousand binds at each size.
    #[arg(long)]
    full: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Above all it takes to fill a store with a million routes, on a slow disk.
const LIMIT: Duration = Duration::from_secs(3600);

fn main() -> Outcome {
    let arguments = Arguments::parse();
    let binds = if arguments.full { 1000 } else { arguments.binds };
    play(LIMIT, async |stage| {
        let mut results = Vec::new();
        for &routes in &arguments.routes {
            results.push(measure(stage, routes, binds).await?);
        }
        Ok(machine_line("bind_to_served", &Value::Array(results))?)
    })
}

async fn measure(stage: &Stage, routes: usize, binds: usize) -> Outcome<Value> {
    let mut set = Set::build(stage, routes).await?;
    let api = set.epr.api().await?;
    let mut prober = Prober::start(set.epr.http()?, Set::host());
    // Not counted: whatever is made at the first use is made now.
    moves::measure(&api, &mut prober, 20).await?;
    let moved = moves::measure(&api, &mut prober, binds).await?;
    drop(prober);
    let resident = set.resident()?;
    set.epr.terminate(Duration::from_secs(60)).await?;
    show(&set, &moved, resident)?;
    if let Some(failure) = moved.failures.first() {
        let count = moved.failures.len();
        return Err(Fault::new(format_args!("{count} of {} requests failed, as {failure}", moved.probes)));
    }
    Ok(json!({
        "routes": set.routes,
        "binds": binds,
        "seeding_s": set.seeding,
        "loading_s": set.loading,
        "resident_bytes": resident,
        "served_after_return_ns": numbers(&moved.served_after_return),
        "served_after_call_ns": numbers(&moved.served_after_call),
        "call_ns": numbers(&moved.call),
        "probes": moved.probes,
        "failures": moved.failures.len(),
    }))
}

fn show(set: &Set, moved: &Moved, resident: u64) -> Outcome {
    let title = format!("Bind to served, {} routes", set.routes);
    let mut table = Table::new(title, &["what", "median", "p99", "most"]);
    for (what, series) in [
        ("from the call's return to the first answer", &moved.served_after_return),
        ("from the call to the first answer", &moved.served_after_call),
        ("the call itself", &moved.call),
    ] {
        let cells = [series.median(), series.quantile(0.99), series.quantile(1.0)].map(nanoseconds);
        table.row([what.to_owned()].into_iter().chain(cells));
    }
    print(table)?;
    let (probes, failures) = (moved.probes, moved.failures.len());
    print(format_args!(
        "{probes} requests meanwhile, {failures} of them failed. Store filled in {:.1} s, whole table at the edge \
         {:.1} s after the start, {} in memory.",
        set.seeding,
        set.loading,
        bytes(resident as f64)
    ))?;
    Ok(())
}

fn numbers(series: &Series) -> Value {
    json!({ "median": series.median(), "p99": series.quantile(0.99), "max": series.quantile(1.0) })
}
