//! The route table against plain hashbrown, on the same names in one run.
//!
//! `cargo bench -p benches --bench route_table [-- --sizes 1000,100000] [-- --ten-million]`

mod contenders;
mod lookups;
mod memory;
mod show;
mod under_writes;
mod updates;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;

use benches::hosts;
use benches::machine_line;
use clap::Parser;
use proto::Route;
use proxy::routes::Routes;
use serde_json::{Value, json};

use contenders::{Keyed, SEED, map};
use lookups::Asked;
use memory::Held;

#[derive(Parser)]
struct Arguments {
    /// Sizes of the tables.
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 10_000, 100_000, 1_000_000])]
    sizes: Vec<usize>,
    /// Measure a table of ten million routes too; takes 8 GB and some minutes.
    #[arg(long)]
    ten_million: bool,
    /// Counted turns of each contender.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// How long readers are watched while routes change.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Measure lookups alone.
    #[arg(long)]
    lookups: bool,
    /// Only weigh one table of `--size`: what the bench calls itself for.
    #[arg(long, hide = true)]
    weigh: Option<Held>,
    #[arg(long, hide = true, default_value_t = 1000)]
    size: usize,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if let Some(held) = arguments.weigh {
        return Ok(writeln!(io::stdout(), "{}", memory::weigh(held, arguments.size)?)?);
    }
    let ten_million = arguments.ten_million.then_some(10_000_000);
    let mut results = Vec::new();
    for size in arguments.sizes.iter().copied().chain(ten_million) {
        results.push(measure(size, &arguments)?);
    }
    Ok(machine_line("route_table", &Value::Array(results))?)
}

fn measure(size: usize, arguments: &Arguments) -> Result<Value, Box<dyn Error>> {
    // First, while this process is small: the weighing processes need room.
    let weights = if arguments.lookups { BTreeMap::new() } else { memory::measure(size)? };
    let all: Vec<Arc<Route>> = hosts::routes(size).into_iter().map(Arc::new).collect();
    let routes = Routes::with_seed(SEED);
    routes.apply(hosts::snapshot(hosts::routes(size), 1))?;
    let mut keyed = Keyed::new(&all);

    let plain = map(&all);
    let looked: Vec<_> = Asked::ALL
        .into_iter()
        .map(|asked| {
            (asked.label(), lookups::measure(asked, size, arguments.rounds, (&plain, &keyed, &routes)))
        })
        .collect();
    drop(plain);
    show::costs(&format!("Lookups, {size} routes"), "CPU ns a lookup", &looked)?;
    if arguments.lookups {
        return Ok(json!({ "size": size, "lookups": show::json(&looked) }));
    }
    let updated: Vec<_> = [("one route", 1), ("100 routes", 100)]
        .into_iter()
        .map(|(label, batch)| (label, updates::measure(size, batch, arguments.rounds, &mut keyed, &routes)))
        .collect();
    let seen = under_writes::measure(size, arguments.seconds, keyed, &routes);
    drop(routes);
    let loaded = updates::measure_snapshots(&all, arguments.rounds.min(3));

    show::costs(&format!("Updates, {size} routes"), "CPU a revision", &updated)?;
    let loaded = [("all routes", loaded)];
    show::costs(&format!("Whole tables, {size} routes"), "CPU a table", &loaded)?;
    show::weights(size, &weights)?;
    show::seen(size, &seen)?;
    Ok(json!({
        "size": size,
        "lookups": show::json(&looked),
        "updates": show::json(&updated),
        "loads": show::json(&loaded),
        "bytes_a_route": weights.iter().map(|(held, bytes)| (format!("{held:?}"), (*bytes).into())).collect::<serde_json::Map<_, _>>(),
        "under_writes": show::seen_json(&seen),
    }))
}
