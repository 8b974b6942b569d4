use std::time::SystemTime;

use proto::manifest::render;
use proto::wire::{self, Phase};
use serde_json::Value;
use tonic::Status;

use super::{Resource, Wanted, age_of, guid_of, labels_of, name_of, only, pages};
use crate::args::Kind;
use crate::client::Client;
use crate::output::{Cell, Column, Cut};
use crate::words;

impl Resource for wire::Deployment {
    const KIND: Kind = Kind::Deployments;
    const COLUMNS: &'static [Column] = &[
        Column::new("NAME").cut(Cut::End),
        Column::new("PACKAGE").cut(Cut::End),
        Column::new("STATE"),
        Column::new("READY"),
        Column::new("AGE"),
        Column::new("URL").cut(Cut::Middle),
        Column::new("PHASE").wide(),
        Column::new("STATUS").wide(),
        Column::new("GENERATION").wide(),
        Column::new("LABELS").wide(),
        Column::new("GUID").wide(),
    ];

    async fn list(client: &Client, wanted: &Wanted) -> Result<Vec<Self>, Status> {
        let phases: Vec<i32> = wanted.phases.iter().map(|phase| (*phase).into()).collect();
        let mut all = pages(async |page| {
            let (project, phases, filter) = (client.project(), phases.clone(), wanted.filter());
            let request = wire::ListDeploymentsRequest { page, project, phases, filter };
            let list = client.deployments().list_deployments(request).await?.into_inner();
            Ok((list.deployments, list.page))
        })
        .await?;
        // The stopped come last: they stay listed, and become many.
        all.sort_by_cached_key(|deployment| (is_stopped(deployment), deployment.name()));
        Ok(all)
    }

    async fn named(client: &Client, name: &str) -> Result<Vec<Self>, Status> {
        let request = wire::GetDeploymentRequest { name: name.to_owned(), project: client.project() };
        only(client.deployments().get_deployment(request).await)
    }

    fn row(&self, now: SystemTime) -> Vec<Cell> {
        let spec = self.spec.clone().unwrap_or_default();
        let status = self.status.clone().unwrap_or_default();
        let external: Vec<_> = status.endpoints.iter().filter(|endpoint| !endpoint.url.is_empty()).collect();
        let backends = words::health(external.iter().flat_map(|endpoint| &endpoint.backends));
        let state = words::state(status.phase(), status.status());
        let ready = if external.is_empty() || is_stopped(self) { Cell::from("") } else { backends };
        vec![
            self.name().into(),
            format!("{}@{}", spec.package_name, spec.package_version).into(),
            state,
            ready,
            age_of(self.metadata.as_ref(), now),
            url(&external).into(),
            render::phase(status.phase()).into(),
            render::status(status.status()).into(),
            status.generation.to_string().into(),
            labels_of(self.metadata.as_ref()).into(),
            guid_of(self.metadata.as_ref()).into(),
        ]
    }

    fn document(&self) -> Value {
        render::deployment(self)
    }

    fn name(&self) -> String {
        name_of(self.metadata.as_ref()).to_owned()
    }
}

fn is_stopped(deployment: &wire::Deployment) -> bool {
    deployment.status.as_ref().is_some_and(|status| status.phase() == Phase::Stopped)
}

/// The URL people most likely want, and how many more there are.
fn url(external: &[&wire::EndpointStatus]) -> String {
    let first = external.iter().find(|endpoint| !endpoint.static_hosts.is_empty()).or(external.first());
    let url = first.map(|endpoint| endpoint.url.as_str()).unwrap_or_default();
    match external.len() {
        0 | 1 => url.to_owned(),
        several => format!("{url} (+{})", several - 1),
    }
}
