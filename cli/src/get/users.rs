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
        let users = pages(async |page| {
            let list = client.identity().list_users(wire::ListUsersRequest { page }).await?.into_inner();
            Ok((list.users, list.page))
        })
        .await;
        let mut users: Vec<Self> = users?;
        users.sort_by_cached_key(|user| user.email.clone());
        for user in &mut users {
            by_names(client, user).await;
        }
        Ok(users)
    }

    async fn named(client: &Client, name: &str) -> Result<Vec<Self>, Status> {
        let mut found =
            only(client.identity().get_user(wire::GetUserRequest { email: name.to_owned() }).await)?;
        for user in &mut found {
            by_names(client, user).await;
        }
        Ok(found)
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

/// Calls the places of a user's memberships by their names, where those may be known.
pub(crate) async fn by_names(client: &Client, user: &mut wire::User) {
    for place in user.memberships.iter_mut().filter_map(|membership| membership.r#where.as_mut()) {
        let (named, name) = match place {
            Where::Project(guid) => {
                let request = wire::GetProjectRequest { name: guid.clone() };
                let project = client.identity().get_project(request).await;
                (guid, project.ok().and_then(|project| project.into_inner().metadata))
            }
            Where::Organization(guid) => {
                let request = wire::GetOrganizationRequest { name: guid.clone() };
                let organization = client.identity().get_organization(request).await;
                (guid, organization.ok().and_then(|organization| organization.into_inner().metadata))
            }
        };
        if let Some(metadata) = name {
            *named = metadata.name;
        }
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
