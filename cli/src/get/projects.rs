use std::time::SystemTime;

use proto::manifest::render;
use proto::wire;
use serde_json::Value;
use tonic::Status;

use super::{Resource, Wanted, age_of, guid_of, labels_of, name_of, only, pages};
use crate::args::Kind;
use crate::client::Client;
use crate::output::{Cell, Column, Cut};

impl Resource for wire::Project {
    const KIND: Kind = Kind::Projects;
    const COLUMNS: &'static [Column] = &[
        Column::new("NAME").cut(Cut::End),
        Column::new("ORGANIZATION").cut(Cut::End),
        Column::new("AGE"),
        Column::new("GUID"),
        Column::new("LABELS").wide(),
    ];

    async fn list(client: &Client, wanted: &Wanted) -> Result<Vec<Self>, Status> {
        let mut all = pages(async |page| {
            let (organization, filter) = (String::new(), wanted.filter());
            let request = wire::ListProjectsRequest { page, organization, filter };
            let list = client.identity().list_projects(request).await?.into_inner();
            Ok((list.projects, list.page))
        })
        .await?;
        all.sort_by_cached_key(Self::name);
        Ok(all)
    }

    async fn named(client: &Client, name: &str) -> Result<Vec<Self>, Status> {
        only(client.identity().get_project(wire::GetProjectRequest { name: name.to_owned() }).await)
    }

    fn row(&self, now: SystemTime) -> Vec<Cell> {
        let organization =
            if self.organization_name.is_empty() { &self.organization } else { &self.organization_name };
        vec![
            self.name().into(),
            organization.as_str().into(),
            age_of(self.metadata.as_ref(), now),
            guid_of(self.metadata.as_ref()).into(),
            labels_of(self.metadata.as_ref()).into(),
        ]
    }

    fn document(&self) -> Value {
        render::project(self)
    }

    fn name(&self) -> String {
        name_of(self.metadata.as_ref()).to_owned()
    }
}
