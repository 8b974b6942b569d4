use std::time::SystemTime;

use proto::{manifest::render, wire};
use serde_json::Value;
use tonic::Status;

use super::{Resource, Wanted, age_of, guid_of, labels_of, name_of, only, pages};
use crate::args::Kind;
use crate::client::Client;
use crate::output::{Cell, Column, Cut};
use crate::words;

impl Resource for wire::StaticRoute {
    const KIND: Kind = Kind::StaticRoutes;
    const COLUMNS: &'static [Column] = &[
        Column::new("NAME").cut(Cut::End),
        Column::new("HOSTNAME").cut(Cut::Middle),
        Column::new("SERVES").cut(Cut::End),
        Column::new("PROTOCOL"),
        Column::new("SOURCES").cut(Cut::End),
        Column::new("AGE"),
        Column::new("LABELS").wide(),
        Column::new("GUID").wide(),
    ];

    async fn list(client: &Client, wanted: &Wanted) -> Result<Vec<Self>, Status> {
        pages(async |page| {
            let request =
                wire::ListStaticRoutesRequest { page, project: client.project(), filter: wanted.filter() };
            let list = client.static_routes().list_static_routes(request).await?.into_inner();
            Ok((list.static_routes, list.page))
        })
        .await
    }

    async fn named(client: &Client, name: &str) -> Result<Vec<Self>, Status> {
        let request = wire::GetStaticRouteRequest { name: name.to_owned(), project: client.project() };
        only(client.static_routes().get_static_route(request).await)
    }

    fn row(&self, now: SystemTime) -> Vec<Cell> {
        let bound = self.bound_to.as_ref();
        vec![
            self.name().into(),
            self.hostname.as_str().into(),
            bound
                .map(|bound| format!("{}/{}", bound.deployment_name, bound.endpoint))
                .unwrap_or_default()
                .into(),
            bound.map(|bound| words::protocol(bound.protocol())).unwrap_or_default().into(),
            words::sources(&self.source_ranges).into(),
            age_of(self.metadata.as_ref(), now),
            labels_of(self.metadata.as_ref()).into(),
            guid_of(self.metadata.as_ref()).into(),
        ]
    }

    fn document(&self) -> Value {
        render::static_route(self)
    }

    fn name(&self) -> String {
        name_of(self.metadata.as_ref()).to_owned()
    }
}
