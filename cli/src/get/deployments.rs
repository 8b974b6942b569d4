use std::time::SystemTime;

use proto::{manifest::render, wire};
use serde_json::Value;
use tonic::Status;

use super::{Shown, age_of, health, name_of, pages};
use crate::client::Client;

pub(super) async fn fetch(client: &Client, name: Option<&str>) -> Result<Vec<wire::Deployment>, Status> {
    let project = String::new();
    if let Some(name) = name {
        let request = wire::GetDeploymentRequest { name: name.into(), project };
        return Ok(vec![client.deployments().get_deployment(request).await?.into_inner()]);
    }
    let mut all = pages(async |page| {
        let phases = Vec::new();
        let request =
            wire::ListDeploymentsRequest { page: Some(page), project: project.clone(), phases, filter: None };
        let list = client.deployments().list_deployments(request).await?.into_inner();
        Ok((list.deployments, list.page))
    })
    .await?;
    // The stopped come last: they stay listed, and become many.
    all.sort_by_cached_key(|deployment| {
        (is_stopped(deployment), name_of(deployment.metadata.as_ref()).to_owned())
    });
    Ok(all)
}

fn is_stopped(deployment: &wire::Deployment) -> bool {
    deployment.status.as_ref().is_some_and(|status| status.phase() == wire::Phase::Stopped)
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

impl Shown for wire::Deployment {
    const COLUMNS: &'static [&'static str] =
        &["NAME", "PACKAGE", "PHASE", "STATUS", "BACKENDS", "AGE", "URL"];

    fn row(&self, now: SystemTime) -> Vec<String> {
        let spec = self.spec.clone().unwrap_or_default();
        let status = self.status.clone().unwrap_or_default();
        let external: Vec<_> = status.endpoints.iter().filter(|endpoint| !endpoint.url.is_empty()).collect();
        let backends = health(external.iter().flat_map(|endpoint| &endpoint.backends));
        vec![
            name_of(self.metadata.as_ref()).to_owned(),
            format!("{}@{}", spec.package_name, spec.package_version),
            render::phase(status.phase()).to_owned(),
            render::status(status.status()).to_owned(),
            backends,
            age_of(self.metadata.as_ref(), now),
            url(&external),
        ]
    }

    fn document(&self) -> Value {
        render::deployment(self)
    }

    fn label(&self) -> String {
        format!("deployment/{}", name_of(self.metadata.as_ref()))
    }
}
