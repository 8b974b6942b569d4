use std::collections::BTreeMap;
use std::io;

use benches::rounds::Measured;
use benches::{Table, bytes, nanoseconds, print};
use serde_json::{Value, json};

use crate::memory::Held;
use crate::under_writes::Seen;

type Groups<'a> = [(&'a str, Vec<Measured>)];

/// Medians with their spread, and how they stand to the hashbrown table's.
pub(crate) fn costs(title: &str, unit: &str, groups: &Groups<'_>) -> io::Result<()> {
    let mut table =
        Table::new(title, &["what", "contender", unit, "least to most", "wall", "to hashbrown table"]);
    for (what, contenders) in groups {
        let reference = contenders.iter().find(|measured| measured.name.starts_with("hashbrown table"));
        let reference = reference.map_or(0.0, |measured| measured.cpu.median());
        for measured in contenders {
            let (least, most) = measured.cpu.spread();
            table.row([
                (*what).to_owned(),
                measured.name.to_owned(),
                nanoseconds(measured.cpu.median()),
                format!("{} to {}", nanoseconds(least), nanoseconds(most)),
                nanoseconds(measured.wall.median()),
                format!("{:.2}", measured.cpu.median() / reference),
            ]);
        }
    }
    print(table)
}

/// Bytes a route, and what of them is the table rather than the routes.
pub(crate) fn weights(size: usize, weights: &BTreeMap<Held, f64>) -> io::Result<()> {
    let objects = weights.get(&Held::Objects).copied().unwrap_or_default();
    let mut table =
        Table::new(format!("Memory, {size} routes"), &["held", "bytes a route", "above the bare routes"]);
    for (held, weight) in weights {
        let name = match held {
            Held::Objects => "routes, each behind a pointer, in no table",
            Held::Map => "hashbrown map",
            Held::Keyed => "hashbrown table, key in route",
            Held::Routes => "routes (with upstreams)",
        };
        table.row([name.to_owned(), bytes(*weight), bytes(weight - objects)]);
    }
    print(table)
}

/// How long lookups took while routes changed.
pub(crate) fn seen(size: usize, seen: &[Seen]) -> io::Result<()> {
    let head = ["contender", "updates/s", "lookups", "p50", "p99", "p99.9", "max"];
    let mut table =
        Table::new(format!("Lookups of any name while routes change, {size} routes, wall time"), &head);
    for seen in seen {
        let at = |share| nanoseconds(seen.lookups.quantile(share) as f64);
        table.row([
            seen.name.to_owned(),
            format!("{:.0}", seen.rate),
            seen.lookups.total().to_string(),
            at(0.5),
            at(0.99),
            at(0.999),
            nanoseconds(seen.lookups.largest() as f64),
        ]);
    }
    print(table)
}

/// The same for programs.
pub(crate) fn json(groups: &Groups<'_>) -> Value {
    let one = |measured: &Measured| {
        let (least, most) = measured.cpu.spread();
        json!({
            "contender": measured.name,
            "cpu_ns": { "median": measured.cpu.median(), "min": least, "max": most },
            "wall_ns": measured.wall.median(),
        })
    };
    groups
        .iter()
        .map(|(what, measured)| ((*what).to_owned(), measured.iter().map(one).collect::<Value>()))
        .collect()
}

/// The same for programs.
pub(crate) fn seen_json(seen: &[Seen]) -> Value {
    let one = |seen: &Seen| {
        json!({
            "contender": seen.name,
            "updates_per_s": seen.rate,
            "p50_ns": seen.lookups.quantile(0.5),
            "p99_ns": seen.lookups.quantile(0.99),
            "p99.9_ns": seen.lookups.quantile(0.999),
            "max_ns": seen.lookups.largest(),
        })
    };
    seen.iter().map(one).collect()
}
