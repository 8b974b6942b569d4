//! Pingora with the duties of the comparison: routes by host name, forwarded headers, an access log.
//!
//! `pingora-peer HTTP HTTPS BACKEND HOSTS CERT KEY THREADS`

use std::collections::HashSet;
use std::error::Error;
use std::io::{self, BufWriter, Stdout, Write as _};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pingora::http::RequestHeader;
use pingora::listeners::tls::TlsSettings;
use pingora::prelude::{HttpPeer, Result, Server, http_proxy_service};
use pingora::proxy::{ProxyHttp, Session};
use pingora::server::configuration::ServerConf;

const PATIENCE: Duration = Duration::from_secs(60);
const LOG_BUFFER: usize = 64 * 1024;
const LOG_EVERY: Duration = Duration::from_secs(1);

/// Lines are gathered and written once a second or every 64 KiB, as a busy server does.
type Log = Arc<Mutex<BufWriter<Stdout>>>;

struct Edge {
    hosts: HashSet<String>,
    backend: String,
    log: Log,
}

#[async_trait]
impl ProxyHttp for Edge {
    type CTX = Instant;

    fn new_ctx(&self) -> Instant {
        Instant::now()
    }

    async fn request_filter(&self, session: &mut Session, _: &mut Instant) -> Result<bool> {
        let known = host(session.req_header()).is_some_and(|name| self.hosts.contains(name));
        if !known {
            session.respond_error(404).await?;
        }
        Ok(!known)
    }

    async fn upstream_peer(&self, _: &mut Session, _: &mut Instant) -> Result<Box<HttpPeer>> {
        let mut peer = HttpPeer::new(self.backend.as_str(), false, String::new());
        peer.options.connection_timeout = Some(Duration::from_secs(5));
        peer.options.read_timeout = Some(PATIENCE);
        peer.options.write_timeout = Some(PATIENCE);
        peer.options.idle_timeout = Some(PATIENCE);
        Ok(Box::new(peer))
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        _: &mut Instant,
    ) -> Result<()> {
        let client = session.client_addr().and_then(|address| address.as_inet()).map(|address| address.ip());
        let client = client.map(|address| address.to_string()).unwrap_or_default();
        let secure = session.digest().is_some_and(|digest| digest.ssl_digest.is_some());
        let name = host(session.req_header()).unwrap_or_default().to_owned();
        request.insert_header("X-Forwarded-For", client)?;
        request.insert_header("X-Forwarded-Proto", if secure { "https" } else { "http" })?;
        request.insert_header("X-Forwarded-Host", &name)?;
        // HTTP/2 has it in a pseudo-header.
        request.insert_header("Host", &name)
    }

    async fn logging(&self, session: &mut Session, _: Option<&pingora::Error>, begun: &mut Instant) {
        let request = session.req_header();
        let status = session.response_written().map_or(0, |response| response.status.as_u16());
        let (name, took) = (host(request).unwrap_or("-"), begun.elapsed().as_micros());
        let client = session.client_addr().map(ToString::to_string).unwrap_or_default();
        let (method, path) = (&request.method, request.uri.path());
        if let Ok(mut log) = self.log.lock() {
            // A log nobody reads is no reason to stop.
            let _ = writeln!(log, "{client} {method} {name} {path} {status} {} {took}us", session.body_bytes_sent());
        }
    }
}

/// The name a request is for, without a port.
fn host(request: &RequestHeader) -> Option<&str> {
    let named = request.headers.get("host").and_then(|value| value.to_str().ok());
    let authority = named.or_else(|| request.uri.host())?;
    Some(authority.split(':').next().unwrap_or(authority))
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [http, https, backend, hosts, cert, key, threads] = arguments.as_slice() else {
        return Err("HTTP HTTPS BACKEND HOSTS CERT KEY THREADS".into());
    };
    let log: Log = Arc::new(Mutex::new(BufWriter::with_capacity(LOG_BUFFER, io::stdout())));
    let flushed = Arc::clone(&log);
    thread::spawn(move || {
        loop {
            thread::sleep(LOG_EVERY);
            let _ = flushed.lock().map(|mut log| log.flush());
        }
    });
    let hosts = std::fs::read_to_string(hosts)?.lines().map(str::to_owned).collect();
    let conf = ServerConf { threads: threads.parse()?, upstream_keepalive_pool_size: 512, ..Default::default() };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let edge = Edge { hosts, backend: backend.clone(), log };
    let mut service = http_proxy_service(&server.configuration, edge);
    service.add_tcp(http);
    let mut tls = TlsSettings::intermediate(cert, key)?;
    tls.enable_h2();
    service.add_tls_with_settings(https, None, tls);
    server.add_service(service);
    server.run_forever()
}
