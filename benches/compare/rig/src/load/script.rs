use std::io;
use std::rc::Rc;
use std::sync::Arc;

use rustls::ClientConfig;

use super::answer::Answer;
use super::{Args, Kind};
use crate::backend;
use crate::tls;

/// What connections say, host by host, made before anything is measured.
pub(crate) struct Script {
    /// Host names.
    pub(crate) hosts: Vec<String>,
    /// How TLS is begun, where the proxy ends it.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    kind: Kind,
    size: u64,
    /// For each host what opens a connection, with the first unit or before it.
    openings: Vec<Rc<[u8]>>,
    /// For each host what asks for a unit; one for all where it names no host.
    units: Vec<Rc<[u8]>>,
    echoed: u64,
}

/// One thing to say, and what is to come back.
pub(crate) struct Exchange {
    pub(crate) bytes: Rc<[u8]>,
    /// Bytes of no meaning that follow.
    pub(crate) body: u64,
    pub(crate) answer: Answer,
}

impl Script {
    pub(crate) fn of(args: &Args) -> io::Result<Self> {
        let text = std::fs::read_to_string(&args.hosts)?;
        let hosts: Vec<_> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if hosts.is_empty() {
            return Err(io::Error::other("no hosts to ask for"));
        }
        let config = tls::client(args.group, args.resume)?;
        let once = if args.once { "Connection: close\r\n" } else { "" };
        let (mut openings, mut units, mut echoed) = (Vec::new(), Vec::new(), 0);
        let size = args.size;
        for host in &hosts {
            match args.kind {
                Kind::Get => units.push(get(host, &format!("/b/{size}"), once)),
                Kind::Upload => units.push(post(host, size, once)),
                Kind::Websocket => openings.push(upgrade(host)),
                Kind::Passthrough => openings.push(tls::hello(&config, host)?.into()),
            }
        }
        match args.kind {
            Kind::Get | Kind::Upload => {}
            Kind::Websocket => {
                let (frame, echo) = backend::frame(size as usize);
                units.push(frame.into());
                echoed = echo as u64;
            }
            Kind::Passthrough => units.push(size.to_be_bytes().as_slice().into()),
        }
        let tls = (args.tls && args.kind != Kind::Passthrough).then_some(config);
        Ok(Self { hosts, tls, kind: args.kind, size, openings, units, echoed })
    }

    /// What has to be said and answered before a unit, on a new connection.
    pub(crate) fn opening(&self, host: usize) -> Option<Exchange> {
        if self.kind != Kind::Websocket {
            return None;
        }
        let bytes = Rc::clone(self.openings.get(host)?);
        Some(Exchange { bytes, body: 0, answer: Answer::response(101, 0) })
    }

    /// A unit; `first` on its connection.
    pub(crate) fn unit(&self, host: usize, first: bool) -> Exchange {
        let own = |all: &[Rc<[u8]>]| all.get(host).or(all.first()).map(Rc::clone).unwrap_or_default();
        let bytes = own(&self.units);
        let (bytes, body, answer) = match self.kind {
            Kind::Get => (bytes, 0, Answer::response(200, self.size)),
            Kind::Upload => (bytes, self.size, Answer::response(200, 2)),
            Kind::Websocket => (bytes, 0, Answer::Bytes(self.echoed)),
            Kind::Passthrough if first => {
                // With the hello in one write, as early as a client that resumes may speak.
                let opening = own(&self.openings);
                ([&*opening, &*bytes].concat().into(), 0, Answer::Bytes(self.size))
            }
            Kind::Passthrough => (bytes, 0, Answer::Bytes(self.size)),
        };
        Exchange { bytes, body, answer }
    }

    /// Whether another unit on the same connection may be for another host.
    pub(crate) fn mixes_hosts(&self) -> bool {
        self.tls.is_none() && matches!(self.kind, Kind::Get | Kind::Upload)
    }
}

/// The fields a small client sends.
const FIELDS: &str = "User-Agent: rig\r\nAccept: */*\r\n";

fn get(host: &str, target: &str, once: &str) -> Rc<[u8]> {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{FIELDS}{once}\r\n").into_bytes().into()
}

fn post(host: &str, size: u64, once: &str) -> Rc<[u8]> {
    format!("POST /u HTTP/1.1\r\nHost: {host}\r\n{FIELDS}Content-Length: {size}\r\n{once}\r\n")
        .into_bytes()
        .into()
}

fn upgrade(host: &str) -> Rc<[u8]> {
    let key = backend::KEY;
    format!(
        "GET /ws HTTP/1.1\r\nHost: {host}\r\n{FIELDS}Connection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    .into_bytes()
    .into()
}

/// A request for `hold`: what the load would ask for.
pub(crate) fn one_get(host: &str, size: u64) -> Rc<[u8]> {
    get(host, &format!("/b/{size}"), "")
}
