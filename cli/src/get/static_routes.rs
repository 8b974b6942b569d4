use std::time::SystemTime;

use proto::{manifest::render, wire};
use serde_json::Value;
use tonic::Status;

use super::{Shown, age_of, name_of, pages, protocol, sources};
use crate::client::Client;

pub(super) async fn fetch(client: &Client, name: Option<&str>) -> Result<Vec<wire::StaticRoute>, Status> {
    let project = String::new();
    if let Some(name) = name {
        let request = wire::GetStaticRouteRequest { name: name.into(), project };
        return Ok(vec![client.static_routes().get_static_route(request).await?.into_inner()]);
    }
    pages(async |page| {
        let request =
            wire::ListStaticRoutesRequest { page: Some(page), project: project.clone(), filter: None };
        let list = client.static_routes().list_static_routes(request).await?.into_inner();
        Ok((list.static_routes, list.page))
    })
    .await
}

impl Shown for wire::StaticRoute {
    const COLUMNS: &'static [&'static str] = &["NAME", "HOSTNAME", "SERVES", "PROTOCOL", "SOURCES", "AGE"];

    fn row(&self, now: SystemTime) -> Vec<String> {
        let bound = self.bound_to.as_ref();
        vec![
            name_of(self.metadata.as_ref()).to_owned(),
            self.hostname.clone(),
            bound.map(|bound| format!("{}/{}", bound.deployment_name, bound.endpoint)).unwrap_or_default(),
            bound.map(|bound| protocol(bound.protocol())).unwrap_or_default().to_owned(),
            sources(&self.source_ranges),
            age_of(self.metadata.as_ref(), now),
        ]
    }

    fn document(&self) -> Value {
        render::static_route(self)
    }

    fn label(&self) -> String {
        format!("static-route/{}", name_of(self.metadata.as_ref()))
    }
}
