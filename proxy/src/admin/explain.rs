use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use proto::{EdgeProtocol, Hostname, Target};
use serde::Serialize;

use super::Admin;
use super::route::{RouteView, protocol};
use crate::edge::introduction::{self, Way};
use crate::http::judge::{self, Door};
use crate::refusal::Refusal;
use crate::routes::RouteEntry;

/// What a request would meet, and why.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// From the URL to the backend or the refusal, each a sentence.
    pub steps: Vec<String>,
    /// The stable name of the refusal; none when it would be served.
    pub refusal: Option<&'static str>,
    /// The route that has the name.
    pub route: Option<RouteView>,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    name: Hostname,
    /// None for a bare name, which is asked for as its route would have it.
    protocol: Option<EdgeProtocol>,
}

/// Explains what a client at `source` (or, without one, a client that is allowed) would meet at `url`:
/// by the same judges that judge real traffic.
pub fn explain(admin: &Admin, url: &str, source: Option<IpAddr>) -> Explanation {
    let mut steps = Vec::new();
    let asked = match parse(url) {
        Ok(asked) => asked,
        Err(fault) => {
            steps.push(format!("{url:?} cannot be asked for: {fault}."));
            return Explanation { steps, refusal: Some(Refusal::BadAuthority.label()), route: None };
        }
    };
    let table = admin.routes.table();
    match table.revision() {
        Some(revision) => {
            steps.push(format!("The table is at revision {revision} and has {} routes.", table.len()))
        }
        None => steps.push("There is no table yet: control has not been reached.".to_owned()),
    }
    let entry = table.get(asked.name.as_str());
    let judged = story(admin, &asked, entry, source, &mut steps);
    match judged {
        Ok(()) => {}
        Err(refusal) => steps.push(format!("Refused as {}: {}", refusal.label(), refusal.advice())),
    }
    let route = entry.map(|entry| RouteView::of(entry));
    Explanation { steps, refusal: judged.err().map(Refusal::label), route }
}

fn story(
    admin: &Admin,
    asked: &Asked,
    entry: Option<&Arc<RouteEntry>>,
    source: Option<IpAddr>,
    steps: &mut Vec<String>,
) -> Result<(), Refusal> {
    steps.push(found(&asked.name, entry));
    let asked_over = asked.protocol.or(entry.and_then(|entry| spoken(entry))).unwrap_or(EdgeProtocol::Https);
    steps.push(format!("It is asked for over {}.", protocol(asked_over)));
    let source = from(entry, source, steps);
    let redirect = admin.redirect_to_https;
    let name = asked.name.as_str();
    let route = entry.map(Arc::as_ref);
    if asked_over == EdgeProtocol::Http {
        judge::judge(&Door::Plain, name, route, source, redirect)?;
    } else {
        match introduction::judge(entry, source, || admin.certificates.choose(name))? {
            Way::PassThrough(_) => steps.push("Its TLS connection is passed through unopened.".to_owned()),
            Way::Terminate(_) if asked_over == EdgeProtocol::SecureTcp => {
                steps.push("It speaks HTTPS: TLS ends here, and only HTTP requests are served.".to_owned());
            }
            Way::Terminate(certificate) => {
                let file = certificate.file().display();
                steps.push(format!("TLS ends here; the certificate in {file} covers the name."));
                let door = Door::Tls { server_name: name.into(), certificate };
                judge::judge(&door, name, route, source, redirect)?;
            }
        }
    }
    entry.map_or(Err(Refusal::NoRoute), |entry| backends(admin, entry, steps))
}

fn found(name: &Hostname, entry: Option<&Arc<RouteEntry>>) -> String {
    let Some(entry) = entry else { return format!("No route is called {name}.") };
    let project = &entry.route.project;
    match &entry.route.target {
        Target::Unbound { last: None } => {
            format!("{name} is a static route of project {project} that was never bound.")
        }
        Target::Unbound { last: Some(last) } => {
            format!(
                "{name} is a static route of project {project}, bound to nothing now; it spoke {} last.",
                protocol(*last)
            )
        }
        Target::Bound(binding) => format!(
            "{name} is a route of project {project}, bound to endpoint {} ({}) of deployment {}.",
            binding.endpoint,
            protocol(binding.protocol),
            binding.deployment
        ),
    }
}

fn spoken(entry: &RouteEntry) -> Option<EdgeProtocol> {
    match &entry.route.target {
        Target::Unbound { last } => *last,
        Target::Bound(binding) => Some(binding.protocol),
    }
}

/// The source to judge by, where none was given one that is allowed.
fn from(entry: Option<&Arc<RouteEntry>>, source: Option<IpAddr>, steps: &mut Vec<String>) -> IpAddr {
    let ranges = entry.map(|entry| entry.route.sources.as_slice()).unwrap_or_default();
    if !ranges.is_empty() {
        let list: Vec<_> = ranges.iter().map(ToString::to_string).collect();
        let asker = source
            .map_or("the client is taken to be one of them".to_owned(), |ip| format!("the client is {ip}"));
        steps.push(format!("Only these sources are served: {}; {asker}.", list.join(", ")));
    }
    source.or(ranges.first().map(|range| range.addr())).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

fn backends(admin: &Admin, entry: &RouteEntry, steps: &mut Vec<String>) -> Result<(), Refusal> {
    let known = entry.binding().map_or(0, |binding| binding.backends.len());
    steps.push(format!("{} of its {known} backends are healthy.", entry.backends.len()));
    if entry.backends.is_empty() {
        return Err(Refusal::NoBackend);
    }
    let mut permitted = 0;
    for upstream in &entry.backends {
        let (address, in_flight, failed) =
            (upstream.address(), upstream.in_flight(), upstream.failed_dials());
        match admin.networks.permit(address) {
            Ok(()) => {
                permitted += 1;
                steps.push(format!("{address} may be chosen; {in_flight} in flight, {failed} failed dials."));
            }
            Err(forbidden) => steps.push(format!("{address} is not dialled: {forbidden}.")),
        }
    }
    if permitted == 0 { Err(Refusal::BackendForbidden) } else { Ok(()) }
}

fn parse(url: &str) -> Result<Asked, String> {
    let (scheme, rest) = url.split_once("://").map_or((None, url), |(scheme, rest)| (Some(scheme), rest));
    let protocol = match scheme.map(str::to_ascii_lowercase).as_deref() {
        None => None,
        Some("http" | "ws") => Some(EdgeProtocol::Http),
        Some("https" | "wss") => Some(EdgeProtocol::Https),
        Some("tls") => Some(EdgeProtocol::SecureTcp),
        Some(other) => return Err(format!("the scheme {other} is none of http, ws, https, wss, tls")),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.split_once(':') {
        None => authority,
        Some((host, port)) => match port.parse::<u16>() {
            Ok(1..) => host,
            Ok(0) | Err(_) => return Err(format!("{port} is no port")),
        },
    };
    let name = Hostname::parse(host).map_err(|error| format!("{host:?} is no host name: {error}"))?;
    Ok(Asked { name, protocol })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_people_write_them() {
        let name: Hostname = "a.x".parse().unwrap();
        for (url, protocol) in [
            ("a.x", None),
            ("A.x:8443/path", None),
            ("http://a.x", Some(EdgeProtocol::Http)),
            ("WSS://a.x.?q", Some(EdgeProtocol::Https)),
            ("https://a.x:443/p?q#f", Some(EdgeProtocol::Https)),
            ("tls://a.x", Some(EdgeProtocol::SecureTcp)),
        ] {
            assert_eq!(parse(url), Ok(Asked { name: name.clone(), protocol }), "{url}");
        }
        for url in
            ["", "ftp://a.x", "https://", "https://user@a.x", "a.x:0", "a.x:99999", "https://127.0.0.1"]
        {
            assert!(parse(url).is_err(), "{url}");
        }
    }
}
