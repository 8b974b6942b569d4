use std::time::SystemTime;

use proto::wire;
use serde_json::{Value, json};
use tonic::Status;

use super::{Resource, Wanted, age_of, guid_of, name_of, only, pages};
use crate::args::Kind;
use crate::client::Client;
use crate::output::{Cell, Column, Cut};
use crate::words;

impl Resource for wire::Organization {
    const KIND: Kind = Kind::Organizations;
    const COLUMNS: &'static [Column] = &[
        Column::new("NAME").cut(Cut::End),
        Column::new("SUBSCRIPTION"),
        Column::new("STATIC ROUTES"),
        Column::new("AGE"),
        Column::new("GUID"),
        Column::new("SHORT").wide(),
    ];

    async fn list(client: &Client, _: &Wanted) -> Result<Vec<Self>, Status> {
        let mut all = pages(async |page| {
            let request = wire::ListOrganizationsRequest { page };
            let list = client.identity().list_organizations(request).await?.into_inner();
            Ok((list.organizations, list.page))
        })
        .await?;
        all.sort_by_cached_key(Self::name);
        Ok(all)
    }

    async fn named(client: &Client, name: &str) -> Result<Vec<Self>, Status> {
        let request = wire::GetOrganizationRequest { name: name.to_owned() };
        only(client.identity().get_organization(request).await)
    }

    fn row(&self, now: SystemTime) -> Vec<Cell> {
        vec![
            self.name().into(),
            words::subscription(self.subscription()).into(),
            static_routes(self).into(),
            age_of(self.metadata.as_ref(), now),
            guid_of(self.metadata.as_ref()).into(),
            self.short_guid.as_str().into(),
        ]
    }

    fn document(&self) -> Value {
        json!({
            "name": self.name(),
            "guid": guid_of(self.metadata.as_ref()),
            "shortGUID": self.short_guid,
            "subscription": words::subscription(self.subscription()),
            "staticRoutes": limit(self),
            "staticRoutesUsed": self.static_routes_used,
        })
    }

    fn name(&self) -> String {
        name_of(self.metadata.as_ref()).to_owned()
    }
}

/// How many static routes it may have; none when there is no limit.
fn limit(organization: &wire::Organization) -> Option<u32> {
    match organization.subscription() {
        wire::Subscription::Community => Some(5),
        wire::Subscription::Professional => Some(50),
        wire::Subscription::Enterprise => Some(organization.static_routes).filter(|most| *most > 0),
        wire::Subscription::Unspecified => None,
    }
}

/// `3 of 5`.
pub(crate) fn static_routes(organization: &wire::Organization) -> String {
    match limit(organization) {
        Some(most) => format!("{} of {most}", organization.static_routes_used),
        None => organization.static_routes_used.to_string(),
    }
}
