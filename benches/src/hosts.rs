//! Host names and routes like real ones, the same on every run.
//!
//! A deployment has one random route (44 bytes) and three static ones (16 to 27), all of which lead to
//! its one backend: 27 bytes a name in the mean.

use proto::{
    Backend, BackendAddr, BackendProtocol, Binding, DeploymentId, EdgeProtocol, EndpointName, Epoch,
    Hostname, ProjectId, Revision, Route, RouteUpdate, SourceRanges, Target,
};

use crate::Random;

/// Names of one deployment.
const PER_DEPLOYMENT: usize = 4;

const FIRST: [&str; 16] = [
    "amber", "api", "blue", "cart", "field", "fleet", "green", "grid", "home", "lab", "line", "nav", "pick",
    "shop", "site", "view",
];
const SECOND: [&str; 16] = [
    "agv", "arm", "bay", "cam", "dash", "dock", "feed", "hub", "lift", "map", "ops", "plan", "ros", "scan",
    "sim", "yard",
];

/// The `index`th name. Names of different indices differ; `kind` 0 is what tables hold, others are
/// names of the same make that stand in none of them.
pub fn name(index: usize, kind: u64) -> Option<Hostname> {
    let mut random = Random::new((index as u64) ^ (kind << 48));
    let text = if index.is_multiple_of(PER_DEPLOYMENT) {
        let mut letters = |count| -> String {
            (0..count)
                .map(|_| char::from(b'a' + u8::try_from(random.below(26)).unwrap_or_default()))
                .collect()
        };
        format!("inst-{}-{}.ep-r.io", letters(24), letters(6))
    } else {
        let mut pick = |words: [&'static str; 16]| words.get(random.below(16)).copied().unwrap_or_default();
        let (first, second) = (pick(FIRST), pick(SECOND));
        let miss = if kind == 0 { "" } else { "x" };
        format!("{first}-{second}-{index}{miss}.ep-r.io")
    };
    Hostname::parse_ascii(text.as_bytes()).ok()
}

/// The first `count` routes, every text of them its own, as they come from the wire.
pub fn routes(count: usize) -> Vec<Route> {
    (0..count).filter_map(|index| route(index, 0)).collect()
}

/// The `index`th route, leading to the backend it has after `moves` moves.
pub fn route(index: usize, moves: usize) -> Option<Route> {
    let deployment = index / PER_DEPLOYMENT;
    let [.., a, b, c] = (deployment as u64).to_be_bytes();
    let address = (std::net::Ipv4Addr::new(10, a, b, c), 8080 + u16::try_from(moves % 50_000).ok()?);
    let backend =
        Backend { address: BackendAddr::try_from(std::net::SocketAddr::from(address)).ok()?, healthy: true };
    Some(Route {
        hostname: name(index, 0)?,
        project: ProjectId::parse(&format!("project-{:020}", deployment % 1000))?,
        target: Target::Bound(Binding {
            deployment: DeploymentId::parse(&format!("dep-{deployment:020}"))?,
            endpoint: EndpointName::parse("WEB")?,
            protocol: EdgeProtocol::Https,
            backend_protocol: BackendProtocol::Http1,
            backends: [backend].into(),
        }),
        sources: SourceRanges::everyone(),
    })
}

/// Revision `number` of the one epoch these tables live in.
pub fn revision(number: u64) -> Revision {
    Revision::new(Epoch(1), number)
}

/// A whole table, as revision `number`.
pub fn snapshot(routes: Vec<Route>, number: u64) -> RouteUpdate {
    RouteUpdate { revision: revision(number), base: None, upserts: routes, removals: Vec::new() }
}

/// What moves these routes, as the revision after `base`.
pub fn delta(base: u64, moved: Vec<Route>) -> RouteUpdate {
    RouteUpdate {
        revision: revision(base + 1),
        base: Some(revision(base)),
        upserts: moved,
        removals: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_differ_and_have_the_length_promised() {
        let names: HashSet<_> =
            (0..20_000).flat_map(|index| [name(index, 0).unwrap(), name(index, 1).unwrap()]).collect();
        assert_eq!(names.len(), 40_000);
        let bytes: usize = (500_000..504_000).map(|index| name(index, 0).unwrap().as_str().len()).sum();
        assert!((26..29).contains(&(bytes / 4000)), "{bytes}");
    }

    #[test]
    fn routes_repeat_and_a_move_changes_the_backend() {
        assert_eq!(routes(9), routes(9));
        assert_eq!(routes(9).len(), 9);
        assert_ne!(route(5, 0), route(5, 1));
    }
}
