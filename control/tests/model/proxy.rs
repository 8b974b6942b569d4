use std::collections::BTreeMap;

use proto::wire::follow_request::Message as Say;
use proto::wire::follow_response::Message;
use proto::wire::route_feed_service_client::RouteFeedServiceClient;
use proto::wire::{Ack, FollowRequest, Hello};
use proto::{Hostname, Revision, Route, RouteUpdate};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;

use crate::stage::Authorized;

type Table = BTreeMap<Hostname, Route>;

/// A proxy that follows the feed, and remembers every table it had.
pub(crate) struct Proxy {
    had: watch::Receiver<Vec<(Revision, Table)>>,
    _following: JoinSet<()>,
}

impl Proxy {
    pub(crate) fn follow(feed: RouteFeedServiceClient<Authorized>) -> Self {
        let (tell, had) = watch::channel(Vec::new());
        let mut following = JoinSet::new();
        following.spawn(follow(feed, tell));
        Self { had, _following: following }
    }

    /// Waits until it has applied `revision`; all tables it has had.
    pub(crate) async fn until(&self, revision: Revision) -> Vec<(Revision, Table)> {
        let mut had = self.had.clone();
        let there = |had: &Vec<(Revision, Table)>| had.last().is_some_and(|(at, _)| at.includes(revision));
        let had = had.wait_for(there).await.unwrap();
        had.clone()
    }
}

async fn follow(mut feed: RouteFeedServiceClient<Authorized>, tell: watch::Sender<Vec<(Revision, Table)>>) {
    let (says, outgoing) = mpsc::channel(16);
    let hello = Hello { proxy_id: "model".into(), version: "test".into(), holds: None };
    let say = async |message| says.send(FollowRequest { message: Some(message) }).await.unwrap();
    say(Say::Hello(hello)).await;
    let mut incoming = feed.follow(ReceiverStream::new(outgoing)).await.unwrap().into_inner();
    let mut table = Table::new();
    while let Ok(Some(message)) = incoming.message().await {
        let revision = match message.message.unwrap() {
            Message::SnapshotBegin(_) => {
                table.clear();
                continue;
            }
            Message::SnapshotChunk(chunk) => {
                let routes = chunk.routes.into_iter().map(|route| Route::try_from(route).unwrap());
                table.extend(routes.map(|route| (route.hostname.clone(), route)));
                continue;
            }
            Message::SnapshotEnd(end) => Revision::from(end.revision.unwrap()),
            Message::Delta(delta) => {
                let update = RouteUpdate::try_from(delta).unwrap();
                table.extend(update.upserts.into_iter().map(|route| (route.hostname.clone(), route)));
                update.removals.iter().for_each(|name| assert!(table.remove(name).is_some(), "{name}"));
                update.revision
            }
            Message::Heartbeat(_) => continue,
        };
        tell.send_modify(|had| had.push((revision, table.clone())));
        say(Say::Ack(Ack { revision: Some(revision.into()) })).await;
    }
}
