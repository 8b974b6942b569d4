use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use certs::Certificates;
use ipnet::IpNet;
use proto::Hostname;
use proxy::Proxy;
use proxy::config::{AccessLogTarget, BackendPolicy, Config, ExtraMetrics, FeedConfig, Listen, PublicPorts};

use super::ports::Reserved;
use super::room::Room;
use crate::args::{BackendArgs, EdgeArgs};
use crate::failure::Failure;

/// A proxy to be, as the command line describes it.
pub(super) struct Edge<'a> {
    pub(super) args: &'a EdgeArgs,
    pub(super) room: &'a Room,
    pub(super) domains: &'a [Hostname],
    /// Whether backends may be on this machine unless the command line says which networks they are in.
    pub(super) loopback: bool,
}

impl Edge<'_> {
    /// Binds every port and loads the last good table.
    pub(super) fn bind(
        &self,
        certificates: Arc<Certificates>,
        feed: FeedConfig,
        extra_metrics: Option<ExtraMetrics>,
    ) -> Result<(Proxy, PublicPorts), Failure> {
        let http = Reserved::at(self.args.http, "--http")?;
        let https = Reserved::at(self.args.https, "--https")?;
        let public_ports = PublicPorts {
            http: self.args.public_http.unwrap_or_else(|| http.addr().port()),
            https: self.args.public_https.unwrap_or_else(|| https.addr().port()),
        };
        let usual = Config::default();
        let config = Config {
            listen: Listen { http: http.release(), https: https.release(), admin: self.args.admin },
            public_ports,
            workers: self.args.workers.unwrap_or(usual.workers),
            backends: BackendPolicy { networks: self.networks(), ..usual.backends.clone() },
            timeouts: self.args.timeouts.timeouts(usual.timeouts),
            limits: self.args.limits.limits(usual.limits),
            trusted_peers: self.args.limits.trusted_peers.clone(),
            never_dialled: control_addr(&feed.url).into_iter().collect(),
            feed: Some(feed),
            route_cache: Some(self.room.path().join("routes.cache")),
            access_log: self.access_log(),
            extra_metrics,
            ..usual
        };
        let proxy = Proxy::bind(config, certificates).map_err(Failure::refused)?;
        Ok((proxy, public_ports))
    }

    pub(super) fn networks(&self) -> Vec<IpNet> {
        self.args.backends.networks(self.loopback)
    }

    fn access_log(&self) -> AccessLogTarget {
        match self.args.access_log.as_deref() {
            None => AccessLogTarget::File(self.room.path().join("access.log")),
            Some("off") => AccessLogTarget::Off,
            Some("-") => AccessLogTarget::Stdout,
            Some(path) => AccessLogTarget::File(path.into()),
        }
    }

    /// Unique among the proxies of a fleet, as far as host names are.
    pub(super) fn default_id(&self) -> String {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = if host.trim().is_empty() { "proxy" } else { host.trim() };
        match self.args.http.port() {
            0 => format!("{host}-{}", std::process::id()),
            port => format!("{host}-{port}"),
        }
    }
}

impl EdgeArgs {
    /// What is listened on, and the options that say so.
    pub(super) fn listeners(&self) -> [(&'static str, SocketAddr); 3] {
        [("--http", self.http), ("--https", self.https), ("--admin", self.admin)]
    }

    /// Whether nobody beyond this machine can reach the edge.
    pub(super) fn serves_this_machine_alone(&self) -> bool {
        self.http.ip().is_loopback() && self.https.ip().is_loopback()
    }
}

/// Where the control plane listens, if its URL says so without a name server: no backend may be there.
fn control_addr(url: &str) -> Option<SocketAddr> {
    let url: hyper::Uri = url.parse().ok()?;
    let port = url.port_u16()?;
    let host = url.host()?.trim_start_matches('[').trim_end_matches(']');
    let ip = if host == "localhost" { Ok(Ipv4Addr::LOCALHOST.into()) } else { host.parse() };
    Some(SocketAddr::new(ip.ok()?, port))
}

impl BackendArgs {
    /// The networks that were named, else private ones, with this machine's own if `loopback`.
    pub(super) fn networks(&self, loopback: bool) -> Vec<IpNet> {
        if !self.backend_networks.is_empty() {
            return self.backend_networks.clone();
        }
        let usual = BackendPolicy::default();
        if loopback { usual.with_loopback().networks } else { usual.networks }
    }
}

/// How an `https://` control plane is verified; nothing for an `http://` one.
pub(super) fn control_ca(
    control: &str,
    ca: Option<&Path>,
) -> Result<Option<Arc<tokio_rustls::rustls::ClientConfig>>, Failure> {
    if !control.starts_with("https://") {
        return Ok(None);
    }
    certs::client_config(ca).map(Some).map_err(Failure::refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_planes_address_is_known_where_its_url_says_it() {
        let addr = |url: &str| control_addr(url).map(|addr| addr.to_string());
        assert_eq!(addr("http://127.0.0.1:7700").as_deref(), Some("127.0.0.1:7700"));
        assert_eq!(addr("https://[::1]:7700/").as_deref(), Some("[::1]:7700"));
        assert_eq!(addr("http://localhost:7700").as_deref(), Some("127.0.0.1:7700"));
        assert_eq!(addr("https://control.example.net:7700"), None);
    }
}
