use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use proto::{Hostname, wire};
use tokio::task::JoinSet;

use super::{page, secure, server};

const REPLICAS: usize = 2;

/// The replicas of one deployment of the example.
pub(super) struct Backends {
    deployment: &'static str,
    http: Vec<SocketAddr>,
    secure: Vec<SocketAddr>,
    /// Aborts what serves them when dropped.
    _servers: JoinSet<()>,
}

/// Who answers.
#[derive(Clone, Copy)]
pub(super) struct Replica {
    pub(super) deployment: &'static str,
    pub(super) number: usize,
}

impl std::fmt::Display for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, replica {} of {REPLICAS}", self.deployment, self.number)
    }
}

impl Backends {
    pub(super) async fn start(deployment: &'static str, domains: &[Hostname]) -> io::Result<Self> {
        let mut servers = JoinSet::new();
        let (mut http, mut secure) = (Vec::new(), Vec::new());
        let names: Vec<_> = domains
            .iter()
            .filter_map(|domain| Hostname::parse(&format!("hello-tls.{domain}")).ok())
            .collect();
        let tls = certs::self_signed_server_config(&names).map_err(io::Error::other)?;
        for number in 1..=REPLICAS {
            let replica = Replica { deployment, number };
            let page = server::start(&mut servers, move |stream, at| page::serve(stream, replica, at));
            http.push(page.await?);
            let tls = Arc::clone(&tls);
            let echo = server::start(&mut servers, move |stream, _| {
                secure::serve(stream, Arc::clone(&tls), replica)
            });
            secure.push(echo.await?);
        }
        Ok(Self { deployment, http, secure, _servers: servers })
    }

    pub(super) fn deployment(&self) -> &'static str {
        self.deployment
    }

    /// Where each endpoint listens.
    pub(super) fn report(&self) -> Vec<wire::EndpointBackends> {
        let at = |endpoint: &str, addrs: &[SocketAddr]| wire::EndpointBackends {
            endpoint: endpoint.to_owned(),
            backends: addrs
                .iter()
                .map(|addr| wire::Backend { address: addr.to_string(), unhealthy: false })
                .collect(),
        };
        vec![at("WEB", &self.http), at("SECURE", &self.http), at("TLS", &self.secure)]
    }

    /// How the package's one executable does: as long as these are there, it runs.
    pub(super) fn executable(&self) -> wire::ExecutableStatus {
        wire::ExecutableStatus {
            name: "server".to_owned(),
            state: wire::ExecutableState::Running.into(),
            ..Default::default()
        }
    }
}
