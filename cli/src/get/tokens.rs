use std::time::{Duration, SystemTime};

use proto::wire;
use serde_json::{Value, json};
use tonic::Status;

use super::{Resource, Wanted, pages, time};
use crate::args::Kind;
use crate::client::Client;
use crate::output::{Cell, Column, Cut, age};
use crate::words;

impl Resource for wire::Token {
    const KIND: Kind = Kind::Tokens;
    const COLUMNS: &'static [Column] = &[
        Column::new("ID"),
        Column::new("NAME").cut(Cut::End),
        Column::new("USER").cut(Cut::End),
        Column::new("ROLE"),
        Column::new("AGE"),
        Column::new("ENDS"),
        Column::new("PROJECT").wide(),
    ];

    async fn list(client: &Client, wanted: &Wanted) -> Result<Vec<Self>, Status> {
        let mut all = pages(async |page| {
            let request = wire::ListTokensRequest { page, user: wanted.user.clone() };
            let list = client.identity().list_tokens(request).await?.into_inner();
            Ok((list.tokens, list.page))
        })
        .await?;
        all.sort_by_cached_key(|token| (token.user.clone(), token.name.clone()));
        Ok(all)
    }

    async fn named(client: &Client, name: &str) -> Result<Vec<Self>, Status> {
        let mut all = Self::list(client, &Wanted::default()).await?;
        all.retain(|token| token.id == name || token.name == name);
        Ok(all)
    }

    fn row(&self, now: SystemTime) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            self.name.as_str().into(),
            self.user.as_str().into(),
            words::role(self.role()).into(),
            age(time(self.created_at), now).into(),
            ends(time(self.expires_at), now),
            self.project.as_str().into(),
        ]
    }

    fn document(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "user": self.user,
            "role": words::role(self.role()),
            "project": self.project,
            "createdAt": self.created_at.map(|at| at.to_string()),
            "expiresAt": self.expires_at.map(|at| at.to_string()),
        })
    }

    fn name(&self) -> String {
        self.id.clone()
    }
}

/// When a token ends: `in 29d`.
fn ends(at: Option<SystemTime>, now: SystemTime) -> Cell {
    const SOON: Duration = Duration::from_secs(3 * 24 * 3600);
    let Some(at) = at else { return "never".into() };
    match at.duration_since(now) {
        Err(_) => Cell::bad("ended"),
        Ok(left) => {
            // From then, it is now that lies so far back.
            let text = format!("in {}", age(Some(now), at));
            if left < SOON { Cell::busy(text) } else { text.into() }
        }
    }
}
