use std::time::SystemTime;

use proto::{manifest::render, wire};
use serde_json::Value;
use tonic::Status;

use super::{Shown, age_of, external, name_of, pages};
use crate::client::Client;

pub(super) async fn fetch(client: &Client, name: Option<&str>) -> Result<Vec<wire::Package>, Status> {
    let project = String::new();
    if let Some((name, version)) = name.and_then(|name| name.rsplit_once('@')) {
        let request = wire::GetPackageRequest { name: name.into(), version: version.into(), project };
        return Ok(vec![client.packages().get_package(request).await?.into_inner()]);
    }
    let mut all = pages(async |page| {
        let request = wire::ListPackagesRequest { page: Some(page), project: project.clone(), filter: None };
        let list = client.packages().list_packages(request).await?.into_inner();
        Ok((list.packages, list.page))
    })
    .await?;
    if let Some(name) = name {
        all.retain(|package| package.metadata.as_ref().is_some_and(|it| it.name == name || it.guid == name));
    }
    Ok(all)
}

impl Shown for wire::Package {
    const COLUMNS: &'static [&'static str] = &["NAME", "VERSION", "ENDPOINTS", "AGE"];

    fn row(&self, now: SystemTime) -> Vec<String> {
        let components = self.plans.iter().flat_map(|plan| &plan.components);
        let mut endpoints: Vec<_> = components
            .flat_map(|component| &component.endpoints)
            .map(|endpoint| match external(endpoint.r#type()) {
                Some(protocol) => format!("{}:{protocol}", endpoint.name),
                None => format!("{}:internal", endpoint.name),
            })
            .collect();
        endpoints.dedup();
        vec![
            name_of(self.metadata.as_ref()).to_owned(),
            self.version.clone(),
            endpoints.join(" "),
            age_of(self.metadata.as_ref(), now),
        ]
    }

    fn document(&self) -> Value {
        render::package(self)
    }

    fn label(&self) -> String {
        format!("package/{}@{}", name_of(self.metadata.as_ref()), self.version)
    }
}
