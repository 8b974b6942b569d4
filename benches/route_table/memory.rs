use std::collections::BTreeMap;
use std::env;
use std::hint::black_box;
use std::io;
use std::process::Command;
use std::sync::Arc;

use benches::{hosts, memory};
use proto::Route;
use proxy::routes::Routes;

use crate::contenders::{Keyed, SEED, map};

/// What is held in memory while it is weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Held {
    /// The routes as parsed, each behind a pointer, in no table.
    Objects,
    /// The same in hashbrown's map, names twice.
    Map,
    /// The same in hashbrown's table, names inside the routes.
    Keyed,
    /// Our table.
    Routes,
}

impl Held {
    const ALL: [Self; 4] = [Self::Objects, Self::Map, Self::Keyed, Self::Routes];

    fn label(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Map => "map",
            Self::Keyed => "keyed",
            Self::Routes => "routes",
        }
    }
}

/// Bytes a route, each weighed in a process of its own: what one frees would be given to the next.
pub(crate) fn measure(size: usize) -> io::Result<BTreeMap<Held, f64>> {
    let weigh = |held: Held| {
        let arguments = ["--weigh", held.label(), "--size", &size.to_string()];
        let output = Command::new(env::current_exe()?).args(arguments).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let bytes: f64 =
            text.trim().parse().map_err(|_| io::Error::other(format!("weighing {held:?} failed")))?;
        Ok((held, bytes / size as f64))
    };
    Held::ALL.into_iter().map(weigh).collect()
}

/// Holds it, and tells by how many bytes this process has grown.
pub(crate) fn weigh(held: Held, size: usize) -> io::Result<u64> {
    let before = memory::resident()?;
    let objects =
        || -> Vec<Arc<Route>> { (0..size).filter_map(|at| hosts::route(at, 0)).map(Arc::new).collect() };
    let after = match held {
        Held::Objects => weighed(objects())?,
        Held::Map => weighed(map(&objects()))?,
        Held::Keyed => weighed(Keyed::new(&objects()))?,
        Held::Routes => {
            let routes = Routes::with_seed(SEED);
            let applied = routes.apply(hosts::snapshot(hosts::routes(size), 1));
            applied.map_err(io::Error::other)?;
            weighed(routes)?
        }
    };
    Ok(after - before)
}

fn weighed<T>(held: T) -> io::Result<u64> {
    let resident = memory::resident();
    black_box(held);
    resident
}
