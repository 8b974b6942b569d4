use std::net::SocketAddr;

use proto::{BackendProtocol, Binding, EdgeProtocol, Hostname, Target};
use serde::Serialize;

use crate::routes::{RouteEntry, Table, Totals};

/// A route as people are shown it.
#[derive(Debug, Serialize)]
pub struct RouteView {
    hostname: String,
    project: String,
    #[serde(flatten)]
    target: TargetView,
    source_ranges: Vec<String>,
    counted: Totals,
}

#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum TargetView {
    Unbound {
        last_protocol: Option<&'static str>,
    },
    Bound {
        deployment: String,
        endpoint: String,
        protocol: &'static str,
        backend_protocol: &'static str,
        backends: Vec<BackendView>,
    },
}

#[derive(Debug, Serialize)]
struct BackendView {
    address: SocketAddr,
    healthy: bool,
    in_flight: u64,
    failed_dials: u64,
}

/// Some routes, and where to go on.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    revision: Option<String>,
    total: usize,
    routes: Vec<RouteView>,
    /// Ask for the routes after this name; none after the last page.
    next: Option<String>,
}

const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1000;

/// The routes after a name. The error names the field that is wrong.
pub(super) fn page(table: &Table, after: Option<&str>, limit: Option<&str>) -> Result<Page, String> {
    let after = after.map(Hostname::parse).transpose().map_err(|error| format!("after: {error}"))?;
    let limit = match limit.map(str::parse).transpose() {
        Ok(limit) => limit.unwrap_or(LIMIT),
        Err(error) => return Err(format!("limit: {error}")),
    };
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(format!("limit: must be between 1 and {LIMIT_MAX}"));
    }
    let mut entries = table.page(after.as_ref(), limit + 1);
    let more = entries.len() > limit;
    entries.truncate(limit);
    Ok(Page {
        revision: table.revision().map(|revision| revision.to_string()),
        total: table.len(),
        next: entries.last().filter(|_| more).map(|entry| entry.route.hostname.to_string()),
        routes: entries.iter().map(|entry| RouteView::of(entry)).collect(),
    })
}

impl RouteView {
    pub(super) fn of(entry: &RouteEntry) -> Self {
        let route = &entry.route;
        Self {
            hostname: route.hostname.to_string(),
            project: route.project.to_string(),
            target: match &route.target {
                Target::Unbound { last } => TargetView::Unbound { last_protocol: last.map(protocol) },
                Target::Bound(binding) => bound(binding, entry),
            },
            source_ranges: route.sources.as_slice().iter().map(ToString::to_string).collect(),
            counted: entry.totals(),
        }
    }
}

fn bound(binding: &Binding, entry: &RouteEntry) -> TargetView {
    let backends = binding.backends.iter().map(|backend| {
        let upstream = entry.backends.iter().find(|upstream| upstream.address() == backend.address);
        BackendView {
            address: backend.address.get(),
            healthy: backend.healthy,
            in_flight: upstream.map_or(0, |upstream| upstream.in_flight()),
            failed_dials: upstream.map_or(0, |upstream| upstream.failed_dials()),
        }
    });
    TargetView::Bound {
        deployment: binding.deployment.to_string(),
        endpoint: binding.endpoint.to_string(),
        protocol: protocol(binding.protocol),
        backend_protocol: match binding.backend_protocol {
            BackendProtocol::Http1 => "http1",
            BackendProtocol::H2c => "h2c",
        },
        backends: backends.collect(),
    }
}

pub(super) fn protocol(protocol: EdgeProtocol) -> &'static str {
    match protocol {
        EdgeProtocol::Http => "http",
        EdgeProtocol::Https => "https",
        EdgeProtocol::SecureTcp => "secure_tcp",
    }
}
