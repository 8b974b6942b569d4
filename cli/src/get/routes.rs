use std::collections::HashMap;
use std::time::SystemTime;

use proto::wire::{self, route::Target};
use serde_json::{Value, json};
use tonic::Status;

use super::{Shown, health, name_of, pages, protocol, sources};
use crate::client::Client;

/// A route, with the name of the deployment it leads to.
pub(super) struct NamedRoute {
    route: wire::Route,
    deployment: String,
}

pub(super) async fn fetch(client: &Client, name: Option<&str>) -> Result<Vec<NamedRoute>, Status> {
    let mut routes = pages(async |page| {
        let request = wire::ListRoutesRequest { page: Some(page), project: String::new() };
        let list = client.routes().list_routes(request).await?.into_inner();
        Ok((list.routes, list.page))
    })
    .await?;
    if let Some(name) = name {
        let is_it = |hostname: &str| hostname == name || hostname.split('.').next() == Some(name);
        routes.retain(|route| is_it(&route.hostname));
    }
    let deployments = super::deployments::fetch(client, None).await?;
    let names: HashMap<_, _> = deployments
        .iter()
        .filter_map(|deployment| deployment.metadata.as_ref())
        .map(|metadata| (metadata.guid.as_str(), name_of(Some(metadata))))
        .collect();
    let with_name = |route: wire::Route| {
        let guid = binding(&route).map(|binding| binding.deployment.as_str()).unwrap_or_default();
        NamedRoute { deployment: names.get(guid).copied().unwrap_or(guid).to_owned(), route }
    };
    Ok(routes.into_iter().map(with_name).collect())
}

fn binding(route: &wire::Route) -> Option<&wire::Binding> {
    match route.target.as_ref()? {
        Target::Binding(binding) => Some(binding),
        Target::Unbound(_) => None,
    }
}

impl Shown for NamedRoute {
    const COLUMNS: &'static [&'static str] = &["HOSTNAME", "PROTOCOL", "LEADS TO", "BACKENDS", "SOURCES"];

    fn row(&self, _: SystemTime) -> Vec<String> {
        let bound = binding(&self.route);
        vec![
            self.route.hostname.clone(),
            bound.map(|bound| protocol(bound.protocol())).unwrap_or_default().to_owned(),
            bound.map_or_else(
                || "unbound".to_owned(),
                |bound| format!("{}/{}", self.deployment, bound.endpoint),
            ),
            bound.map(|bound| health(bound.backends.iter())).unwrap_or_default(),
            sources(&self.route.source_ranges),
        ]
    }

    fn document(&self) -> Value {
        let mut document =
            json!({ "hostname": self.route.hostname, "sourceRanges": self.route.source_ranges });
        let Some(bound) = binding(&self.route) else { return document };
        let backend =
            |backend: &wire::Backend| json!({ "address": backend.address, "healthy": !backend.unhealthy });
        document["binding"] = json!({
            "deployment": self.deployment,
            "deploymentID": bound.deployment,
            "endpoint": bound.endpoint,
            "protocol": protocol(bound.protocol()),
            "backendProtocol": match bound.backend_protocol() {
                wire::BackendProtocol::H2c => "h2c",
                wire::BackendProtocol::Http1 | wire::BackendProtocol::Unspecified => "http1",
            },
            "backends": bound.backends.iter().map(backend).collect::<Vec<_>>(),
        });
        document
    }

    fn label(&self) -> String {
        format!("route/{}", self.route.hostname)
    }
}
