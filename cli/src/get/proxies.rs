use std::time::SystemTime;

use proto::wire;
use serde_json::{Value, json};
use tonic::Status;

use super::{Resource, Wanted, time};
use crate::args::Kind;
use crate::client::Client;
use crate::output::{Cell, Column, Cut, age};

/// A proxy, and the revision it should serve.
pub(crate) struct Follower {
    proxy: wire::Proxy,
    newest: Option<wire::Revision>,
}

impl Follower {
    /// Whether it is there and serves all there is.
    pub(crate) fn is_current(&self) -> bool {
        self.state() == Cell::good("current")
    }

    /// How it does, in few words.
    pub(crate) fn state(&self) -> Cell {
        let proxy = &self.proxy;
        match (proxy.applied, self.newest) {
            _ if !proxy.connected => Cell::faint("disconnected"),
            _ if !proxy.nack_reasons.is_empty() => {
                Cell::bad(format!("refused: {}", proxy.nack_reasons.join("; ")))
            }
            (None, _) => Cell::busy("starting"),
            // Numbers go on where the epoch changes.
            (Some(at), Some(newest)) if at.number < newest.number => {
                Cell::busy(format!("behind by {}", newest.number - at.number))
            }
            (Some(_), _) => Cell::good("current"),
        }
    }

    pub(crate) fn proxy(&self) -> &wire::Proxy {
        &self.proxy
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.proxy.connected
    }

    /// Whether it serves all that was there at `revision`.
    pub(crate) fn serves(&self, revision: wire::Revision) -> bool {
        self.proxy.applied.is_some_and(|at| at.number >= revision.number)
    }
}

impl Resource for Follower {
    const KIND: Kind = Kind::Proxies;
    const COLUMNS: &'static [Column] = &[
        Column::new("NAME").cut(Cut::End),
        Column::new("STATE").cut(Cut::End),
        Column::new("REVISION"),
        Column::new("CONNECTED"),
        Column::new("PEER").cut(Cut::End),
        Column::new("VERSION"),
    ];

    async fn list(client: &Client, _: &Wanted) -> Result<Vec<Self>, Status> {
        let list = client.fleet().list_proxies(wire::ListProxiesRequest {}).await?.into_inner();
        let newest = list.revision;
        Ok(list.proxies.into_iter().map(|proxy| Self { proxy, newest }).collect())
    }

    async fn named(client: &Client, name: &str) -> Result<Vec<Self>, Status> {
        let mut all = Self::list(client, &Wanted::default()).await?;
        all.retain(|it| it.proxy.id == name);
        Ok(all)
    }

    fn row(&self, now: SystemTime) -> Vec<Cell> {
        vec![
            self.name().into(),
            self.state(),
            self.proxy.applied.map(|revision| revision.number.to_string()).unwrap_or_default().into(),
            age(time(self.proxy.connected_since), now).into(),
            self.proxy.peer.as_str().into(),
            self.proxy.version.as_str().into(),
        ]
    }

    fn document(&self) -> Value {
        let revision = |revision: wire::Revision| proto::Revision::from(revision).to_string();
        json!({
            "id": self.proxy.id,
            "connected": self.proxy.connected,
            "state": self.state().text(),
            "applied": self.proxy.applied.map(revision),
            "appliedSince": self.proxy.applied_since.map(|at| at.to_string()),
            "connectedSince": self.proxy.connected_since.map(|at| at.to_string()),
            "nackReasons": self.proxy.nack_reasons,
            "peer": self.proxy.peer,
            "version": self.proxy.version,
        })
    }

    fn name(&self) -> String {
        self.proxy.id.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_tell_who_is_behind_also_where_the_epoch_changed() {
        let at = |epoch, number| Some(wire::Revision { epoch, number });
        let state = |applied| {
            let proxy = wire::Proxy { connected: true, applied, ..Default::default() };
            Follower { proxy, newest: at(2, 7) }.state().text().to_owned()
        };
        assert_eq!(state(at(1, 5)), "behind by 2");
        assert_eq!(state(at(2, 6)), "behind by 1");
        assert_eq!(state(at(2, 7)), "current");
        assert_eq!(state(None), "starting");
    }
}
