//! What the executables of a deployment see, and the addresses of its endpoints.

use std::collections::HashSet;

use proto::Hostname;

use super::deployment::{DeployedEndpoint, Deployment, EnvVar};
use super::label::Label;
use super::name::{EndpointName, VariableName};
use super::package::{EndpointKind, Transport};
use super::port::PublicPorts;

/// The variables an endpoint `X` is told by: `X`, `X_HOST`, `X_PORT`.
pub fn variables_of(endpoint: &EndpointName) -> [String; 3] {
    [endpoint.to_string(), format!("{endpoint}_HOST"), format!("{endpoint}_PORT")]
}

/// Everything the executables of `deployment` see: its endpoints' variables and those of its parents, then
/// its parameters, what else it was given, and what its parents expose.
///
/// Only parents are in it, not what those depend on in turn. What a deployment has of its own goes before
/// what a parent came to bring later, and so do parents that are named earlier.
pub fn environment(
    deployment: &Deployment,
    parents: &[&Deployment],
    domain: &Hostname,
    ports: PublicPorts,
) -> Vec<EnvVar> {
    let addresses = |of: &Deployment| -> Vec<EnvVar> {
        of.endpoints.iter().flat_map(|endpoint| endpoint_variables(of, endpoint, domain, ports)).collect()
    };
    let mut own: Vec<EnvVar> = deployment.parameters.clone();
    for further in &deployment.env_args {
        if !deployment.parameters.iter().any(|parameter| parameter.name == further.name) {
            own.push(further.clone());
        }
    }
    let live: Vec<&Deployment> = parents.iter().copied().filter(|parent| parent.is_live()).collect();
    let mut environment = addresses(deployment);
    let mut seen: HashSet<VariableName> =
        environment.iter().chain(&own).map(|variable| variable.name.clone()).collect();
    let mut brought = |variables: Vec<EnvVar>| -> Vec<EnvVar> {
        variables.into_iter().filter(|variable| seen.insert(variable.name.clone())).collect()
    };
    for parent in &live {
        environment.extend(brought(addresses(parent)));
    }
    environment.extend(own);
    for parent in &live {
        let exposed =
            exposed_by(parent).map(|(name, variable)| EnvVar::plain(name.clone(), &*variable.value));
        environment.extend(brought(exposed.collect()));
    }
    environment
}

/// What `deployment` exposes to those that depend on it: the name they see, and the variable.
pub fn exposed_by(deployment: &Deployment) -> impl Iterator<Item = (&VariableName, &EnvVar)> {
    let further = deployment
        .env_args
        .iter()
        .filter(|given| !deployment.parameters.iter().any(|parameter| parameter.name == given.name));
    let variables = deployment.parameters.iter().chain(further);
    variables.filter_map(|variable| Some((variable.exposed_as.as_ref()?, variable)))
}

/// The label `endpoint` is best known by: the static route that has led here longest, else the random one.
pub fn best_label(deployment: &Deployment, endpoint: &DeployedEndpoint) -> Option<Label> {
    let bound = deployment.static_routes.iter().find(|binding| binding.endpoint == endpoint.name);
    bound
        .map(|binding| binding.label.as_label())
        .or_else(|| endpoint.random.as_ref().map(|random| random.as_label()))
}

fn endpoint_variables(
    deployment: &Deployment,
    endpoint: &DeployedEndpoint,
    domain: &Hostname,
    ports: PublicPorts,
) -> Vec<EnvVar> {
    let Some((scheme, host, port, shown)) = address(deployment, endpoint, domain, ports) else {
        return Vec::new();
    };
    let values = [format!("{scheme}://{host}:{port}"), host, shown];
    let named = variables_of(&endpoint.name).into_iter().zip(values);
    named.filter_map(|(name, value)| Some(EnvVar::plain(VariableName::parse(&name).ok()?, value))).collect()
}

/// Scheme, host, port, and the port as `X_PORT` shows it: a range is shown whole, and its URL has the
/// first of its ports. None for external endpoints of stopped deployments, which have no address.
fn address(
    deployment: &Deployment,
    endpoint: &DeployedEndpoint,
    domain: &Hostname,
    ports: PublicPorts,
) -> Option<(&'static str, String, u16, String)> {
    let scheme = |transport: &Transport| match transport {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    };
    match &endpoint.kind {
        EndpointKind::External { protocol, .. } => {
            let host = best_label(deployment, endpoint)?.under(domain)?;
            let port = ports.of(*protocol);
            Some((protocol.scheme(), host.to_string(), port, port.to_string()))
        }
        EndpointKind::Internal { transport, port, .. } => {
            let host = internal_host(deployment, endpoint);
            Some((scheme(transport), host, port.get(), port.to_string()))
        }
        EndpointKind::InternalRange { transport, ports } => {
            let host = internal_host(deployment, endpoint);
            Some((scheme(transport), host, ports.first().get(), ports.to_string()))
        }
    }
}

/// The name of a component's node among deployments: `COMPONENT.GUID.internal`, which its runtime makes
/// resolvable. Components are what one network node is.
fn internal_host(deployment: &Deployment, endpoint: &DeployedEndpoint) -> String {
    let component = endpoint.component.as_str().to_ascii_lowercase();
    format!("{component}.{}.internal", deployment.guid)
}

#[cfg(test)]
mod tests {
    use super::super::StaticRouteLabel;
    use super::super::deployment::StaticRouteBinding;
    use super::super::samples;
    use super::*;

    fn shown(deployment: &Deployment, ports: PublicPorts) -> Vec<String> {
        let domain = Hostname::parse("ep-r.io").unwrap();
        let environment = environment(deployment, &[], &domain, ports);
        environment.iter().map(|var| format!("{}={}", var.name, var.value)).collect()
    }

    #[test]
    fn each_kind_of_endpoint_has_its_three_variables() {
        let deployment = samples::every_endpoint();
        let random = |i: usize| deployment.endpoints[i].random.as_ref().unwrap().to_string();
        let guid = &deployment.guid;
        let lines = [
            format!("WEB=http://{}.ep-r.io:80", random(0)),
            format!("WEB_HOST={}.ep-r.io", random(0)),
            "WEB_PORT=80".to_owned(),
            format!("SECURE=https://{}.ep-r.io:443", random(1)),
            format!("SECURE_HOST={}.ep-r.io", random(1)),
            "SECURE_PORT=443".to_owned(),
            format!("RAW=tls://{}.ep-r.io:443", random(2)),
            format!("RAW_HOST={}.ep-r.io", random(2)),
            "RAW_PORT=443".to_owned(),
            format!("DB=tcp://main_part.{guid}.internal:5432"),
            format!("DB_HOST=main_part.{guid}.internal"),
            "DB_PORT=5432".to_owned(),
            format!("MEDIA=udp://main_part.{guid}.internal:3500"),
            format!("MEDIA_HOST=main_part.{guid}.internal"),
            "MEDIA_PORT=3500,4000-4002".to_owned(),
            "LEVEL=debug".to_owned(),
            "EXTRA=1".to_owned(),
        ];
        assert_eq!(shown(&deployment, PublicPorts::default()), lines);
    }

    #[test]
    fn the_static_host_wins_and_public_ports_are_told() {
        let mut deployment = samples::every_endpoint();
        for label in ["first-shop", "second-shop"] {
            let label = StaticRouteLabel::parse(label).unwrap();
            let endpoint = EndpointName::parse("SECURE").unwrap();
            deployment.static_routes.push(StaticRouteBinding { label, endpoint });
        }
        let lines = shown(&deployment, PublicPorts { http: 8080, https: 8443 });
        assert!(lines.contains(&"SECURE=https://first-shop.ep-r.io:8443".to_owned()));
        assert!(lines.contains(&"WEB_PORT=8080".to_owned()) && lines.contains(&"RAW_PORT=8443".to_owned()));
    }
}
