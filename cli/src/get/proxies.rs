use std::time::SystemTime;

use proto::wire;
use serde_json::{Value, json};
use tonic::Status;

use super::Shown;
use crate::client::Client;
use crate::output::age;

/// A proxy, and the revision it should serve.
pub(super) struct Follower {
    proxy: wire::Proxy,
    newest: Option<wire::Revision>,
}

pub(super) async fn fetch(client: &Client, name: Option<&str>) -> Result<Vec<Follower>, Status> {
    let list = client.fleet().list_proxies(wire::ListProxiesRequest {}).await?.into_inner();
    let newest = list.revision;
    let wanted = list.proxies.into_iter().filter(|proxy| name.is_none_or(|name| proxy.id == name));
    Ok(wanted.map(|proxy| Follower { proxy, newest }).collect())
}

impl Follower {
    /// How it does, in few words.
    fn state(&self) -> String {
        let proxy = &self.proxy;
        match (proxy.applied, self.newest) {
            _ if !proxy.connected => "disconnected".to_owned(),
            _ if !proxy.nack_reasons.is_empty() => format!("refused: {}", proxy.nack_reasons.join("; ")),
            (None, _) => "starting".to_owned(),
            // Numbers go on where the epoch changes.
            (Some(at), Some(newest)) if at.number < newest.number => {
                format!("behind by {}", newest.number - at.number)
            }
            (Some(_), _) => "current".to_owned(),
        }
    }
}

fn time(at: Option<prost_types::Timestamp>) -> Option<SystemTime> {
    at.and_then(|at| at.try_into().ok())
}

impl Shown for Follower {
    const COLUMNS: &'static [&'static str] = &["NAME", "STATE", "REVISION", "CONNECTED", "PEER", "VERSION"];

    fn row(&self, now: SystemTime) -> Vec<String> {
        vec![
            self.proxy.id.clone(),
            self.state(),
            self.proxy.applied.map(|revision| revision.number.to_string()).unwrap_or_default(),
            age(time(self.proxy.connected_since), now),
            self.proxy.peer.clone(),
            self.proxy.version.clone(),
        ]
    }

    fn document(&self) -> Value {
        let revision = |revision: wire::Revision| proto::Revision::from(revision).to_string();
        json!({
            "id": self.proxy.id,
            "connected": self.proxy.connected,
            "state": self.state(),
            "applied": self.proxy.applied.map(revision),
            "appliedSince": self.proxy.applied_since.map(|at| at.to_string()),
            "connectedSince": self.proxy.connected_since.map(|at| at.to_string()),
            "nackReasons": self.proxy.nack_reasons,
            "peer": self.proxy.peer,
            "version": self.proxy.version,
        })
    }

    fn label(&self) -> String {
        format!("proxy/{}", self.proxy.id)
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
            Follower { proxy, newest: at(2, 7) }.state()
        };
        assert_eq!(state(at(1, 5)), "behind by 2");
        assert_eq!(state(at(2, 6)), "behind by 1");
        assert_eq!(state(at(2, 7)), "current");
        assert_eq!(state(None), "starting");
    }
}
