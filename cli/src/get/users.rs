use std::time::SystemTime;

use proto::wire::{self, membership::Where};
use serde_json::{Value, json};
use tonic::Status;

use super::{Resource, Wanted, age_of, guid_of, only, pages};
use crate::args::Kind;
use crate::client::Client;
use crate::output::{Cell, Column, Cut};
use crate::words;

impl Resource for wire::User {
    const KIND: Kind = Kind::Users;
    const COLUMNS: &'static [Column] = &[
        Column::new("USER").cut(Cut::End),
        Column::new("ROLE"),
        Column::new("MEMBER OF").cut(Cut::End),
        Column::new("AGE"),
        Column::new("GUID").wide(),
    ];

    async fn list(client: &Client, _: &Wanted) -> Result<Vec<Self>, Status> {
        pages(async |page| {
            let list = client.identity().list_users(wire::ListUsersRequest { page }).await?.into_inner();
            Ok((list.users, list.page))
        })
        .await
    }

    async fn named(client: &Client, name: &str) -> Result<Vec<Self>, Status> {
        only(client.identity().get_user(wire::GetUserRequest { email: name.to_owned() }).await)
    }

    fn row(&self, now: SystemTime) -> Vec<Cell> {
        let memberships: Vec<_> = self.memberships.iter().map(membership).collect();
        vec![
            self.email.as_str().into(),
            words::role(self.role()).into(),
            memberships.join(", ").into(),
            age_of(self.metadata.as_ref(), now),
            guid_of(self.metadata.as_ref()).into(),
        ]
    }

    fn document(&self) -> Value {
        json!({
            "email": self.email,
            "guid": guid_of(self.metadata.as_ref()),
            "role": words::role(self.role()),
            "memberships": self.memberships.iter().map(membership).collect::<Vec<_>>(),
        })
    }

    fn name(&self) -> String {
        self.email.clone()
    }
}

/// `project/shop=developer`, as `epr user` takes it.
pub(crate) fn membership(membership: &wire::Membership) -> String {
    let place = match &membership.r#where {
        Some(Where::Organization(name)) => format!("organization/{name}"),
        Some(Where::Project(name)) => format!("project/{name}"),
        None => String::new(),
    };
    format!("{place}={}", words::role(membership.role()))
}
