use std::time::SystemTime;

use proto::{manifest::render, wire};
use serde_json::Value;
use tonic::Status;

use super::{Resource, Wanted, age_of, guid_of, labels_of, name_of, only, pages};
use crate::args::Kind;
use crate::client::Client;
use crate::output::{Cell, Column, Cut};
use crate::words;

impl Resource for wire::Package {
    const KIND: Kind = Kind::Packages;
    const COLUMNS: &'static [Column] = &[
        Column::new("NAME").cut(Cut::End),
        Column::new("VERSION").cut(Cut::End),
        Column::new("ENDPOINTS").cut(Cut::End),
        Column::new("AGE"),
        Column::new("PLANS").wide(),
        Column::new("EXECUTABLES").wide(),
        Column::new("LABELS").wide(),
        Column::new("GUID").wide(),
    ];

    async fn list(client: &Client, wanted: &Wanted) -> Result<Vec<Self>, Status> {
        pages(async |page| {
            let request =
                wire::ListPackagesRequest { page, project: client.project(), filter: wanted.filter() };
            let list = client.packages().list_packages(request).await?.into_inner();
            Ok((list.packages, list.page))
        })
        .await
    }

    async fn named(client: &Client, name: &str) -> Result<Vec<Self>, Status> {
        if let Some((name, version)) = name.rsplit_once('@') {
            let (name, version) = (name.to_owned(), version.to_owned());
            let request = wire::GetPackageRequest { name, version, project: client.project() };
            return only(client.packages().get_package(request).await);
        }
        let mut all = Self::list(client, &Wanted::default()).await?;
        all.retain(|package| package.metadata.as_ref().is_some_and(|it| it.name == name || it.guid == name));
        Ok(all)
    }

    fn row(&self, now: SystemTime) -> Vec<Cell> {
        let components = || self.plans.iter().flat_map(|plan| &plan.components);
        let mut endpoints: Vec<_> = components()
            .flat_map(|component| &component.endpoints)
            .map(|endpoint| match words::external(endpoint.r#type()) {
                Some(protocol) => format!("{}:{protocol}", endpoint.name),
                None => format!("{}:internal", endpoint.name),
            })
            .collect();
        endpoints.dedup();
        let plans: Vec<_> = self.plans.iter().map(|plan| plan.name.as_str()).collect();
        let mut executables: Vec<_> = components()
            .flat_map(|component| &component.executables)
            .map(|executable| executable.name.as_str())
            .collect();
        executables.dedup();
        vec![
            name_of(self.metadata.as_ref()).into(),
            self.version.as_str().into(),
            endpoints.join(" ").into(),
            age_of(self.metadata.as_ref(), now),
            plans.join(", ").into(),
            executables.join(", ").into(),
            labels_of(self.metadata.as_ref()).into(),
            guid_of(self.metadata.as_ref()).into(),
        ]
    }

    fn document(&self) -> Value {
        render::package(self)
    }

    fn name(&self) -> String {
        format!("{}@{}", name_of(self.metadata.as_ref()), self.version)
    }
}
