//! What a request to a URL would meet at the edge, step by step.
//!
//! Mirrors what proxies do by the same table; the names of refusals are theirs.

use proto::{Binding, EdgeProtocol, Hostname, Route, Target};

use super::Broken;
use super::port::PublicPorts;

/// What a request would meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// From the URL to the backend or the refusal, in order, each a sentence.
    pub steps: Vec<String>,
    /// What has this name.
    pub route: Option<Route>,
    /// The stable name of the refusal; none when it would be served.
    pub refusal: Option<&'static str>,
}

/// Which port of the edge a request comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// Requests in the clear, by Host.
    Plain,
    /// TLS, by SNI.
    Tls,
}

impl Door {
    fn port(self, ports: PublicPorts) -> u16 {
        match self {
            Self::Plain => ports.http,
            Self::Tls => ports.https,
        }
    }
}

/// A URL, as far as it matters here.
struct Asked {
    host: Hostname,
    port: Option<u16>,
    /// None for a bare host name: any port is meant.
    door: Option<Door>,
}

/// Explains `url` (a URL, or a bare host name) by the routes `look_up` finds, for an edge that serves
/// names under `domains`.
pub fn explain(
    url: &str,
    domains: &[Hostname],
    ports: PublicPorts,
    look_up: impl Fn(&Hostname) -> Option<Route>,
) -> Result<Explanation, Broken> {
    let asked = parse(url)?;
    let mut steps = vec![arrival(&asked, ports)];
    if let Some(step) = wrong_port(&asked, ports) {
        steps.push(step);
    }
    let Some(route) = look_up(&asked.host) else {
        return Ok(unrouted(&asked, domains, steps));
    };
    let refusal = judge(&asked, &route, ports, &mut steps);
    Ok(Explanation { steps, route: Some(route), refusal })
}

fn parse(url: &str) -> Result<Asked, Broken> {
    let broken = |message: String| Broken::new("url", message);
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
        None => (None, url),
    };
    let door = match scheme.as_deref() {
        Some("http" | "ws") => Some(Door::Plain),
        Some("https" | "wss" | "tls") => Some(Door::Tls),
        Some(other) => {
            let message =
                format!("{other:?} is no scheme served at the edge; there are http, ws, https, wss and tls");
            return Err(broken(message));
        }
        None => None,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(broken("a URL with a user name is refused at the edge; leave it out".to_owned()));
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => {
            let number = port.parse::<u16>().ok().filter(|number| *number != 0);
            (host, Some(number.ok_or_else(|| broken(format!("{port:?} is no port; ports are 1 to 65535")))?))
        }
        None => (authority, None),
    };
    let host = Hostname::parse(host).map_err(|error| broken(format!("{host:?}: {error}")))?;
    Ok(Asked { host, port, door })
}

fn arrival(asked: &Asked, ports: PublicPorts) -> String {
    let host = &asked.host;
    match asked.door {
        Some(Door::Plain) => {
            format!("The request comes to the edge's port {} in the clear, with Host {host}.", ports.http)
        }
        Some(Door::Tls) => {
            format!(
                "The connection comes to the edge's port {} with the TLS server name {host}.",
                ports.https
            )
        }
        None => format!("{host} is looked at for every port of the edge."),
    }
}

fn wrong_port(asked: &Asked, ports: PublicPorts) -> Option<String> {
    let port = asked.port?;
    let known = match asked.door {
        Some(door) => port == door.port(ports),
        None => port == ports.http || port == ports.https,
    };
    (!known).then(|| {
        format!(
            "The URL names port {port}, where the edge is not: it serves http on {} and https and tls on {}. \
             The rest is told as if it came there.",
            ports.http, ports.https
        )
    })
}

fn unrouted(asked: &Asked, domains: &[Hostname], mut steps: Vec<String>) -> Explanation {
    let under =
        asked.host.split_first_label().is_some_and(|(_, rest)| domains.iter().any(|d| d.as_str() == rest));
    if under {
        steps.push(format!("No route has the name {}.", asked.host));
    } else {
        let domains: Vec<_> = domains.iter().map(Hostname::as_str).collect();
        steps.push(format!(
            "No route has the name {}; routes are one label under {}.",
            asked.host,
            domains.join(" or ")
        ));
    }
    steps.push(match asked.door {
        Some(Door::Plain) => "It is answered 404.".to_owned(),
        Some(Door::Tls) => {
            "The handshake ends with the alert unrecognized_name; on a connection that is open already the \
             request is answered 404, or 421 when the certificate does not cover the name."
                .to_owned()
        }
        None => "In the clear it is answered 404; over TLS the alert is unrecognized_name.".to_owned(),
    });
    Explanation { steps, route: None, refusal: Some("no_route") }
}

fn judge(asked: &Asked, route: &Route, ports: PublicPorts, steps: &mut Vec<String>) -> Option<&'static str> {
    let binding = match &route.target {
        Target::Unbound { last } => {
            steps.push(format!(
                "The static route {} exists and is not bound to a deployment now.",
                route.hostname
            ));
            steps.push(match (asked.door, last) {
                (Some(Door::Tls) | None, Some(EdgeProtocol::SecureTcp)) => {
                    "It was Secure TCP before: the handshake ends with the alert internal_error.".to_owned()
                }
                _ => "It is answered 503 with Retry-After.".to_owned(),
            });
            return Some("unbound");
        }
        Target::Bound(binding) => binding,
    };
    steps.push(format!(
        "It leads to endpoint {} of deployment {}, which speaks {}.",
        binding.endpoint,
        binding.deployment,
        speaks(binding.protocol)
    ));
    if let Some(refusal) = judge_door(asked.door, binding, ports, steps) {
        return Some(refusal);
    }
    if !route.sources.as_slice().is_empty() {
        let ranges: Vec<_> = route.sources.as_slice().iter().map(ToString::to_string).collect();
        let else_ = match binding.protocol {
            EdgeProtocol::SecureTcp => "the connection of any other is closed (source_not_allowed)",
            EdgeProtocol::Http | EdgeProtocol::Https => "any other is answered 403 (source_not_allowed)",
        };
        steps.push(format!("Only clients in {} are served; {else_}.", ranges.join(", ")));
    }
    judge_backends(binding, steps)
}

fn speaks(protocol: EdgeProtocol) -> &'static str {
    match protocol {
        EdgeProtocol::Http => "HTTP in the clear",
        EdgeProtocol::Https => "HTTPS, with TLS ended at the edge",
        EdgeProtocol::SecureTcp => "Secure TCP, passed through untouched",
    }
}

fn judge_door(
    door: Option<Door>,
    binding: &Binding,
    ports: PublicPorts,
    steps: &mut Vec<String>,
) -> Option<&'static str> {
    let (step, refusal) = match (door?, binding.protocol) {
        (Door::Plain, EdgeProtocol::Http) => return None,
        (Door::Tls, EdgeProtocol::Https | EdgeProtocol::SecureTcp) => return None,
        (Door::Plain, EdgeProtocol::Https) => (
            format!(
                "In the clear it is answered 308, to https on port {} (404 where redirects are off).",
                ports.https
            ),
            "redirect_to_https",
        ),
        (Door::Plain, EdgeProtocol::SecureTcp) => (
            "In the clear there is nothing of this name: it is answered 404.".to_owned(),
            "secure_tcp_on_plain",
        ),
        (Door::Tls, EdgeProtocol::Http) => (
            format!(
                "It is served in the clear only: the handshake ends with the alert unrecognized_name; use \
                 http on port {}.",
                ports.http
            ),
            "http_on_tls",
        ),
    };
    steps.push(step);
    Some(refusal)
}

fn judge_backends(binding: &Binding, steps: &mut Vec<String>) -> Option<&'static str> {
    let listed = |healthy: bool| {
        let addresses = binding.backends.iter().filter(|backend| backend.healthy == healthy);
        addresses.map(|backend| backend.address.to_string()).collect::<Vec<_>>()
    };
    let (healthy, unhealthy) = (listed(true), listed(false));
    if !unhealthy.is_empty() {
        steps.push(format!("Unhealthy, and not chosen: {}.", unhealthy.join(", ")));
    }
    if healthy.is_empty() {
        let answer = match binding.protocol {
            EdgeProtocol::SecureTcp => "the handshake ends with the alert internal_error",
            EdgeProtocol::Http | EdgeProtocol::Https => "it is answered 503 with Retry-After",
        };
        steps.push(format!("There is no healthy backend: {answer}."));
        return Some("no_backend");
    }
    steps.push(match healthy.as_slice() {
        [only] => format!("It is sent to {only}."),
        several => format!("It is sent to one of {}.", several.join(", ")),
    });
    None
}

#[cfg(test)]
mod tests {
    use proto::{Backend, BackendProtocol, DeploymentId, EndpointName, SourceRanges};

    use super::*;

    fn route(target: Target) -> Route {
        let project = super::super::built_in_project();
        Route { hostname: host("shop.ep-r.io"), project, target, sources: SourceRanges::everyone() }
    }

    fn bound(protocol: EdgeProtocol, backends: &[(&str, bool)]) -> Route {
        let backends = backends
            .iter()
            .map(|(text, healthy)| Backend { address: text.parse().unwrap(), healthy: *healthy });
        route(Target::Bound(Binding {
            deployment: DeploymentId::parse("dep-a").unwrap(),
            endpoint: EndpointName::parse("WEB").unwrap(),
            protocol,
            backend_protocol: BackendProtocol::Http1,
            backends: backends.collect(),
        }))
    }

    fn host(text: &str) -> Hostname {
        Hostname::parse(text).unwrap()
    }

    fn told(url: &str, route: &Route) -> Explanation {
        let found = |name: &Hostname| (*name == route.hostname).then(|| route.clone());
        explain(url, &[host("ep-r.io")], PublicPorts { http: 8080, https: 8443 }, found).unwrap()
    }

    #[test]
    fn every_door_and_protocol() {
        use EdgeProtocol::{Http, Https, SecureTcp};
        let one = &[("10.0.0.1:80", true)];
        for (url, protocol, refusal) in [
            ("http://shop.ep-r.io/x", Http, None),
            ("ws://SHOP.ep-r.io.", Http, None),
            ("http://shop.ep-r.io", Https, Some("redirect_to_https")),
            ("http://shop.ep-r.io", SecureTcp, Some("secure_tcp_on_plain")),
            ("https://shop.ep-r.io:8443?q", Https, None),
            ("https://shop.ep-r.io", Http, Some("http_on_tls")),
            ("tls://shop.ep-r.io", SecureTcp, None),
            ("shop.ep-r.io", Http, None),
            ("shop.ep-r.io", SecureTcp, None),
        ] {
            let explanation = told(url, &bound(protocol, one));
            assert_eq!(explanation.refusal, refusal, "{url} {protocol:?}: {:?}", explanation.steps);
            assert_eq!(explanation.steps.last().unwrap().contains("sent to 10.0.0.1:80"), refusal.is_none());
        }
    }

    #[test]
    fn what_is_not_served_is_told_with_its_reason() {
        let unbound = |last| route(Target::Unbound { last });
        assert_eq!(told("https://shop.ep-r.io", &unbound(None)).refusal, Some("unbound"));
        let before = told("tls://shop.ep-r.io", &unbound(Some(EdgeProtocol::SecureTcp)));
        assert!(before.steps.last().unwrap().contains("internal_error"));
        let sick = told("http://shop.ep-r.io", &bound(EdgeProtocol::Http, &[("10.0.0.1:80", false)]));
        assert_eq!(sick.refusal, Some("no_backend"));
        assert!(sick.steps.iter().any(|step| step.contains("Unhealthy, and not chosen: 10.0.0.1:80")));
        let other = told("http://other.ep-r.io", &unbound(None));
        assert_eq!((other.refusal, other.route), (Some("no_route"), None));
        assert!(told("http://a.b.ep-r.io", &unbound(None)).steps[1].contains("one label under ep-r.io"));
        let mut few = bound(EdgeProtocol::Http, &[("10.0.0.1:80", true), ("10.0.0.2:80", true)]);
        few.sources = [SourceRanges::parse_one("10.0.0.0/8").unwrap()].into_iter().collect();
        let few = told("http://shop.ep-r.io:81", &few);
        assert_eq!(few.refusal, None);
        assert!(
            few.steps[1].contains("names port 81") && few.steps[3].contains("Only clients in 10.0.0.0/8")
        );
    }

    #[test]
    fn what_is_no_url() {
        for bad in [
            "ftp://shop.ep-r.io",
            "http://user@shop.ep-r.io",
            "http://shop.ep-r.io:0",
            "http://",
            "127.0.0.1",
            "",
        ] {
            let result = explain(bad, &[host("ep-r.io")], PublicPorts::default(), |_| None);
            assert_eq!(result.unwrap_err().rule, "url", "{bad:?}");
        }
    }
}
