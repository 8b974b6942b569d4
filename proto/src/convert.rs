//! From what travels to what is meant, all faults of a message at once, and back.

use std::fmt;

use crate::wire;
use crate::{
    Backend, BackendProtocol, Binding, DeploymentId, EdgeProtocol, EndpointName, Epoch, Hostname, ProjectId,
    Revision, Route, RouteUpdate, SourceRanges, Target,
};

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// Path of the field, like `upserts[3].binding.backends[0].address`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// Every field of a message that is wrong; never empty when returned as an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldFaults(pub Vec<FieldFault>);

impl FieldFaults {
    fn add(&mut self, field: impl Into<String>, message: impl fmt::Display) {
        self.0.push(FieldFault { field: field.into(), message: message.to_string() });
    }

    /// Notes the fault of `result` under `field`, or hands on its value.
    fn take<T, E: fmt::Display>(&mut self, field: impl Into<String>, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(field, error)).ok()
    }
}

impl fmt::Display for FieldFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", fault.field, fault.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for FieldFaults {}

impl From<Revision> for wire::Revision {
    fn from(revision: Revision) -> Self {
        Self { epoch: revision.epoch.0, number: revision.number }
    }
}

impl From<wire::Revision> for Revision {
    fn from(revision: wire::Revision) -> Self {
        Self::new(Epoch(revision.epoch), revision.number)
    }
}

impl From<EdgeProtocol> for wire::EdgeProtocol {
    fn from(protocol: EdgeProtocol) -> Self {
        match protocol {
            EdgeProtocol::Http => Self::Http,
            EdgeProtocol::Https => Self::Https,
            EdgeProtocol::SecureTcp => Self::SecureTcp,
        }
    }
}

/// None for the unspecified protocol.
fn edge_protocol(wire: i32) -> Result<Option<EdgeProtocol>, &'static str> {
    match wire::EdgeProtocol::try_from(wire) {
        Ok(wire::EdgeProtocol::Unspecified) => Ok(None),
        Ok(wire::EdgeProtocol::Http) => Ok(Some(EdgeProtocol::Http)),
        Ok(wire::EdgeProtocol::Https) => Ok(Some(EdgeProtocol::Https)),
        Ok(wire::EdgeProtocol::SecureTcp) => Ok(Some(EdgeProtocol::SecureTcp)),
        Err(_) => Err("unknown protocol; this side is older than the other"),
    }
}

impl From<BackendProtocol> for wire::BackendProtocol {
    fn from(protocol: BackendProtocol) -> Self {
        match protocol {
            BackendProtocol::Http1 => Self::Http1,
            BackendProtocol::H2c => Self::H2c,
        }
    }
}

fn backend_protocol(wire: i32) -> Result<BackendProtocol, &'static str> {
    match wire::BackendProtocol::try_from(wire) {
        Ok(wire::BackendProtocol::Unspecified | wire::BackendProtocol::Http1) => Ok(BackendProtocol::Http1),
        Ok(wire::BackendProtocol::H2c) => Ok(BackendProtocol::H2c),
        Err(_) => Err("unknown backend protocol; this side is older than the other"),
    }
}

impl From<&Route> for wire::Route {
    fn from(route: &Route) -> Self {
        let target = match &route.target {
            Target::Unbound { last } => {
                let last = last.map_or(wire::EdgeProtocol::Unspecified, wire::EdgeProtocol::from);
                wire::route::Target::Unbound(wire::Unbound { last_protocol: last.into() })
            }
            Target::Bound(binding) => wire::route::Target::Binding(binding.into()),
        };
        Self {
            hostname: route.hostname.to_string(),
            project: route.project.to_string(),
            target: Some(target),
            source_ranges: route.sources.as_slice().iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<&Binding> for wire::Binding {
    fn from(binding: &Binding) -> Self {
        Self {
            deployment: binding.deployment.to_string(),
            endpoint: binding.endpoint.to_string(),
            protocol: wire::EdgeProtocol::from(binding.protocol).into(),
            backend_protocol: wire::BackendProtocol::from(binding.backend_protocol).into(),
            backends: binding.backends.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Backend> for wire::Backend {
    fn from(backend: &Backend) -> Self {
        Self { address: backend.address.to_string(), unhealthy: !backend.healthy }
    }
}

impl TryFrom<wire::Backend> for Backend {
    type Error = FieldFaults;

    fn try_from(wire: wire::Backend) -> Result<Self, Self::Error> {
        let mut faults = FieldFaults::default();
        let address = faults.take("address", wire.address.parse());
        address.map(|address| Self { address, healthy: !wire.unhealthy }).ok_or(faults)
    }
}

impl TryFrom<wire::Route> for Route {
    type Error = FieldFaults;

    fn try_from(wire: wire::Route) -> Result<Self, Self::Error> {
        let mut faults = FieldFaults::default();
        let route = read_route(wire, "", &mut faults);
        route.filter(|_| faults.0.is_empty()).ok_or(faults)
    }
}

impl TryFrom<wire::Delta> for RouteUpdate {
    type Error = FieldFaults;

    fn try_from(wire: wire::Delta) -> Result<Self, Self::Error> {
        let mut faults = FieldFaults::default();
        let base = faults.take("base", wire.base.ok_or("missing")).map(Revision::from);
        let revision = faults.take("revision", wire.revision.ok_or("missing")).map(Revision::from);
        let mut upserts = Vec::with_capacity(wire.upserts.len());
        for (i, route) in wire.upserts.into_iter().enumerate() {
            upserts.extend(read_route(route, &format!("upserts[{i}]."), &mut faults));
        }
        let mut removals = Vec::with_capacity(wire.removals.len());
        for (i, name) in wire.removals.iter().enumerate() {
            removals.extend(faults.take(format!("removals[{i}]"), Hostname::parse_ascii(name.as_bytes())));
        }
        match revision {
            Some(revision) if faults.0.is_empty() => Ok(Self { revision, base, upserts, removals }),
            _ => Err(faults),
        }
    }
}

impl From<&RouteUpdate> for wire::Delta {
    /// The base of a whole table travels as unset; [`wire::Delta`] is for revisions that have one.
    fn from(update: &RouteUpdate) -> Self {
        Self {
            base: update.base.map(Into::into),
            revision: Some(update.revision.into()),
            upserts: update.upserts.iter().map(Into::into).collect(),
            removals: update.removals.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Reads a route, noting every fault under `at` (a prefix that ends in a dot, or empty). The result
/// is of use only when no fault was noted.
fn read_route(wire: wire::Route, at: &str, faults: &mut FieldFaults) -> Option<Route> {
    let hostname = faults.take(format!("{at}hostname"), Hostname::parse_ascii(wire.hostname.as_bytes()));
    let project = faults.take(format!("{at}project"), ProjectId::parse(&wire.project).ok_or(NOT_AN_ID));
    let target = match wire.target {
        Some(wire::route::Target::Unbound(unbound)) => faults
            .take(format!("{at}unbound.last_protocol"), edge_protocol(unbound.last_protocol))
            .map(|last| Target::Unbound { last }),
        Some(wire::route::Target::Binding(binding)) => {
            read_binding(binding, &format!("{at}binding."), faults).map(Target::Bound)
        }
        None => faults.take(format!("{at}target"), Err("missing; this side may be older than the other")),
    };
    let mut sources = Vec::with_capacity(wire.source_ranges.len());
    for (i, text) in wire.source_ranges.iter().enumerate() {
        sources.extend(faults.take(format!("{at}source_ranges[{i}]"), SourceRanges::parse_one(text)));
    }
    // A fault in a source range leaves the list shorter, hence the caller's check of `faults`: a route
    // must never become more open than it was meant.
    Some(Route {
        hostname: hostname?,
        project: project?,
        target: target?,
        sources: sources.into_iter().collect(),
    })
}

const NOT_AN_ID: &str = "must be 1 to 128 printable ASCII characters without spaces, quotes and backslashes";

fn read_binding(wire: wire::Binding, at: &str, faults: &mut FieldFaults) -> Option<Binding> {
    let deployment =
        faults.take(format!("{at}deployment"), DeploymentId::parse(&wire.deployment).ok_or(NOT_AN_ID));
    let endpoint = faults.take(format!("{at}endpoint"), EndpointName::parse(&wire.endpoint).ok_or(NOT_AN_ID));
    let protocol =
        faults.take(format!("{at}protocol"), edge_protocol(wire.protocol).and_then(|p| p.ok_or("missing")));
    let backend_protocol =
        faults.take(format!("{at}backend_protocol"), backend_protocol(wire.backend_protocol));
    let mut backends = Vec::with_capacity(wire.backends.len());
    for (i, backend) in wire.backends.into_iter().enumerate() {
        let address = faults.take(format!("{at}backends[{i}].address"), backend.address.parse());
        backends.extend(address.map(|address| Backend { address, healthy: !backend.unhealthy }));
    }
    backends.sort_unstable_by_key(|backend| backend.address);
    backends.dedup_by_key(|backend| backend.address);
    Some(Binding {
        deployment: deployment?,
        endpoint: endpoint?,
        protocol: protocol?,
        backend_protocol: backend_protocol?,
        backends: backends.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound() -> Route {
        Route {
            hostname: Hostname::parse("shop.ep-r.io").unwrap(),
            project: ProjectId::parse("project-a").unwrap(),
            target: Target::Bound(Binding {
                deployment: DeploymentId::parse("dep-a").unwrap(),
                endpoint: EndpointName::parse("WEB").unwrap(),
                protocol: EdgeProtocol::Https,
                backend_protocol: BackendProtocol::H2c,
                backends: vec![Backend { address: "10.0.0.7:80".parse().unwrap(), healthy: false }].into(),
            }),
            sources: [SourceRanges::parse_one("10.0.0.0/8").unwrap()].into_iter().collect(),
        }
    }

    #[test]
    fn there_and_back_is_the_same() {
        let unbound = Route { target: Target::Unbound { last: Some(EdgeProtocol::SecureTcp) }, ..bound() };
        let update = RouteUpdate {
            revision: Revision::new(Epoch(7), 2),
            base: Some(Revision::new(Epoch(7), 1)),
            upserts: vec![bound(), unbound],
            removals: vec![Hostname::parse("gone.ep-r.io").unwrap()],
        };
        assert_eq!(RouteUpdate::try_from(wire::Delta::from(&update)), Ok(update));
    }

    #[test]
    fn every_fault_is_named() {
        let mut route = wire::Route::from(&bound());
        route.hostname = "a..b".into();
        route.source_ranges = vec!["10.0.0.0/8".into(), "nonsense".into()];
        if let Some(wire::route::Target::Binding(binding)) = &mut route.target {
            binding.backends[0].address = "10.0.0.7".into();
            binding.protocol = 99;
        }
        let delta = wire::Delta { upserts: vec![route], removals: vec![String::new()], ..Default::default() };
        let faults = RouteUpdate::try_from(delta).unwrap_err();
        let fields: Vec<_> = faults.0.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "base",
                "revision",
                "upserts[0].hostname",
                "upserts[0].binding.protocol",
                "upserts[0].binding.backends[0].address",
                "upserts[0].source_ranges[1]",
                "removals[0]",
            ]
        );
    }

    #[test]
    fn a_route_with_one_bad_range_is_refused_not_opened() {
        let mut route = wire::Route::from(&bound());
        route.source_ranges = vec!["nonsense".into()];
        assert!(Route::try_from(route).is_err());
    }
}
