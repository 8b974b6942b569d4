use std::collections::HashMap;
use std::time::SystemTime;

use proto::wire::{self, route::Target};
use serde_json::{Value, json};
use tonic::Status;

use super::{Resource, Wanted, guid_of, name_of, pages};
use crate::args::Kind;
use crate::client::Client;
use crate::output::{Cell, Column, Cut};
use crate::words;

/// A route, with the name of the deployment it leads to.
pub(crate) struct NamedRoute {
    route: wire::Route,
    deployment: String,
}

impl NamedRoute {
    pub(crate) fn route(&self) -> &wire::Route {
        &self.route
    }

    /// What it leads to; nothing when its static route is not bound.
    pub(crate) fn binding(&self) -> Option<&wire::Binding> {
        binding(&self.route)
    }

    /// Name of the deployment it leads to.
    pub(crate) fn deployment(&self) -> &str {
        &self.deployment
    }
}

impl Resource for NamedRoute {
    const KIND: Kind = Kind::Routes;
    const COLUMNS: &'static [Column] = &[
        Column::new("HOSTNAME").cut(Cut::Middle),
        Column::new("PROTOCOL"),
        Column::new("LEADS TO").cut(Cut::End),
        Column::new("READY"),
        Column::new("SOURCES").cut(Cut::End),
        Column::new("BACKENDS").wide(),
    ];

    async fn list(client: &Client, _: &Wanted) -> Result<Vec<Self>, Status> {
        let routes = pages(async |page| {
            let request = wire::ListRoutesRequest { page, project: client.project() };
            let list = client.routes().list_routes(request).await?.into_inner();
            Ok((list.routes, list.page))
        })
        .await?;
        let deployments = wire::Deployment::list(client, &Wanted::default()).await?;
        let names: HashMap<_, _> = deployments
            .iter()
            .map(|deployment| deployment.metadata.as_ref())
            .map(|metadata| (guid_of(metadata), name_of(metadata)))
            .collect();
        let with_name = |route: wire::Route| {
            let guid = binding(&route).map(|binding| binding.deployment.as_str()).unwrap_or_default();
            Self { deployment: names.get(guid).copied().unwrap_or(guid).to_owned(), route }
        };
        Ok(routes.into_iter().map(with_name).collect())
    }

    async fn named(client: &Client, name: &str) -> Result<Vec<Self>, Status> {
        let mut routes = Self::list(client, &Wanted::default()).await?;
        let is_it = |hostname: &str| hostname == name || hostname.split('.').next() == Some(name);
        routes.retain(|it| is_it(&it.route.hostname));
        Ok(routes)
    }

    fn row(&self, _: SystemTime) -> Vec<Cell> {
        let bound = binding(&self.route);
        let leads_to = bound.map(|bound| format!("{}/{}", self.deployment, bound.endpoint));
        let addresses: Vec<_> =
            bound.into_iter().flat_map(|bound| &bound.backends).map(|it| it.address.as_str()).collect();
        vec![
            self.route.hostname.as_str().into(),
            bound.map(|bound| words::protocol(bound.protocol())).unwrap_or_default().into(),
            leads_to.unwrap_or_default().into(),
            bound.map_or("".into(), |bound| words::health(bound.backends.iter())),
            words::sources(&self.route.source_ranges).into(),
            addresses.join(", ").into(),
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
            "protocol": words::protocol(bound.protocol()),
            "backendProtocol": match bound.backend_protocol() {
                wire::BackendProtocol::H2c => "h2c",
                wire::BackendProtocol::Http1 | wire::BackendProtocol::Unspecified => "http1",
            },
            "backends": bound.backends.iter().map(backend).collect::<Vec<_>>(),
        });
        document
    }

    fn name(&self) -> String {
        self.route.hostname.clone()
    }
}

fn binding(route: &wire::Route) -> Option<&wire::Binding> {
    match route.target.as_ref()? {
        Target::Binding(binding) => Some(binding),
        Target::Unbound(_) => None,
    }
}
