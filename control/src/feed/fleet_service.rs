use std::time::SystemTime;

use proto::wire;
use proto::wire::fleet_service_server::{FleetService, FleetServiceServer};
use tonic::{Request, Response, Status};

use super::Feed;
use super::fleet::ProxyState;

/// The fleet service, ready to be mounted.
pub type FleetServer = FleetServiceServer<Feed>;

/// The fleet service over `feed`.
pub fn fleet_server(feed: Feed) -> FleetServer {
    FleetServiceServer::new(feed)
}

#[tonic::async_trait]
impl FleetService for Feed {
    async fn list_proxies(
        &self,
        _: Request<wire::ListProxiesRequest>,
    ) -> Result<Response<wire::ListProxiesResponse>, Status> {
        let proxies = self.proxies().into_iter().map(wire::Proxy::from).collect();
        let revision = Some(self.revision().into());
        Ok(Response::new(wire::ListProxiesResponse { proxies, revision }))
    }
}

impl From<ProxyState> for wire::Proxy {
    fn from(proxy: ProxyState) -> Self {
        let timestamp = |time: SystemTime| prost_types::Timestamp::from(time);
        Self {
            id: proxy.id.as_str().to_owned(),
            version: proxy.version,
            peer: proxy.peer.map(|peer| peer.to_string()).unwrap_or_default(),
            connected_since: Some(timestamp(proxy.connected_since)),
            applied: proxy.applied.map(Into::into),
            applied_since: proxy.applied_since.map(timestamp),
            nack_reasons: proxy.nack.map(|nack| nack.reasons).unwrap_or_default(),
            connected: proxy.connected,
        }
    }
}
